"""Counts, the facts that most events feed.

A sliding count needs only the N largest `leave`s, N being the highest count that a condition asks about:
any other event has left the window before those N have, so it never decides. A late event is put in its
place among them. Nothing retracts, so an unbounded or absolute window needs one total.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from typing import Any

from livesegments.core.event import Event
from livesegments.core.kind import Added, Kind, State, edge_below
from livesegments.core.window import Absolute, Sliding


class CountEver(Kind):
    """State: how many."""

    def __init__(self, window: Absolute) -> None:
        self._from, self._to = window.from_ms, window.to_ms

    def add(self, state: State, event: Event, now_ms: int) -> State:
        if self._from <= event.time_ms < self._to:
            return (state or 0) + 1
        return state

    def value(self, state: State, now_ms: int) -> Any:
        return state or 0

    def next_ms(self, state: State, now_ms: int, edges: Sequence[int]) -> int | None:
        return None


class CountSliding(Kind):
    """State: the `depth` largest leaves, ascending."""

    def __init__(self, window: Sliding, depth: int) -> None:
        assert window.enter is None
        self._leave, self._depth = window.leave, depth

    def add(self, state: State, event: Event, now_ms: int) -> State:
        return self.added(state, event, now_ms, ())[0]

    def added(self, state: State, event: Event, now_ms: int, edges: Sequence[int]) -> Added:
        leave = self._leave(event.time_ms)
        if state:
            if state[0] <= now_ms:
                del state[: bisect_right(state, now_ms)]
            old = len(state)
        else:
            if leave <= now_ms:
                return state, 0, 0, None
            state, old = [], 0
        new = old
        if leave > now_ms:
            if not old or leave >= state[-1]:
                state.append(leave)
            else:
                insort(state, leave)
            if old == self._depth:
                del state[0]
            else:
                new += 1
        at = bisect_right(edges, new)
        return state, old, new, state[-edges[at - 1]] if at and new else None

    def value(self, state: State, now_ms: int) -> Any:
        if not state:
            return 0
        return len(state) if state[0] > now_ms else len(state) - bisect_right(state, now_ms)

    def next_ms(self, state: State, now_ms: int, edges: Sequence[int]) -> int | None:
        edge = edge_below(edges, self.value(state, now_ms))
        return int(state[-edge]) if edge else None
