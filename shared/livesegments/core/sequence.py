"""Sequences: conditions on which events came after which.

A sequence is kept in parts. A trail holds the stamps (time, id) of the events that match a later step;
sequences with an equal step and window share it. A chain holds the stamps of the first step, and the
spans [enter, leave) of every first event e1 from which the sequence is complete. So a common event that
ends a thousand sequences (an order ends every abandoned cart) is written once, and only the chains that
the profile has begun are looked at. Which stamps can still matter:
- without an absent step a complete chain stays complete (nothing retracts): its span is kept, and while
  it is in the window only first events that leave later matter; with no sliding window, nothing more;
- with one, a late event may still break a chain or mend it, so all in the window are kept;
- a later step's stamp matters while an e1 before it can be in the window. ⊕ with months is monotone
  but for clipping at a month's end and clock changes, which `SLACK_MS` covers.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from typing import Any, TypeAlias

from livesegments.core.event import Event
from livesegments.core.kind import MAX_ENTRIES, Kind, State
from livesegments.core.window import DAY_MS, FOREVER, Frame, Shift, Sliding, Span, span

SLACK_MS = 4 * DAY_MS
Stamp: TypeAlias = list[Any]
"""[time in ms, event id]; a list because that is what msgpack gives back."""


class Trail(Kind):
    """State: the stamps of the events of a later step, ascending. Only chains read it."""

    def __init__(self, frame: Frame, within: Shift) -> None:
        self._frame, self._within = frame, within

    def add(self, state: State, event: Event, now_ms: int) -> State:
        if not self._wanted(event.time_ms, now_ms):
            return state
        stamps = state or []
        insort(stamps, [event.time_ms, event.id])
        past = 0
        while past < len(stamps) and not self._wanted(stamps[past][0], now_ms):
            past += 1
        del stamps[: max(past, len(stamps) - MAX_ENTRIES)]
        return stamps

    def _wanted(self, time_ms: int, now_ms: int) -> bool:
        if isinstance(self._frame, Sliding):
            return self._frame.leave(time_ms) + SLACK_MS > now_ms
        return self._frame.from_ms <= time_ms <= self._within(self._frame.to_ms) + SLACK_MS

    def value(self, state: State, now_ms: int) -> Any:
        return None

    def next_ms(self, state: State, now_ms: int, edges: Sequence[int]) -> int | None:
        return None


class Chain(Kind):
    """State: [stamps of the first step, spans]; `DONE` once it can never be false again."""

    def __init__(self, frame: Frame, within: Shift, absent: bool) -> None:
        self._frame, self._within, self._absent = frame, within, absent

    def add(self, state: State, event: Event, now_ms: int) -> State:
        """Only notes a first step: `retrace` completes it, once all trails have the event too."""
        counted = span(self._frame, event.time_ms)
        if counted is None or counted[1] <= now_ms or state == DONE:
            return state
        firsts, _ = state = state or [[], []]
        insort(firsts, [event.time_ms, event.id])
        del firsts[:-MAX_ENTRIES]
        return state

    def retrace(self, state: State, trails: Sequence[list[Stamp]], now_ms: int) -> State:
        """The state with its spans as the trails of steps 2, 3, … have them now."""
        if state is None or state == DONE:
            return state
        firsts, spans = state
        found = self._spans(firsts, trails, now_ms)
        if not self._absent:
            if any(leave >= FOREVER for _, leave in found):
                return DONE
            found = sorted({*((enter, leave) for enter, leave in spans), *found})
        gone = self._settled(found, now_ms)
        spans = [[enter, leave] for enter, leave in found if leave > now_ms and leave >= gone][-MAX_ENTRIES:]
        if isinstance(self._frame, Sliding):
            leave_of = self._frame.leave
            firsts = [stamp for stamp in firsts if leave_of(stamp[0]) > gone]
        return [firsts, spans]

    def _spans(self, firsts: list[Stamp], trails: Sequence[list[Stamp]], now_ms: int) -> list[Span]:
        found: list[Span] = []
        for first in firsts:
            counted = span(self._frame, first[0])
            if counted is None or counted[1] <= now_ms:
                continue
            enter, leave = counted
            if self._absent:
                enter = max(enter, self._within(first[0]))
            if enter < leave and self._complete(first, trails):
                found.append((enter, leave))
        return found

    def _complete(self, first: Stamp, trails: Sequence[list[Stamp]]) -> bool:
        end = [self._within(first[0]) + 1, ""]
        positives = trails[:-1] if self._absent else trails
        at = first
        for stamps in positives:
            index = bisect_right(stamps, at)
            if index == len(stamps) or stamps[index] >= end:
                return False
            at = stamps[index]
        if not self._absent:
            return True
        if positives:
            # The latest end of a chain leaves the least time in which the absent event could come.
            at = positives[-1][bisect_left(positives[-1], end) - 1]
        index = bisect_right(trails[-1], at)
        return index == len(trails[-1]) or trails[-1][index] >= end

    def _settled(self, spans: list[Span], now_ms: int) -> int:
        """First events that leave by then decide nothing: a complete one is in the window throughout."""
        if self._absent:
            return now_ms
        return max((leave for enter, leave in spans if enter <= now_ms), default=now_ms)

    def value(self, state: State, now_ms: int) -> Any:
        return state is not None and any(enter <= now_ms < leave for enter, leave in state[1])

    def next_ms(self, state: State, now_ms: int, edges: Sequence[int]) -> int | None:
        if state is None:
            return None
        moves = (move for part in state[1] for move in part if now_ms < move < FOREVER)
        return min(moves, default=None)


DONE = [[], [[0, FOREVER]]]
