"""The events of a packed record as long as nobody has looked at one: the native kernel reads them itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, overload

from livesegments.core.event import Event
from livesegments.wire.pack import Packed, decode

if TYPE_CHECKING:
    from livesegments.evaluator.kernel import _native


class Unread(Sequence[Event]):
    """`record` has checked that the decoder takes `data` in; it is decoded once somebody wants an event."""

    def __init__(self, record: _native.Record, data: bytes) -> None:
        self.record = record
        self._data = data

    @property
    def workspaces(self) -> Collection[str]:
        return self.record.workspaces

    @cached_property
    def _events(self) -> Sequence[Event]:
        packed = decode(self._data)
        assert isinstance(packed, Packed)
        return packed.events

    def __len__(self) -> int:
        return len(self.record)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    @overload
    def __getitem__(self, at: int) -> Event: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Event]: ...
    def __getitem__(self, at: int | slice) -> Event | Sequence[Event]:
        return self._events[at]


def workspaces_of(events: Sequence[Event]) -> set[str]:
    return set(events.workspaces) if isinstance(events, Unread) else {event.workspace for event in events}


def latest_ms(events: Sequence[Event]) -> int | None:
    """The latest instant of the events."""
    if isinstance(events, Unread):
        return events.record.latest_ms
    return max((event.time_ms for event in events), default=None)
