"""A partition's events of some names, profile by profile: a backfill gives them to new facts.

Files of any number and size come in; chunks of whole profiles go out, in sorted order of profiles, the
events of each by (time, id). Not more than a stretch of the profiles is held at once. All of it is done in
columns: an event becomes an object only where a fact takes it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import pairwise
from operator import or_
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import structlog

from livesegments.core.bulk import Bulk, Made
from livesegments.core.event import RETRACT, SEGMENT_ENTERED, SEGMENT_EXITED, Transition, derived_from
from livesegments.core.rows import Rows
from livesegments.history.archive import Archive, Table
from livesegments.history.chunk_files import put, put_chunk
from livesegments.history.cutting import Cutting
from livesegments.history.filled import filled
from livesegments.history.protocol import Filled, Wanted
from livesegments.history.ranges import Range
from livesegments.history.stretches import Stretch, stretches

CHUNK_EVENTS = 2_000
"""A chunk ends with the profile that brings it to this many events."""
COLUMN_EVENTS = 4_000
"""The same of a chunk in columns."""
AT_ONCE = 10_000
"""States are made of so many profiles at once: the first are read while the next are made."""
_SCHEMA = pa.schema(
    [
        ("profile", pa.string()),
        ("time", pa.int64()),
        ("id", pa.string()),
        ("commit", pa.int64()),
        ("name", pa.string()),
        ("properties", pa.string()),
    ]
)
_ORDER = [("profile", "ascending"), ("time", "ascending"), ("id", "ascending")]
_properties = msgspec.json.Decoder(dict[str, Any])
_json = msgspec.json.Encoder()
_log = structlog.get_logger(__name__)


def scan(archive: Archive, partition: int, ranges: Sequence[Range], wanted: Wanted, into: Path) -> int:
    """Writes the chunks to a file; how many events they hold."""
    every = list(stretches(archive, partition, ranges, wanted.workspace, wanted.after))
    events = 0
    with into.open("wb") as file:
        for number, (after, last) in enumerate(every):
            done = number / len(every), 1 / len(every)
            rows = _rows_of(archive, partition, ranges, wanted, (after, last))
            if wanted.columns:
                events += _put_columns(file, rows, *done)
                continue
            for share, chunk, size in _chunks(rows, wanted):
                put_chunk(file, done[0] + share * done[1], chunk)
                file.flush()
                events += size
    return events


def _rows_of(
    archive: Archive, partition: int, ranges: Sequence[Range], wanted: Wanted, of: Stretch
) -> pa.Table:
    """Of one stretch, in order."""
    found = [
        _events(archive, partition, ranges, wanted, of),
        _of_segments(archive, partition, ranges, wanted, of),
    ]
    return pa.concat_tables(found).sort_by(_ORDER)


def _put_columns(file: BinaryIO, rows: pa.Table, share: float, more: float) -> int:
    """Writes a stretch's chunks in columns; how many events. `share` of all is done before it, and so much
    `more` after it."""
    profiles, owners = _owners(rows)
    bounds = _bounds(owners)
    cut, first = Cutting(rows, bounds), 0
    while first < len(profiles):
        end = max(first + 1, min(bisect_left(bounds, bounds[first] + COLUMN_EVENTS), len(profiles)))
        done = share + more * bounds[end] / rows.num_rows
        put(file, cut.chunk(done, profiles[first:end], first, end))
        file.flush()
        first = end
    return int(rows.num_rows)


def _chunks(rows: pa.Table, wanted: Wanted) -> Iterator[tuple[float, list[Filled], int]]:
    """Of one stretch: the share that is done with a chunk, and how many events it has."""
    chunk: list[Filled] = []
    size = done = 0
    for count, each in _profiles(rows, wanted):
        chunk.append(each)
        size += count
        if size >= CHUNK_EVENTS:
            done += size
            yield done / rows.num_rows, chunk, size
            chunk, size = [], 0
    if chunk:
        yield 1.0, chunk, size


def _profiles(rows: pa.Table, wanted: Wanted) -> Iterator[tuple[int, Filled]]:
    """Every profile, and how many events it has."""
    profiles, owners = _owners(rows)
    bounds = _bounds(owners)
    bulk = None if wanted.order is None else Bulk(wanted.order)
    for start in range(0, len(profiles), AT_ONCE):
        mine = profiles[start : start + AT_ONCE]
        begin, end = bounds[start], bounds[start + len(mine)]
        part = rows.slice(begin, end - begin)
        columns = [part.column(name).to_pylist() for name in ("commit", "name", "time", "id", "properties")]
        places = [at - begin for at in bounds[start : start + len(mine) + 1]]
        part = part.append_column("owner", pc.subtract(owners.slice(begin, end - begin), start))
        made = None if bulk is None else _made(part, len(mine), wanted.workspace, bulk)
        took_back = set(part.column("owner").filter(pc.equal(part.column("name"), RETRACT)).to_pylist())
        for owner, (first, last) in enumerate(pairwise(places)):
            commits, names, times, ids, properties = (column[first:last] for column in columns)
            states = None if made is None else next(made)
            past = commits, names, times, ids, properties
            yield last - first, filled(mine[owner], past, None if owner in took_back else states)


def _made(rows: pa.Table, profiles: int, workspace: str, bulk: Bulk) -> Iterator[Made] | None:
    rows = rows.filter(pc.field("commit") <= bulk.upto)
    by_names: dict[tuple[str, ...], Rows] = {}
    fed = {}
    for fact, (names, accepts) in bulk.feeds.items():
        if names not in by_names:
            by_names[names] = _rows(rows.filter(pc.field("name").isin(list(names))), workspace)
        mine = by_names[names]
        if accepts is not None:
            mine = mine.only(list(map(accepts, mine.properties, mine.times)))
        fed[fact] = mine
    try:
        return bulk.make_all(fed, profiles)
    except (
        Exception
    ) as error:  # a fault of ours: the partition, which takes the events, sets aside what meets it
        _log.warning("states can't be made from columns", error=repr(error))
        return None


def _owners(rows: pa.Table) -> tuple[list[str], pa.ChunkedArray]:
    """The profiles in order, and of every row the place of its own there."""
    column = rows.column("profile").combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # of no rows
        column = column.cast(pa.string()).combine_chunks()
    coded = column.dictionary_encode()
    return coded.dictionary.to_pylist(), pa.chunked_array([coded.indices])


def _bounds(owners: pa.ChunkedArray) -> list[int]:
    """Where every owner's rows begin, in order of owners that all have some, and the end."""
    if not len(owners):
        return [0]
    return [0, *pc.run_end_encode(owners.combine_chunks()).run_ends.to_pylist()]


