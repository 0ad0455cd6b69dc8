"""Many values to compare with, in SQL: a variable of the connection holds them in buckets by their hash.

A condition may stand within a lambda, where DuckDB takes no subquery, and to look through a list of 100,000
takes a while for every value. A variable is a constant to the query.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

import msgspec

from livesegments.core.definition import Node
from livesegments.core.tree import comparisons
from livesegments.history.sql.text import json

FEW = 100
"""More values than this come from a value list, and are looked up by their hash."""

BUCKETS = 4_096


def contains(operands: list[Any], folded: bool, key: str) -> str:
    """Whether a key is one of theirs."""
    return f"list_contains(getvariable('{_name(operands, folded)}')[{_bucket(key)} + 1], {key})"


def variables(roots: Iterable[Node]) -> Iterator[str]:
    """The statements that give a connection the many values that definitions compare with."""
    for test in (test for root in roots for test in comparisons(root)):
        operands, folded = test.value, test.ignore_case
        if not isinstance(operands, list) or len(operands) <= FEW:
            continue
        of = "ls_folded_key" if folded else "ls_key"
        yield (
            f"SET VARIABLE {_name(operands, folded)} = (SELECT list(coalesce(l, []) ORDER BY b) "
            f"FROM range({BUCKETS}) t(b) LEFT JOIN (SELECT {_bucket('k')} AS b, list(k) AS l FROM ("
            f"SELECT DISTINCT {of}(j) AS k FROM (SELECT unnest(json_extract({json(operands)}, '$[*]')) AS j)"
            ") GROUP BY ALL) USING (b))"
        )


def _name(operands: list[Any], folded: bool) -> str:
    return f"ls_values_{sha256(msgspec.json.encode([operands, folded])).hexdigest()[:24]}"


def _bucket(key: str) -> str:
    return f"CAST(hash({key}) % {BUCKETS} AS BIGINT)"
