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
from bisect import bisect_left, insort
from collections.abc import Collection, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

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

    def begun(self, events: Sequence[Event], trails: Sequence[Stamps], now_ms: int) -> B | None:
        """The state of all first events, sorted by (time, id), with trails that are complete."""
        state: B | None = None
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
    def _from_old(self, firsts: Stamps, spans: list[Span]) -> B:
        """From the shape in which sequences were stored before: all first events, all spans."""

    def _decode_any(self, raw: Raw | bytes) -> B:
        if memoryview(raw)[0] == _ARRAY_OF_TWO:
            return self._from_old(*_OLD.decode(raw))
        return self._decode_new(raw)


_ARRAY_OF_TWO = 0x92
_OLD = msgspec.msgpack.Decoder(tuple[Stamps, list[Span]])


class Begun(Struct, array_like=True):
    """
    firsts   first events that nothing completes yet
    waiting  the spans of complete ones that are still to enter the window, ascending
    until    it holds until then, if that is not past
    """

    firsts: Stamps
    waiting: list[Span]
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
            insort(state.firsts, (event.time_ms, event.id))
            del state.firsts[:-MAX_ENTRIES]
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
                self._complete(state, bisect_left(state.firsts, before), end, now_ms)
        if first and state.firsts:
            end = earliest_after(stamp, trails)
            place = bisect_left(state.firsts, stamp)
            if end is not None and place < len(state.firsts) and state.firsts[place] == stamp:
                self._complete(state, place + 1, end, now_ms, place)
        self.settle(state, trails, now_ms)

    def _complete(self, state: Begun, stop: int, end: Stamp, now_ms: int, start: int = 0) -> None:
        """Completes the first events [start, stop) by a sequence that ends with `end`, if in time."""
        firsts, within, slack = state.firsts, self._within, self._slack
        low, kept = stop, Stamps()
        while low > start:
            first = firsts[low - 1]
            last_ms = within(first[0])
            if last_ms >= end[0]:
                self._holds(state, first, now_ms)
            elif last_ms + slack < end[0]:
                break
            else:
                kept.append(first)
            low -= 1
        firsts[low:stop] = reversed(kept)

    def _holds(self, state: Begun, first: Stamp, now_ms: int) -> None:
        counted = span(self._frame, first[0])
        assert counted is not None, "only such are noted"
        if counted[0] > now_ms:
            insort(state.waiting, counted)
            del state.waiting[:-MAX_ENTRIES]
        elif counted[1] > state.until:
            state.until = counted[1]

    def settle(self, state: Begun, trails: Sequence[Stamps], now_ms: int) -> None:
        self._enter(state, now_ms)
        done, firsts = max(state.until, now_ms), state.firsts
        past = 0
        while past < len(firsts) and self._leave(firsts[past]) <= done:
            past += 1
        del firsts[:past]

    def _enter(self, state: Begun, now_ms: int) -> None:
        waiting, entered = state.waiting, 0
        while entered < len(waiting) and waiting[entered][0] <= now_ms:
            state.until = max(state.until, waiting[entered][1])
            entered += 1
        del waiting[:entered]

    def _leave(self, first: Stamp) -> int:
        counted = span(self._frame, first[0])
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

    def _from_old(self, firsts: Stamps, spans: list[Span]) -> Begun:
        return Begun(firsts, sorted(spans), 0)
