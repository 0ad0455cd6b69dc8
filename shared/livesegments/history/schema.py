"""The columns of the archive, version 1, and how events and transitions become rows of it.

Example: an order of ada's, accepted a second after it happened, is one row of events: workspace `shop`,
profile `ada`, name `Order Completed`, time 12:00:00, id `m-1`, properties `{"total":12.5}`, at 12:00:01,
commit 4711, place 0, no cause;

and a change of an attribute is two: the `$profile` event as it came, and the `$attribute_changed` that was
derived from it, whose `cause` is the first one's id.

Rules:
- `time` is when an event happened; `at` is the partition's clock when it was applied; both in UTC.
- `commit` and `place` are the order of arrival: (commit, place) ascends within a partition, and a derived
  event follows its cause.
- Rows are sorted by workspace, profile, time, id. So a profile's events lie in few row groups.
- `properties` is JSON. Numbers are written in the shortest form that reads back as the same number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from livesegments.core.event import Transition
from livesegments.store.tail import Applied

VERSION = 1
_INSTANT = pa.timestamp("ms", tz="UTC")
_METADATA = {"livesegments.schema": str(VERSION)}

EVENTS = pa.schema(
    [
        pa.field("workspace", pa.string(), nullable=False),
        pa.field("profile", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("time", _INSTANT, nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("properties", pa.string(), nullable=False),
        pa.field("at", _INSTANT, nullable=False),
        pa.field("commit", pa.int64(), nullable=False),
        pa.field("place", pa.int32(), nullable=False),
        pa.field("cause", pa.string()),
    ],
    metadata=_METADATA,
)
EVENTS_ORDER = ("workspace", "profile", "time", "id")

TRANSITIONS = pa.schema(
    [
        pa.field("workspace", pa.string(), nullable=False),
        pa.field("segment", pa.string(), nullable=False),
        pa.field("profile", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("at", _INSTANT, nullable=False),
        pa.field("sequence", pa.int64(), nullable=False),
        pa.field("cause", pa.string(), nullable=False),
        pa.field("event_id", pa.string()),
        pa.field("version", pa.int64(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("commit", pa.int64(), nullable=False),
        pa.field("place", pa.int32(), nullable=False),
    ],
    metadata=_METADATA,
)
TRANSITIONS_ORDER = ("workspace", "segment", "profile", "sequence")

_json = msgspec.json.Encoder()


def events_table(applied: Iterable[Applied]) -> pa.Table:
    """Events as they were applied → rows of `EVENTS`, sorted."""
    columns: list[list[Any]] = [[] for _ in EVENTS]
    appends = [column.append for column in columns]
    for each in applied:
        event = each.event
        row = (
            event.workspace, event.profile, event.name, event.time_ms, event.id,
            _json.encode(event.properties), each.at_ms, each.commit, each.place, each.cause,
        )  # fmt: skip
        for append, value in zip(appends, row, strict=True):
            append(value)
    return _table(columns, EVENTS, EVENTS_ORDER)


def transitions_table(transitions: Iterable[tuple[int, Sequence[Transition]]]) -> pa.Table:
    """(commit, its transitions in order) → rows of `TRANSITIONS`, sorted."""
    columns: list[list[Any]] = [[] for _ in TRANSITIONS]
    names = TRANSITIONS.names
    for commit, announced in transitions:
        for place, each in enumerate(announced):
            told = msgspec.structs.asdict(each) | {"at": each.at_ms, "commit": commit, "place": place}
            for name, column in zip(names, columns, strict=True):
                column.append(told[name])
    return _table(columns, TRANSITIONS, TRANSITIONS_ORDER)


def _table(columns: Sequence[list[Any]], schema: pa.Schema, order: Sequence[str]) -> pa.Table:
    arrays = [_array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema).sort_by([(name, "ascending") for name in order])


def _array(values: list[Any], type_: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(type_):
        return pa.array(values, pa.int64()).cast(type_)
    return pa.array(values, type_)
