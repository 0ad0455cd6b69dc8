"""The tail: what a partition's newest commits applied, until the archive has it.

A commit that changes history writes one entry of the stream `{p}:tail` in the same script call, with its own
number as the entry's id. So history and the state that it led to can't come apart. The packed record travels
as the bytes that came, which costs a copy and no encoding:

  r  the packed record's bytes (absent where the clock alone did something)
  c  msgpack: the clock before it in ms; every event moves it on to its own time, and is applied then
  s  msgpack: the places of later events that did not move it (unknown workspaces)
  m  msgpack: (place, instant): before the event at that place the clock came to that instant (absent where
     the record has one stamp)
  x  msgpack: the places that were not applied (repeats, refused events, unknown workspaces)
  d  msgpack: derived events, as [place of the cause, event]
  t  msgpack: transitions (absent where there are none)

An earlier version wrote `a` in place of `c` and `s`: the instants at which the events were applied, one for
all of them or a list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct

from livesegments.core.event import Event, Transition
from livesegments.core.handed import Handed
from livesegments.store.encoded import Argument
from livesegments.wire.pack import Packed, decode

Derived: TypeAlias = tuple[int, Event]
"""(place of the causing event in its record, the event that was derived from it)."""

_encode = msgspec.msgpack.Encoder().encode
_places = msgspec.msgpack.Decoder(list[int])
_instant = msgspec.msgpack.Decoder(int)
_instants = msgspec.msgpack.Decoder(int | list[int])
_stamps = msgspec.msgpack.Decoder(list[tuple[int, int]])
_derived = msgspec.msgpack.Decoder(list[Derived])
_transitions = msgspec.msgpack.Decoder(list[Transition])


class Applied(Struct, frozen=True):
    """One event as it was applied: by commit `commit`, at `place` in it, when the clock was `at_ms`.

    `cause` is the id of the event that it was derived from, or None for one that came from outside.
    """

    event: Event
    at_ms: int
    commit: int
    place: int
    cause: str | None = None


class Entry(Struct, frozen=True):
    """One commit's part of history. `record` is None where no record was applied.

    `told`: the transitions in msgpack, as the outbox has them. `at_ms`: only where an earlier version
    wrote it.
    """

    record: bytes | None = None
    left_out: Sequence[int] = ()
    clock_ms: int = 0
    still: Sequence[int] = ()
    derived: Sequence[Derived] = ()
    told: bytes | None = None
    at_ms: int | Sequence[int] | None = None
    stamps: Sequence[tuple[int, int]] = ()

    @property
    def transitions(self) -> list[Transition]:
        return _transitions.decode(self.told) if self.told is not None else []


def encode(entry: Entry, told: bytes | None) -> list[Argument]:
    """The fields and values of a stream's entry, with the transitions as `told`; empty if there are none."""
    flat: list[Argument] = []
    if entry.record is not None:
        flat += ("r", entry.record, "c", _encode(entry.clock_ms))
        if entry.still:
            flat += ("s", _encode(entry.still))
        if entry.stamps:
            flat += ("m", _encode(entry.stamps))
        if entry.left_out:
            flat += ("x", _encode(entry.left_out))
        if entry.derived:
            flat += ("d", _encode(entry.derived))
    if told is not None:
        flat += ("t", told)
    return flat


def decode_fields(fields: Mapping[bytes, bytes]) -> Entry:
    """The entry that `encode` wrote. Raises msgspec.DecodeError where somebody else wrote it."""
    return Entry(
        record=fields.get(b"r"),
        left_out=_places.decode(fields[b"x"]) if b"x" in fields else (),
        clock_ms=_instant.decode(fields[b"c"]) if b"c" in fields else 0,
        still=_places.decode(fields[b"s"]) if b"s" in fields else (),
        derived=_derived.decode(fields[b"d"]) if b"d" in fields else (),
        told=fields.get(b"t"),
        at_ms=_instants.decode(fields[b"a"]) if b"a" in fields else None,
        stamps=_stamps.decode(fields[b"m"]) if b"m" in fields else (),
    )


def applied(commit: int, entry: Entry) -> Iterator[Applied]:
    """The events of one commit in their order of arrival, each followed by those derived from it."""
    if entry.record is None:
        return
    record = decode(entry.record)
    if not isinstance(record, Packed | Handed):
        return
    left_out, at_ms = frozenset(entry.left_out), instants(entry, record.events)
    derived: dict[int, list[Event]] = {}
    for index, event in entry.derived:
        derived.setdefault(index, []).append(event)
    place = 0
    for index, event in enumerate(record.events):
        if index in left_out:
            continue
        yield Applied(event, at_ms[index], commit, place)
        place += 1
        for each in derived.get(index, ()):
            yield Applied(each, at_ms[index], commit, place, event.id)
            place += 1


def instants(entry: Entry, events: Sequence[Event]) -> Sequence[int]:
    """The clock at each of the record's events: the instant at which it was applied, if it was."""
    if entry.at_ms is not None:
        return [entry.at_ms] * len(events) if isinstance(entry.at_ms, int) else entry.at_ms
    still, clock_ms, found = frozenset(entry.still), entry.clock_ms, list[int]()
    stamps = dict(entry.stamps)
    for place, event in enumerate(events):
        if stamps:
            clock_ms = max(clock_ms, stamps.get(place, clock_ms))
        if place not in still:
            clock_ms = max(clock_ms, event.time_ms)
        found.append(clock_ms)
    return found