def _rows(rows: pa.Table, workspace: str) -> Rows:
    if not rows.num_rows:
        return Rows(workspace, [], [0], [], [], [], [])
    runs = pc.run_end_encode(rows.column("owner").combine_chunks())
    times, ids, names, texts = (
        rows.column(name).to_pylist() for name in ("time", "id", "name", "properties")
    )
    bounds = [0, *runs.run_ends.to_pylist()]
    properties = list(map(_properties.decode, texts))
    return Rows(workspace, runs.values.to_pylist(), bounds, times, ids, names, properties)


def _events(
    archive: Archive, partition: int, ranges: Sequence[Range], wanted: Wanted, of: Stretch
) -> pa.Table:
    names = [name for name in wanted.names if name not in (SEGMENT_ENTERED, SEGMENT_EXITED)]
    if not names or not ranges:
        return _SCHEMA.empty_table()
    where = _where(wanted, "name", {name: name for name in names}, "time", of)
    return (
        _dataset(archive, partition, ranges, "events")
        .to_table(columns=_SCHEMA.names, filter=where)
        .cast(_SCHEMA)
    )


def _of_segments(
    archive: Archive, partition: int, ranges: Sequence[Range], wanted: Wanted, of: Stretch
) -> pa.Table:
    """`$segment_entered` and `$segment_exited`, which transitions say."""
    kinds = [
        name.removeprefix("$segment_") for name in wanted.names if name in (SEGMENT_ENTERED, SEGMENT_EXITED)
    ]
    if not kinds or not ranges:
        return _SCHEMA.empty_table()
    named = {f"$segment_{kind}": kind for kind in kinds}
    table = _dataset(archive, partition, ranges, "transitions").to_table(
        filter=_where(wanted, "kind", named, "at", of)
    )
    found = table.set_column(table.schema.get_field_index("at"), "at_ms", table.column("at").cast(pa.int64()))
    rows = []
    for each in found.to_pylist():
        event = derived_from(msgspec.convert(each, Transition))
        data = _json.encode(event.properties).decode()
        rows.append((event.profile, event.time_ms, event.id, each["commit"], event.name, data))
    return pa.Table.from_arrays(
        [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), _SCHEMA.types, strict=True)]
        if rows
        else [pa.array([], kind) for kind in _SCHEMA.types],
        schema=_SCHEMA,
    )


def _where(wanted: Wanted, column: str, values: dict[str, str], time: str, of: Stretch) -> Any:
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
    after, last = of
    if after:
        where &= pc.field("profile") > after
    if last is not None:
        where &= pc.field("profile") <= last
    return where


def _dataset(archive: Archive, partition: int, ranges: Sequence[Range], table: Table) -> Any:
    paths = [archive.path(partition, table, each) for each in ranges]
    return ds.dataset(paths, format=_FORMAT, filesystem=archive.files)


_FORMAT = ds.ParquetFileFormat(
    read_options=ds.ParquetReadOptions(dictionary_columns={"workspace", "profile", "name", "kind"})
)
"""Filters compare a few different values then, not every row's."""
