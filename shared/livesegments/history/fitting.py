"""Which values of an attribute a declaration would refuse, over a connection that has `happened`."""

from __future__ import annotations

from heapq import nlargest

import duckdb
import msgspec

from livesegments.core.typed import Misfit, read
from livesegments.history.asking import FitFound, Fitting, Misfitting
from livesegments.history.sql.registers import Registers

CHUNK = 10_000
SAMPLE = 20
LONGEST = 200
"""Characters of an odd value that are shown."""


def fitting(connection: duckdb.DuckDBPyConnection, asked: Fitting, now_ms: int) -> FitFound:
    """Each different value is read once, by the function that reads those that come in."""
    registers = Registers()
    column = registers.attribute(asked.attribute)
    relations = registers.relations()
    made = ", ".join(f"{name} AS ({query})" for name, query in relations)
    (relation, _), *_ = relations
    rows = connection.execute(
        f"WITH {made} SELECT CAST({column} AS VARCHAR) AS value, count(*) FROM {relation}"
        f" WHERE {column} IS NOT NULL GROUP BY value"
    )
    fit = other = odd = 0
    sample: list[Misfitting] = []
    while chunk := rows.fetchmany(CHUNK):
        for text, profiles in chunk:
            value = msgspec.json.decode(text)
            try:
                kept = read(asked.declared, value)
            except Misfit as misfit:
                odd += profiles
                sample.append(Misfitting(text[:LONGEST], str(misfit), profiles))
                continue
            if kept == value and type(kept) is type(value):
                fit += profiles
            else:
                other += profiles
        sample = nlargest(SAMPLE, sample, key=lambda each: each.profiles)
    return FitFound(now_ms, fit, other, odd, sample)
