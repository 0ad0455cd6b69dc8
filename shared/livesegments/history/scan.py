"""A partition's events of some names, profile by profile: a backfill gives them to new facts.

Files of any number and size come in; chunks of whole profiles go out, in sorted order of profiles, the events
of each by (time, id).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import groupby
from operator import itemgetter, or_
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from livesegments.core.bulk import Bulk
from livesegments.core.event import RETRACT, SEGMENT_ENTERED, SEGMENT_EXITED, Event, Transition, derived_from
from livesegments.history.archive import Archive, Table
from livesegments.history.filled import fill
from livesegments.history.protocol import Filled, Wanted, put_chunk
from livesegments.history.ranges import Range

CHUNK_EVENTS = 2_000
"""A chunk ends with the profile that brings it to this many events."""
_properties = msgspec.json.Decoder(dict[str, Any])


def scan(archive: Archive, partition: int, ranges: Sequence[Range], wanted: Wanted, into: Path) -> int:
    """Writes the chunks to a file; how many events they hold."""
    rows = _events(archive, partition, ranges, wanted) + _of_segments(archive, partition, ranges, wanted)
    rows.sort(key=itemgetter(0, 1, 2))
    done, bulk = 0, Bulk(wanted.order) if wanted.order is not None else None
    took_back = {row[0] for row in rows if row[4].name == RETRACT}
    with into.open("wb") as file:
        chunk: list[Filled] = []
        size = 0
        for profile, mine in groupby(rows, itemgetter(0)):
            past = [(commit, event) for _, _, _, commit, event in mine]
            chunk.append(fill(profile, past, bulk, profile in took_back))
            size += len(past)
            if size >= CHUNK_EVENTS:
                done += size
                put_chunk(file, done / len(rows), chunk)
                chunk, size = [], 0
        if chunk:
            put_chunk(file, 1.0, chunk)
    return len(rows)


Row: TypeAlias = tuple[str, int, str, int, Event]
"""(profile, time, id, commit, event)."""


def _events(archive: Archive, partition: int, ranges: Sequence[Range], wanted: Wanted) -> list[Row]:
    names = [name for name in wanted.names if name not in (SEGMENT_ENTERED, SEGMENT_EXITED)]
    if not names or not ranges:
        return []
    table = _dataset(archive, partition, ranges, "events").to_table(
        columns=["profile", "name", "time", "id", "properties", "commit"],
        filter=_where(wanted, "name", {name: name for name in names}, "time"),
    )
    columns = [table.column(name) for name in ("profile", "name", "id", "properties", "commit")]
    profiles, found, ids, properties, commits = (column.to_pylist() for column in columns)
    times = table.column("time").cast(pa.int64()).to_pylist()
    workspace = wanted.workspace
    read = {name: _reading(heads) for name, heads in wanted.names.items()}
    return [
        (profile, time, id_, commit, Event(id_, workspace, profile, name, time, read[name](data)))
        for profile, name, time, id_, data, commit in zip(
            profiles, found, times, ids, properties, commits, strict=True
        )
    ]


def _reading(heads: Sequence[str]) -> Callable[[str], dict[str, Any]]:
    """From an event's properties, as text, to those that matter."""
    if not heads:
        return lambda data: {}

    def read(data: str) -> dict[str, Any]:
        properties = _properties.decode(data)
        return {head: properties[head] for head in heads if head in properties}

    return read


def _of_segments(archive: Archive, partition: int, ranges: Sequence[Range], wanted: Wanted) -> list[Row]:
    """`$segment_entered` and `$segment_exited`, which transitions say."""
    kinds = [
        name.removeprefix("$segment_") for name in wanted.names if name in (SEGMENT_ENTERED, SEGMENT_EXITED)
    ]
    if not kinds or not ranges:
        return []
    of = {f"$segment_{kind}": kind for kind in kinds}
    table = _dataset(archive, partition, ranges, "transitions").to_table(
        filter=_where(wanted, "kind", of, "at")
    )
    found = table.set_column(table.schema.get_field_index("at"), "at_ms", table.column("at").cast(pa.int64()))
    rows = []
    for each in found.to_pylist():
        event = derived_from(msgspec.convert(each, Transition))
        rows.append((event.profile, event.time_ms, event.id, each["commit"], event))
    return rows


def _where(wanted: Wanted, column: str, values: dict[str, str], time: str) -> Any:
    """`values`: event name → what its rows have in `column`. Names with one earliest instant share a term."""
    by_instant: dict[int | None, list[str]] = {}
    for name, value in values.items():
        by_instant.setdefault(wanted.since.get(name), []).append(value)
    terms = []
    for instant, listed in by_instant.items():
        term = pc.field(column).isin(listed)
        if instant is not None:
            term &= pc.field(time) >= pa.scalar(instant, pa.timestamp("ms", tz="UTC"))
        terms.append(term)
    where = (pc.field("workspace") == wanted.workspace) & reduce(or_, terms)
    if wanted.after:
        where &= pc.field("profile") > wanted.after
    return where


def _dataset(archive: Archive, partition: int, ranges: Sequence[Range], table: Table) -> Any:
    paths = [archive.path(partition, table, each) for each in ranges]
    return ds.dataset(paths, format="parquet", filesystem=archive.files)
