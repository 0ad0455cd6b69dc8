"""The records of topic `events`: many events of one partition, or a control record, in msgpack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from livesegments.core.event import PROFILE, Event, ProfileChange
from livesegments.core.handed import Handed
from livesegments.wire import plain
from livesegments.wire.unreadable import reading

MAX_EVENTS = 500
MAX_BYTES = 256 * 1024
MAX_WAIT_MS = 5

Instant: TypeAlias = Annotated[int, Meta(ge=-62_135_596_800_000, le=253_402_300_799_999)]
"""Milliseconds since 1970 UTC, from the year 1 to the year 9999: the calendar knows no others."""


class Packed(Struct, frozen=True, array_like=True, tag="e"):
    events: Sequence[Event]


class Clock(Struct, frozen=True, array_like=True, tag="c"):
    """Moves a partition's clock on to `to_ms` (mode `log`)."""

    to_ms: Instant


class Erase(Struct, frozen=True, array_like=True, tag="x"):
    """Everything of the profile up to here goes, and what comes later is not taken in.

    `at_once`: its files are rewritten now, and not with those of others within the stated time. `root`: the
    id of the erasure of another id of the same person, from which this one follows.
    """

    workspace: str
    profile: str
    at_once: bool = False
    root: str = ""


class Lift(Struct, frozen=True, array_like=True, tag="l"):
    """From here on the erased profile with this digest (`wire.suppressed`) is taken in again; where there is
    a `root`, only if it was that erasure which kept it out."""

    workspace: str
    digest: str
    root: str = ""


Record: TypeAlias = Packed | Clock | Erase | Lift | Handed


class _Shallow(Event, frozen=True, array_like=True):
    time_ms: Instant
    properties: dict[str, plain.Shallow] = {}  # noqa: RUF012  (a struct copies it)


class _Deep(Event, frozen=True, array_like=True):
    time_ms: Instant


class _PackedShallow(Packed, frozen=True, array_like=True, tag="e"):
    events: list[_Shallow]


class _PackedDeep(Packed, frozen=True, array_like=True, tag="e"):
    events: list[_Deep]


_Count: TypeAlias = Annotated[int, Meta(ge=0, lt=1 << 32)]
_Via: TypeAlias = Annotated[list[tuple[str, str]], Meta(min_length=1)]


class _HandedShallow(Handed, frozen=True, array_like=True, tag="h"):
    via: _Via
    number: _Count
    chunk: _Count
    events: list[_Shallow]


class _HandedDeep(Handed, frozen=True, array_like=True, tag="h"):
    via: _Via
    number: _Count
    chunk: _Count
    events: list[_Deep]


_encoder = msgspec.msgpack.Encoder()
_shallow: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(
    _PackedShallow | Clock | Erase | Lift | _HandedShallow
)
_deep: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(
    _PackedDeep | Clock | Erase | Lift | _HandedDeep
)


def encode(record: Record) -> bytes:
    return _encoder.encode(record)


_HEAD = _encoder.encode(Packed([]))[:-1]


def count_of(data: bytes) -> int | None:
    """How many events a packed record says that it has; None of any other record."""
    found = _events_of(data)
    return None if found is None else found[0]


def joined(records: Sequence[bytes]) -> bytes:
    """One packed record with the events of several, which were read before."""
    count, parts = 0, list[bytes]()
    for data in records:
        found = _events_of(data)
        assert found is not None, "not a packed record"
        count += found[0]
        parts.append(data[found[1] :])
    return b"".join((_HEAD, b"\xdd", count.to_bytes(4, "big"), *parts))


def _events_of(data: bytes) -> tuple[int, int] | None:
    """How many events, and where the first of them begins."""
    at = len(_HEAD)
    if not data.startswith(_HEAD) or len(data) <= at:
        return None
    kind = data[at]
    if 0x90 <= kind <= 0x9F:
        return kind & 0x0F, at + 1
    width = {0xDC: 2, 0xDD: 4}.get(kind)
    if width is None:
        return None
    return int.from_bytes(data[at + 1 : at + 1 + width], "big"), at + 1 + width


def decode(data: bytes) -> Record:
    """Every event in it can be applied: its shape, its numbers, and the change of a `$profile` event are
    checked. Raises Unreadable."""
    with reading("a packed record of ours"):
        try:
            record = _shallow.decode(data)
        except msgspec.ValidationError:  # deeper, or wrong
            record = _deep.decode(data)
            for event in record.events if isinstance(record, Packed | Handed) else ():
                plain.check(event.properties)
        if isinstance(record, Packed | Handed):
            for event in record.events:
                if event.name == PROFILE:
                    msgspec.convert(event.properties, ProfileChange)
        return record
