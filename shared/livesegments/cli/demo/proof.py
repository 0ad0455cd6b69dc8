"""Every segment once more, from the raw file, by means that share nothing with the product: SQL by hand.

Beside each segment's JSON lies the SQL that a careful analyst would write for it; `raw.sql` reads the log's
file as it came. DuckDB computes; nothing here goes through the core, its facts or its clock.
"""

from __future__ import annotations

from datetime import datetime
from importlib.resources.abc import Traversable
from pathlib import Path

import duckdb
from msgspec import Struct

from livesegments.cli.demo.log import Log


class Comparison(Struct, frozen=True):
    """`members` are the product's, `recomputed` the analyst's; equal when nothing is missing or extra."""

    segment: str
    members: int
    recomputed: int
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def equal(self) -> bool:
        return not self.missing and not self.extra


def compare(segment: str, members: set[str], recomputed: set[str]) -> Comparison:
    return Comparison(
        segment,
        len(members),
        len(recomputed),
        missing=tuple(sorted(recomputed - members)),
        extra=tuple(sorted(members - recomputed)),
    )


class Analyst:
    """One log's raw file in DuckDB; `members` answers as of any instant."""

    def __init__(self, log: Log, raw: Path) -> None:
        self._folder: Traversable = log.folder
        self._db = duckdb.connect(config={"memory_limit": "1GB", "threads": 2})
        self._db.execute("SET VARIABLE raw = ?", [str(raw)])
        self._db.execute((self._folder / "raw.sql").read_text("utf-8"))

    def close(self) -> None:
        self._db.close()

    def members(self, segment: str, instant: datetime) -> set[str]:
        self._db.execute("SET VARIABLE instant = ?", [instant])
        rows = self._db.execute((self._folder / f"{segment}.sql").read_text("utf-8")).fetchall()
        return {profile for (profile,) in rows}
