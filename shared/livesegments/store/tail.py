"""The tail: what a partition's newest commits applied, until the archive has it.

A commit that changes history writes one entry of the stream `{p}:tail` in the same script call, with its own
number as the entry's id. So history and the state that it led to can't come apart. The packed record travels
as the bytes that came, which costs a copy and no encoding:

  r  the packed record's bytes (absent where the clock alone did something)
  x  msgpack: the places in it that were not applied (repeats, refused events, unknown workspaces)
  a  msgpack: the clock at which its events were applied; one instant in ms, or a list with one an event
  d  msgpack: derived events, as [place of the cause, event]
  t  msgpack: transitions (absent where there are none)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct

from livesegments.core.event import Event, Transition
from livesegments.store.lane import Argument
from livesegments.wire.pack import Packed, decode

Derived: TypeAlias = tuple[int, Event]
"""(place of the causing event in its record, the event that was derived from it)."""

_encode = msgspec.msgpack.Encoder().encode
_places = msgspec.msgpack.Decoder(list[int])
_instants = msgspec.msgpack.Decoder(int | list[int])
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

    `told`: the transitions in msgpack, as the outbox has them.
    """

    record: bytes | None = None
    left_out: Sequence[int] = ()
    at_ms: int | Sequence[int] = 0
    derived: Sequence[Derived] = ()
    told: bytes | None = None

    @property
    def transitions(self) -> list[Transition]:
        return _transitions.decode(self.told) if self.told is not None else []


def encode(entry: Entry, told: bytes | None) -> list[Argument]:
    """The fields and values of a stream's entry, with the transitions as `told`; empty if there are none."""
    flat: list[Argument] = []
    if entry.record is not None:
        flat += ("r", entry.record, "a", _encode(entry.at_ms))
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
        at_ms=_instants.decode(fields[b"a"]) if b"a" in fields else 0,
        derived=_derived.decode(fields[b"d"]) if b"d" in fields else (),
        told=fields.get(b"t"),
    )


def applied(commit: int, entry: Entry) -> Iterator[Applied]:
    """The events of one commit in their order of arrival, each followed by those derived from it."""
    if entry.record is None:
        return
    record = decode(entry.record)
    if not isinstance(record, Packed):
        return
    left_out = frozenset(entry.left_out)
    derived: dict[int, list[Event]] = {}
    for index, event in entry.derived:
        derived.setdefault(index, []).append(event)
    place = 0
    for index, event in enumerate(record.events):
        if index in left_out:
            continue
        at_ms = entry.at_ms if isinstance(entry.at_ms, int) else entry.at_ms[index]
        yield Applied(event, at_ms, commit, place)
        place += 1
        for each in derived.get(index, ()):
            yield Applied(each, at_ms, commit, place, event.id)
            place += 1
