"""Every segment is recomputed from the raw file by SQL written by hand, which shares nothing with the
product.

Beside each segment's JSON lies the SQL that a careful analyst would write for it; `raw.sql` reads the log's
file as it came. DuckDB computes; nothing here goes through the core, its facts or its clock.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources.abc import Traversable
from pathlib import Path

import duckdb
from msgspec import Struct

from livesegments.cli.demo.log import Log


class Comparison(Struct, frozen=True):
    """One segment at one instant, against what the analyst recomputed.

    `members` are the api's, `announced` those that the transitions tell. `missing` and `extra` name the
    profiles of either that should be there or should not.
    """

    segment: str
    members: int
    announced: int
    recomputed: int
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def equal(self) -> bool:
        return not self.missing and not self.extra


def compare(segment: str, members: set[str], announced: set[str], recomputed: set[str]) -> Comparison:
    return Comparison(
        segment,
        len(members),
        len(announced),
        len(recomputed),
        missing=tuple(sorted(recomputed - (members & announced))),
        extra=tuple(sorted((members | announced) - recomputed)),
    )


class Reason(Struct, frozen=True):
    """Why a profile is a member: the amount of each condition, by its pointer in the definition, and the
    instant at which the clock alone takes it out."""

    profile: str
    flips_at: datetime
    amounts: dict[str, float]


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

    def explained(self, instant: datetime) -> Reason | None:
        """The member whose membership is to be explained; None where the segment has none."""
        self._db.execute("SET VARIABLE instant = ?", [instant])
        rows = self._db.execute((self._folder / "explained.sql").read_text("utf-8")).fetchall()
        if not rows:
            return None
        flips_at = datetime.fromtimestamp(rows[0][1] / 1000, UTC)
        return Reason(rows[0][0], flips_at, {pointer: amount for _, _, pointer, amount in rows})
