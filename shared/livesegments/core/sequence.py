"""Occurrences and sequences: conditions on which events came when, rather than how many.

An occurrence keeps the first (last) matching event by (time, id) and the span of its window.

A sequence keeps, per step, the stamps (time, id) of matching events, and the spans [enter, leave) of
every first event e1 from which a chain is complete. Which stamps can still matter:
- without an absent step a complete chain stays complete (nothing retracts): its span is kept, and while
  it is in the window only first events that leave later matter; with no sliding window, nothing more;
- with one, a late event may still break a chain or mend it, so all in the window are kept;
- a later step's stamp matters while an e1 before it can be in the window. ⊕ with months is monotone
  but for clipping at a month's end and clock changes, which `SLACK_MS` covers.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from livesegments.core.event import Event
from livesegments.core.measure import MAX_ENTRIES, State
from livesegments.core.window import DAY_MS, FOREVER, Frame, Shift, Sliding, Span, span

SLACK_MS = 4 * DAY_MS
Match: TypeAlias = Callable[[Event], bool]
Stamp: TypeAlias = list[Any]
"""[time in ms, event id]; a list because that is what msgpack gives back."""


class Occurrence:
    """State: [time, id, enter, leave] of the first or last matching event; enter = leave if never in."""

    def __init__(self, frame: Frame, last: bool) -> None:
        self._frame, self._last = frame, last

    def add(self, state: State, event: Event, now_ms: int) -> State:
        stamp = [event.time_ms, event.id]
        if state is not None and (stamp < state[:2]) == self._last:
            return state
        enter, leave = span(self._frame, event.time_ms) or (0, 0)
        return [*stamp, enter, leave]

    def value(self, state: State, now_ms: int) -> Any:
        return state is not None and state[2] <= now_ms < state[3]

    def next_ms(self, state: State, now_ms: int, edges: Sequence[int]) -> int | None:
        if state is None:
            return None
        _, _, enter, leave = state
        if now_ms < enter < leave:
            return int(enter)
        return int(leave) if now_ms < leave < FOREVER else None


class Chain:
    """State: [stamps per step, spans], or [[], [[0, FOREVER]]] once it can never be false again."""

    def __init__(self, frame: Frame, matches: Sequence[Match], within: Shift, absent: bool) -> None:
        self._frame, self._matches, self._within, self._absent = frame, matches, within, absent

    def add(self, state: State, event: Event, now_ms: int) -> State:
        if state is not None and not state[0]:
            return state
        steps, spans = state or [[[] for _ in self._matches], []]
        stamp = [event.time_ms, event.id]
        placed = False
        for index, match in enumerate(self._matches):
            if match(event) and self._wanted(index, event.time_ms, now_ms):
                insort(steps[index], stamp)
                del steps[index][:-MAX_ENTRIES]
                placed = True
        if not placed:
            return state
        found = self._spans(steps, now_ms)
        if not self._absent:
            if any(leave >= FOREVER for _, leave in found):
                return [[], [[0, FOREVER]]]
            found = sorted({*((enter, leave) for enter, leave in spans), *found})
        gone = self._settled(found, now_ms)
        spans = [[enter, leave] for enter, leave in found if leave > now_ms and leave >= gone]
        self._prune(steps, gone)
        return [steps, spans] if spans or any(steps) else None

    def _wanted(self, index: int, time_ms: int, now_ms: int) -> bool:
        counted = span(self._frame, time_ms)
        if index == 0:
            return counted is not None and counted[1] > now_ms
        if isinstance(self._frame, Sliding):
            return self._frame.leave(time_ms) + SLACK_MS > now_ms
        return time_ms >= self._frame.from_ms

    def _spans(self, steps: list[list[Stamp]], now_ms: int) -> list[Span]:
        found: list[Span] = []
        for first in steps[0]:
            counted = span(self._frame, first[0])
            if counted is None or counted[1] <= now_ms:
                continue
            enter, leave = counted
            if self._absent:
                enter = max(enter, self._within(first[0]))
            if enter < leave and self._complete(first, steps):
                found.append((enter, leave))
        return found

    def _complete(self, first: Stamp, steps: list[list[Stamp]]) -> bool:
        end = [self._within(first[0]) + 1, ""]
        positives = steps[:-1] if self._absent else steps
        at = first
        for stamps in positives[1:]:
            index = bisect_right(stamps, at)
            if index == len(stamps) or stamps[index] >= end:
                return False
            before, at = at, stamps[index]
        if not self._absent:
            return True
        if len(positives) > 1:
            # The latest end of a chain leaves the least time in which the absent event could come.
            at = positives[-1][bisect_left(positives[-1], end) - 1]
            assert at > before
        index = bisect_right(steps[-1], at)
        return index == len(steps[-1]) or steps[-1][index] >= end

    def _settled(self, spans: list[Span], now_ms: int) -> int:
        """First events that leave by then decide nothing: a complete one is in the window throughout."""
        if self._absent:
            return now_ms
        return max((leave for enter, leave in spans if enter <= now_ms), default=now_ms)

    def _prune(self, steps: list[list[Stamp]], gone: int) -> None:
        if isinstance(self._frame, Sliding):
            leave = self._frame.leave
            steps[0][:] = [stamp for stamp in steps[0] if leave(stamp[0]) > gone]
            for stamps in steps[1:]:
                stamps[:] = [stamp for stamp in stamps if leave(stamp[0]) + SLACK_MS > gone]

    def value(self, state: State, now_ms: int) -> Any:
        return state is not None and any(enter <= now_ms < leave for enter, leave in state[1])

    def next_ms(self, state: State, now_ms: int, edges: Sequence[int]) -> int | None:
        if state is None:
            return None
        moves = (move for part in state[1] for move in part if now_ms < move < FOREVER)
        return min(moves, default=None)
