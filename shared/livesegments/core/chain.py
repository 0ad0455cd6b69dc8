"""Sequences whose steps are all events that must happen.

Nothing is taken back, so a complete sequence stays complete, and its first event can be let go: only the
span [enter, leave) in which it lies in the window is kept. First events that aren't complete yet wait
for an event that completes them; each does so once. A first event that leaves no later than a complete one
does decides nothing any more.

An event in order costs one bisection a step. A late one costs as much, and the work for what it completes.
Where `within` is in months, first events of up to `SLACK_MS` before the earliest that can be concerned are
looked at too.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

from livesegments.core import chunks
from livesegments.core.chunks import Chunks
from livesegments.core.entries import (
    at_least,
    bounded,
    descending,
    fitted,
    let_go,
    listed,
    put,
    remove,
    until,
    without,
)
from livesegments.core.event import Event
from livesegments.core.frame import Frame, span
from livesegments.core.kind import MAX_ENTRIES, Kind
from livesegments.core.rows import Rows
from livesegments.core.trail import SLACK_MS, Stamp, Stamps, earliest_after, latest_before
from livesegments.core.window import FOREVER, Shift, Span

B = TypeVar("B")


class Chain(Kind[B], Generic[B]):
    """A sequence. Its own `add` only notes a first event; `follow` goes on when all trails have the event.

    `months`: whether the window or `within` is in months, and so not quite monotone.
    """

    def __init__(self, shape: type[B], frame: Frame, within: Shift, months: bool) -> None:
        super().__init__(shape)
        self._decode_new = self.decode
        self.decode = self._decode_any
        self._frame, self._within = frame, within
        self._slack = 2 * SLACK_MS if months else 0

    @abstractmethod
    def follow(
        self, state: B, event: Event, first: bool, at: Collection[int], trails: Sequence[Stamps], now_ms: int
    ) -> None:
        """An event that matches the first step or not, and the later steps `at` (indices of `trails`)."""

    @abstractmethod
    def settle(self, state: B, trails: Sequence[Stamps], now_ms: int) -> None:
        """The clock alone comes to `now_ms`."""

    @abstractmethod
    def single(self, stamp: Stamp) -> B:
        """The state that a first event of the past leaves that nothing has followed, where the rest of its
        sequence is one event."""

    def begun(self, events: Sequence[Event], trails: Sequence[Stamps], now_ms: int) -> B | None:
        """The state of all first events, sorted by (time, id), with trails that are complete."""
        state: B | None = None
        trails = [listed(trail) for trail in trails]
        for event in events:
            state = self.add(state, event, now_ms)
            if state is not None:
                self.follow(state, event, True, (), trails, now_ms)
        return state

    def begun_rows(self, rows: Rows, trails: Sequence[Mapping[int, Stamps]], now_ms: int) -> dict[int, B]:
        """The same of many profiles: owner → state, where there is one; `trails`: owner → stamps."""
        found = {}
        for owner, first, end in rows.stretches():
            mine = [trail.get(owner, []) for trail in trails]
            state = self.begun(rows.events(first, end), mine, now_ms)
            if state is not None:
                found[owner] = state
        return found

    @abstractmethod
    def _from_old(self, firsts: list[Stamp], spans: list[Span]) -> B:
        """From the shape in which sequences were stored before: all first events, all spans."""

    def _decode_any(self, raw: Raw | bytes) -> B:
        if memoryview(raw)[0] == _ARRAY_OF_TWO:
            return self._from_old(*_OLD.decode(raw))
        return self._decode_new(raw)


_ARRAY_OF_TWO = 0x92
_OLD = msgspec.msgpack.Decoder(tuple[list[Stamp], list[Span]])


class Begun(Struct, array_like=True):
    """
    firsts   first events that nothing completes yet
    waiting  the spans of complete ones that are still to enter the window, ascending
    until    it holds until then, if that is not past
    """

    firsts: Stamps
    waiting: list[Span] | Chunks[Span]
    until: int


class Present(Chain[Begun]):
    """A sequence without an absent step."""

    def __init__(self, frame: Frame, within: Shift, months: bool) -> None:
        super().__init__(Begun, frame, within, months)

    def add(self, state: Begun | None, event: Event, now_ms: int) -> Begun | None:
        counted = span(self._frame, event.time_ms)
        if counted is None or counted[1] <= now_ms:
            return state
        state = state or Begun([], [], 0)
        if state.until < counted[1]:
            stamp = event.time_ms, event.id
            put(state.firsts, stamp, stamp)
            if len(state.firsts) > chunks.LISTED:
                state.firsts = bounded(state.firsts, MAX_ENTRIES)
        return state

    def follow(
        self,
        state: Begun,
        event: Event,
        first: bool,
        at: Collection[int],
        trails: Sequence[Stamps],
        now_ms: int,
    ) -> None:
        stamp = event.time_ms, event.id
        for index in at:
            before, end = latest_before(stamp, trails[:index]), earliest_after(stamp, trails[index + 1 :])
            if before is not None and end is not None:
                self._complete(state, before, end, now_ms)
        if first and state.firsts:
            end = earliest_after(stamp, trails)
            in_time = end is not None and end[0] <= self._within(event.time_ms)
            if in_time and at_least(state.firsts, stamp) == stamp:
                self._holds(state, stamp, now_ms)
                remove(state.firsts, stamp)
        self.settle(state, trails, now_ms)

    def single(self, stamp: Stamp) -> Begun:
        return Begun([stamp], [], 0)

    def _complete(self, state: Begun, before: Stamp, end: Stamp, now_ms: int) -> None:
        """Completes the first events before a stamp by a sequence that ends with `end`, if in time."""
        within, slack, gone = self._within, self._slack, list[Stamp]()
        for first in descending(state.firsts, before):
            last_ms = within(first[0])
            if last_ms >= end[0]:
                gone.append(first)
            elif last_ms + slack < end[0]:
                break
        for first in gone:
            self._holds(state, first, now_ms)
        if gone:
            state.firsts = without(state.firsts, gone)

    def _holds(self, state: Begun, first: Stamp, now_ms: int) -> None:
        counted = span(self._frame, first[0])
        assert counted is not None, "only such are noted"
        if counted[0] > now_ms:
            put(state.waiting, counted, counted)
            if len(state.waiting) > chunks.LISTED:
                state.waiting = bounded(state.waiting, MAX_ENTRIES)
        elif counted[1] > state.until:
            state.until = counted[1]

    def settle(self, state: Begun, trails: Sequence[Stamps], now_ms: int) -> None:
        self._enter(state, now_ms)
        done, firsts = max(state.until, now_ms), state.firsts
        if firsts and self._leave(firsts[0][0]) <= done:
            let_go(firsts, lambda time_ms: self._leave(time_ms) <= done)
            if not isinstance(firsts, list):
                state.firsts = fitted(firsts)

    def _enter(self, state: Begun, now_ms: int) -> None:
        waiting = state.waiting
        if waiting and waiting[0][0] <= now_ms:
            state.until = max(state.until, *(leave for _, leave in until(waiting, now_ms)))
            state.waiting = fitted(waiting)

    def _leave(self, time_ms: int) -> int:
        counted = span(self._frame, time_ms)
        return counted[1] if counted else 0

    def value(self, state: Begun | None, now_ms: int) -> bool:
        if state is None:
            return False
        self._enter(state, now_ms)
        return now_ms < state.until

    def next_ms(self, state: Begun | None, now_ms: int, edges: Sequence[int]) -> int | None:
        if state is None:
            return None
        if self.value(state, now_ms):
            return state.until if state.until < FOREVER else None
        return state.waiting[0][0] if state.waiting else None

    def _from_old(self, firsts: list[Stamp], spans: list[Span]) -> Begun:
        return Begun(firsts, sorted(spans), 0)
