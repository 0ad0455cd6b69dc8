"""Everything that happened to some profiles, up to a commit: from files and tail, in the order of arrival."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from livesegments.core.event import SEGMENT_ENTERED, SEGMENT_EXITED, Event, Transition, derived_from
from livesegments.history.archive import Archive, Table
from livesegments.history.chunk_files import put_chunk
from livesegments.history.protocol import Chunk, Of
from livesegments.history.ranges import Range, parse
from livesegments.store.history import Histories
from livesegments.store.tail import Entry, applied

CHUNK_EVENTS = 2_000
"""A chunk ends with the profile that brings it to so many events."""
_TRANSITIONS = 1 << 24
"""Added to a transition's place in its commit: it follows from the events there."""
_SEGMENTS = (SEGMENT_ENTERED, SEGMENT_EXITED)
_properties = msgspec.json.Decoder(dict[str, Any])

Row: TypeAlias = tuple[str, int, int, Event]
"""(profile, commit, place, event)."""


def read(archive: Archive, histories: Histories, partition: int, of: Of, into: Path) -> int:
    """Writes chunks of whole profiles to a file; how many events they hold.

    Raises FileNotFoundError where a file was merged away: try again.
    """
    snapshot = histories.upto(partition, of.upto)
    files = [each for name in snapshot.files if (each := parse(name)) is not None]
    rows = list(_archived(archive, partition, files, of))
    rows += _recent(snapshot.tail, of)
    rows.sort(key=itemgetter(0, 1, 2))
    done = 0
    with into.open("wb") as file:
        chunk: Chunk = []
        size = 0
        for profile, mine in groupby(rows, itemgetter(0)):
            past = [(commit, event) for _, commit, _, event in mine]
            chunk.append((profile, past))
            size += len(past)
            if size >= CHUNK_EVENTS:
                done += size
                put_chunk(file, done / len(rows), chunk)
                chunk, size = [], 0
        if chunk:
            put_chunk(file, 1.0, chunk)
    return len(rows)


def _archived(archive: Archive, partition: int, files: Sequence[Range], of: Of) -> Iterator[Row]:
    if not files:
        return
    where = (pc.field("workspace") == of.workspace) & pc.field("profile").isin(list(of.profiles))
    where &= pc.field("commit") <= of.upto
    events = _rows(archive, partition, files, "events", where & pc.field("name").isin(list(of.names)))
    for row in events:
        properties = _properties.decode(row["properties"])
        event = Event(row["id"], of.workspace, row["profile"], row["name"], row["time"], properties)
        yield event.profile, row["commit"], row["place"], event
    if not set(of.names).isdisjoint(_SEGMENTS):
        for row in _rows(archive, partition, files, "transitions", where):
            told = derived_from(msgspec.convert(row | {"at_ms": row["at"]}, Transition))
            if told.name in of.names:
                yield told.profile, row["commit"], row["place"] + _TRANSITIONS, told


def _rows(
    archive: Archive, partition: int, files: Sequence[Range], table: Table, where: Any
) -> list[dict[str, Any]]:
    paths = [archive.path(partition, table, each) for each in files]
    found = ds.dataset(paths, format="parquet", filesystem=archive.files).to_table(filter=where)
    for name in ("time", "at"):
        if name in found.column_names:
            index = found.schema.get_field_index(name)
            found = found.set_column(index, name, found.column(name).cast(pa.int64()))
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def _recent(tail: Sequence[tuple[int, Entry]], of: Of) -> Iterator[Row]:
    """A record that has none of the ids in its bytes needn't be decoded."""
    profiles, names = set(of.profiles), set(of.names)
    few = [each.encode() for each in profiles] if len(profiles) <= 8 else []
    for commit, entry in tail:
        if few and not any(
            each in data for each in few for data in (entry.record, entry.told) if data is not None
        ):
            continue
        for each in applied(commit, entry):
            event = each.event
            if event.profile in profiles and event.workspace == of.workspace and event.name in names:
                yield event.profile, commit, each.place, event
        for place, transition in enumerate(entry.transitions):
            if transition.profile in profiles and transition.workspace == of.workspace:
                told = derived_from(transition)
                if told.name in names:
                    yield told.profile, commit, place + _TRANSITIONS, told
