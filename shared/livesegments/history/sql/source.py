"""The relation `happened` that queries read: a workspace's history by an instant, from files and tail.

An event counts by when it was applied: what happened before the instant and arrived later wasn't known then.
Transitions count as the events that they are to other segments.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from msgspec import Struct

from livesegments.core.event import MERGE, RETRACT
from livesegments.history import schema
from livesegments.history.archive import Archive, Table
from livesegments.history.ranges import Range, parse
from livesegments.history.sql.text import text
from livesegments.store.history import Snapshot
from livesegments.store.tail import applied

_AFTER_EVENTS = 1 << 24
"""Added to a transition's place in its commit: it follows from the events there."""


class Part(Struct, frozen=True):
    """A partition's files and tail at one moment."""

    partition: int
    files: Sequence[Range]
    snapshot: Snapshot


def part(partition: int, snapshot: Snapshot) -> Part:
    files = [each for name in snapshot.files if (each := parse(name)) is not None]
    return Part(partition, files, snapshot)


def attach(
    connection: duckdb.DuckDBPyConnection,
    archive: Archive,
    parts: Sequence[Part],
    workspace: str,
    now_ms: int | None,
    profile: str | None = None,
    view: str = "happened",
    special: Collection[str] | None = None,
) -> bool:
    """Makes `happened`, of one profile or of all; `now_ms` None: all that there is. Returns whether any event
    may have been taken back. `view`: another name for it. `special`: which of `$merge` and `$retract`
    there are, if that is known.

    What a merged profile did before its `$merge` was handed over to another: it counts there, and here no
    more. What an erased profile did before its erasure counts nowhere, from then on.

    Raises FileNotFoundError where a file was merged away: resolve the parts again.
    """
    events = schema.events_table(
        each for part in parts for commit, entry in part.snapshot.tail for each in applied(commit, entry)
    )
    told = schema.transitions_table(
        (commit, entry.transitions) for part in parts for commit, entry in part.snapshot.tail
    )
    known = f"workspace = {text(workspace)}"
    rows = _relation(connection, archive, parts, "events", events)
    if special is None:
        both = f"name IN ({text(MERGE)}, {text(RETRACT)})"
        there = connection.execute(f"SELECT DISTINCT name FROM {rows} WHERE {known} AND {both}").fetchall()
        special = {name for (name,) in there}
    known += _standing(connection, parts)
    if now_ms is not None:
        known += f' AND "at" <= {_instant(now_ms)}'
    if profile is not None:
        known += f" AND profile = {text(profile)}"
    if MERGE in special:
        connection.execute(f"""
CREATE OR REPLACE TEMP TABLE merged AS
SELECT profile, max("commit") AS upto FROM {rows} AS had
WHERE {known} AND name = {text(MERGE)} GROUP BY profile
""")
        known += """ AND NOT EXISTS (
  SELECT 1 FROM merged WHERE merged.profile = had.profile AND had."commit" <= merged.upto
)"""
    connection.execute(f"""
CREATE OR REPLACE TEMP VIEW {view} AS
SELECT profile, name, epoch_ms(time) AS t, id, properties, "commit", place
FROM {rows} AS had WHERE {known}
UNION ALL
SELECT profile, '$segment_' || kind, epoch_ms("at"), coalesce(event_id, cause) || '~segment~' || segment,
  CAST(json_object('segment', segment) AS VARCHAR), "commit", place + {_AFTER_EVENTS}
FROM {_relation(connection, archive, parts, "transitions", told)} AS had WHERE {known}
""")
    return RETRACT in special


def named(
    connection: duckdb.DuckDBPyConnection,
    archive: Archive,
    part: Part,
    workspace: str,
    name: str,
    more: Sequence[str],
) -> pa.Table:
    """A partition's events of a name in files, with profile, t, properties, and these columns."""
    connection.register("no_events", schema.EVENTS.empty_table())
    rows = _files(connection, archive, [part], "events") or "no_events"
    columns = ", ".join(f'"{each}"' for each in more)
    query = f"SELECT profile, epoch_ms(time) AS t, properties{', ' if more else ''}{columns}"
    return connection.sql(
        f"{query} FROM {rows} WHERE workspace = {text(workspace)} AND name = {text(name)}"
    ).to_arrow_table()


def _instant(ms: int) -> str:
    """A literal, which a scan of files compares with what they say of their parts."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    return f"TIMESTAMPTZ '{at.isoformat(sep=' ')}'"


def transitions(connection: duckdb.DuckDBPyConnection, archive: Archive, parts: Sequence[Part]) -> str:
    """The relation of all transitions, as an expression behind FROM."""
    told = schema.transitions_table(
        (commit, entry.transitions) for part in parts for commit, entry in part.snapshot.tail
    )
    rows = _relation(connection, archive, parts, "transitions", told)
    standing = _standing(connection, parts)
    return f"(SELECT * FROM {rows} AS had WHERE TRUE{standing})" if standing else rows


def _standing(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> str:
    """A condition on the rows `had`: they are of nobody who was erased since."""
    gone = [(*who, commit) for part in parts for who, commit in part.snapshot.gone.items()]
    if not gone:
        return ""
    columns = dict(zip(("workspace", "profile", "upto"), zip(*gone, strict=True), strict=True))
    connection.register("gone", pa.table({name: list(values) for name, values in columns.items()}))
    return """ AND NOT EXISTS (
  SELECT 1 FROM gone
  WHERE gone.workspace = had.workspace AND gone.profile = had.profile AND had."commit" <= gone.upto
)"""


def _relation(
    connection: duckdb.DuckDBPyConnection,
    archive: Archive,
    parts: Sequence[Part],
    table: Table,
    tail: pa.Table,
) -> str:
    connection.register(f"tail_{table}", tail)
    files = _files(connection, archive, parts, table)
    if files is None:
        return f"tail_{table}"
    return f"(SELECT * FROM {files} UNION ALL BY NAME SELECT * FROM tail_{table})"


def _files(
    connection: duckdb.DuckDBPyConnection, archive: Archive, parts: Sequence[Part], table: Table
) -> str | None:
    """An expression behind FROM; None where there are none."""
    paths = [archive.path(part.partition, table, each) for part in parts for each in part.files]
    if not paths:
        return None
    if archive.is_local:
        return f"read_parquet([{', '.join(map(text, paths))}])"
    files = f"files_{table}"
    connection.register(files, ds.dataset(paths, format="parquet", filesystem=archive.files))
    return files
