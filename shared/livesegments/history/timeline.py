"""What happened to one profile, newest first: events, those derived from them, and transitions.

Example: ada's order of 12:00, applied in commit 4711, let her enter "buyers". Her timeline begins with the
transition, and then has the order.

A moment's place is (time, commit, 1 for a transition and 0 for an event, place in the commit). A page is what
lies before a place, so a page that was given stays right when more happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Annotated, Any, TypeAlias

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from msgspec import Meta, Struct

from livesegments.core.event import KNOWN, SEGMENT_ENTERED, SEGMENT_EXITED
from livesegments.history import schema
from livesegments.history.archive import Archive, Table
from livesegments.history.ranges import parse
from livesegments.store.history import Snapshot
from livesegments.store.tail import Entry, applied

Whole: TypeAlias = Annotated[int, Meta(ge=-(1 << 62), le=1 << 62)]
_NAMES = {"entered": SEGMENT_ENTERED, "exited": SEGMENT_EXITED}
_properties = msgspec.json.Decoder(dict[str, Any])
_INSTANT = pa.timestamp("ms", tz="UTC")


class Place(Struct, frozen=True, array_like=True, order=True):
    """Where a moment stands in its profile's timeline; `kind` is 1 for a transition, 0 for an event."""

    time_ms: Whole
    commit: Whole
    kind: Whole
    within: Whole


class Moment(Struct, frozen=True):
    """An event, or a transition as the event that it is to other segments.

    at_ms     the partition's clock when it was applied
    event_id  the event that it followed from, if one
    cause     why a transition came; None for an event
    """

    place: Place
    id: str
    name: str
    at_ms: int
    properties: dict[str, Any]
    event_id: str | None
    cause: str | None = None
    version: int | None = None
    sequence: int | None = None


class Asked(Struct, frozen=True):
    """`before`: only what lies before that place. `event`: only that event and what followed from it."""

    workspace: str
    profile: str
    limit: int
    before: Place | None = None
    event: str | None = None


def timeline(archive: Archive, partition: int, past: Snapshot, asked: Asked) -> list[Moment]:
    """At most `limit` moments. Raises FileNotFoundError where a file was merged away: read the past again."""
    found = _events(_rows(archive, partition, past, asked, "events", _recent_events(past.tail)))
    found += _transitions(
        _rows(archive, partition, past, asked, "transitions", _recent_transitions(past.tail))
    )
    found.sort(key=attrgetter("place"), reverse=True)
    return found[: asked.limit]


def _recent_events(tail: Sequence[tuple[int, Entry]]) -> pa.Table:
    return schema.events_table(each for commit, entry in tail for each in applied(commit, entry))


def _recent_transitions(tail: Sequence[tuple[int, Entry]]) -> pa.Table:
    return schema.transitions_table((commit, entry.transitions) for commit, entry in tail)


def _rows(
    archive: Archive, partition: int, past: Snapshot, asked: Asked, table: Table, recent: pa.Table
) -> list[dict[str, Any]]:
    """The newest rows of files and tail, and few more. Files are read where their statistics let them be."""
    time = "time" if table == "events" else "at"
    where = (pc.field("workspace") == asked.workspace) & (pc.field("profile") == asked.profile)
    if table == "events":
        where &= pc.field("name") != KNOWN
    if (since := past.gone.get((asked.workspace, asked.profile))) is not None:
        where &= pc.field("commit") > since
    if asked.event is not None and table == "events":
        where &= (pc.field("id") == asked.event) | (pc.field("cause") == asked.event)
    elif asked.event is not None:
        where &= pc.field("event_id") == asked.event
    if asked.before is not None:
        where &= _before(time, 0 if table == "events" else 1, asked.before)
    ranges = [each for name in past.files if (each := parse(name)) is not None]
    tables = [recent.filter(where)]
    if ranges:
        paths = [archive.path(partition, table, each) for each in ranges]
        files = ds.dataset(paths, format="parquet", filesystem=archive.files)
        tables.append(files.to_table(filter=where))
    order = [(name, "descending") for name in (time, "commit", "place")]
    newest = pa.concat_tables(tables).sort_by(order).slice(0, asked.limit)
    for name in ("time", "at"):
        if name in newest.column_names:
            index = newest.schema.get_field_index(name)
            newest = newest.set_column(index, name, newest.column(name).cast(pa.int64()))
    rows: list[dict[str, Any]] = newest.to_pylist()
    return rows


def _before(time: str, kind: int, place: Place) -> Any:
    instant = pa.scalar(place.time_ms, _INSTANT)
    same_time = pc.field(time) == instant
    where = (pc.field(time) < instant) | (same_time & (pc.field("commit") < place.commit))
    same_commit = same_time & (pc.field("commit") == place.commit)
    if kind < place.kind:
        return where | same_commit
    return where | (same_commit & (pc.field("place") < place.within)) if kind == place.kind else where


def _events(rows: Iterable[dict[str, Any]]) -> list[Moment]:
    return [
        Moment(
            Place(row["time"], row["commit"], 0, row["place"]),
            row["id"],
            row["name"],
            row["at"],
            _properties.decode(row["properties"]),
            row["cause"],
        )
        for row in rows
    ]


def _transitions(rows: Iterable[dict[str, Any]]) -> list[Moment]:
    return [
        Moment(
            Place(row["at"], row["commit"], 1, row["place"]),
            row["id"],
            _NAMES[row["kind"]],
            row["at"],
            {"segment": row["segment"]},
            row["event_id"],
            row["cause"],
            row["version"],
            row["sequence"],
        )
        for row in rows
    ]
