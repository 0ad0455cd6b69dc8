"""A measure over a window: one total where nothing leaves, a bag of entries where the window slides.

Entries still waiting to enter (`skip`) are all kept: which of them will matter isn't known yet. `value`
and `next_ms` settle the bag (move entered entries in, drop those that have left), and so must be asked
with instants that never go back.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from typing import Any

from livesegments.core.event import Event
from livesegments.core.fold import Average, Extreme, Of, Sum
from livesegments.core.kind import MAX_ENTRIES, Kind, State, edge_below
from livesegments.core.window import Absolute, Sliding, span


class Ever(Kind):
    """Any measure over an absolute window. State: the total."""

    def __init__(self, of: Of, window: Absolute) -> None:
        self._of, self._from, self._to = of, window.from_ms, window.to_ms

    def add(self, state: State, event: Event, now_ms: int) -> State:
        if self._from <= event.time_ms < self._to:
            for payload in self._of.payloads(event):
                state = self._of.merge(state, payload)
        return state

    def value(self, state: State, now_ms: int) -> Any:
        return self._of.read(state)

    def next_ms(self, state: State, now_ms: int, edges: Sequence[int]) -> int | None:
        return None


class Bag(Kind):
    """Any measure over a sliding window.

    State: [inside, waiting, total]; inside [leave, payload] ascending by leave, waiting [enter, leave,
    payload] ascending by enter, total that of the payloads inside (of sums and averages).
    """

    def __init__(self, of: Of, window: Sliding) -> None:
        self._of, self._window = of, window
        self._totals = isinstance(of, Sum | Average)
        self._first = isinstance(of, Extreme)

    def add(self, state: State, event: Event, now_ms: int) -> State:
        counted = span(self._window, event.time_ms)
        if counted is None or counted[1] <= now_ms:
            return state
        payloads = self._of.payloads(event)
        if not payloads:
            return state
        state = state or [[], [], None]
        self._settle(state, now_ms)
        enter, leave = counted
        for payload in payloads:
            if enter > now_ms:
                insort(state[1], [enter, leave, payload], key=_at)
                del state[1][:-MAX_ENTRIES]
            else:
                self._enter(state, leave, payload)
        self._prune(state)
        return state

    def _enter(self, state: State, leave: int, payload: Any) -> None:
        insort(state[0], [leave, payload], key=_at)
        if self._totals:
            state[2] = self._of.merge(state[2], payload)

    def _prune(self, state: State) -> None:
        """Drops what can't matter before what is beyond the bound."""
        self._of.prune(state[0])
        if len(state[0]) > MAX_ENTRIES:
            self._leave(state, len(state[0]) - MAX_ENTRIES)

    def _leave(self, state: State, count: int) -> None:
        if self._totals:
            for _, payload in state[0][:count]:
                state[2] = self._of.unmerge(state[2], payload)
        del state[0][:count]

    def _settle(self, state: State, now_ms: int) -> None:
        inside, waiting, _ = state
        if waiting and waiting[0][0] <= now_ms:
            entered = bisect_right(waiting, now_ms, key=_at)
            for _, leave, payload in waiting[:entered]:
                self._enter(state, leave, payload)
            del waiting[:entered]
            self._prune(state)
        if inside and inside[0][0] <= now_ms:
            self._leave(state, bisect_right(inside, now_ms, key=_at))

    def value(self, state: State, now_ms: int) -> Any:
        if not state:
            return self._of.read(None)
        self._settle(state, now_ms)
        inside, _, total = state
        if self._of.counts:
            return len(inside)
        if self._first:
            return self._of.read(inside[0][1] if inside else None)
        return self._of.read(total)

    def next_ms(self, state: State, now_ms: int, edges: Sequence[int]) -> int | None:
        if not state:
            return None
        self._settle(state, now_ms)
        inside, waiting, _ = state
        if self._of.counts and not waiting:
            edge = edge_below(edges, len(inside))
            return int(inside[-edge][0]) if edge else None
        return min((entries[0][0] for entries in (inside, waiting) if entries), default=None)


def _at(entry: list[Any]) -> int:
    return int(entry[0])
