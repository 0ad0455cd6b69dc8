"""A measure over a window: one total where nothing leaves, a bag of entries where the window slides.

Entries still waiting to enter (`skip`) are all kept: it isn't known yet which of them will matter. `value`
and `next_ms` settle the bag (move entered entries in, drop those that have left), and so must be asked
with instants that never go back. An entry goes in once and out once, at its place by bisection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic

from livesegments.core import chunks
from livesegments.core.entries import Entries, fitted, pop_first, put, remove_one, until
from livesegments.core.event import Event
from livesegments.core.exact import exact
from livesegments.core.fold import Average, Bagged, Extreme, Of, P, Sum, T, moment
from livesegments.core.frame import Absolute, Sliding, span
from livesegments.core.kind import MAX_ENTRIES, Kept, Kind, edge_below
from livesegments.core.rows import Rows


class Ever(Kind[T], Generic[P, T]):
    """Any measure over an absolute window. State: the total."""

    def __init__(self, of: Of[P, T], window: Absolute) -> None:
        super().__init__(of.total)
        self._of, self._from, self._to = of, window.from_ms, window.to_ms

    def add(self, state: T | None, event: Event, now_ms: int) -> T | None:
        if self._from <= event.time_ms < self._to:
            for payload in self._of.payloads(event):
                state = self._of.merge(state, payload)
        return state

    def without(self, state: T, events: Sequence[Event], rest: T | None, now_ms: int) -> T | None:
        if not isinstance(self._of, Sum | Average):
            raise Kept
        left: T | None = state
        for event in events:
            if self._from <= event.time_ms < self._to:
                for payload in self._of.payloads(event):
                    left = self._of.unmerge(left, payload)
        return left

    def value(self, state: T | None, now_ms: int) -> Any:
        return self._of.read(state)

    def next_ms(self, state: T | None, now_ms: int, edges: Sequence[int]) -> int | None:
        return None


class Bag(Kind[Bagged[P, T]], Generic[P, T]):
    """Any measure over a sliding window."""

    def __init__(self, of: Of[P, T], window: Sliding) -> None:
        super().__init__(Bagged[of.payload, of.beside])  # type: ignore[name-defined]
        self._of, self._window = of, window
        self._totals = isinstance(of, Sum | Average)
        self._first = isinstance(of, Extreme)

    def add(self, state: Bagged[P, T] | None, event: Event, now_ms: int) -> Bagged[P, T] | None:
        if state is not None:
            self._settle(state, now_ms)
        return self._add(state, event, now_ms)

    def added(
        self, state: Bagged[P, T] | None, event: Event, now_ms: int, edges: Sequence[int]
    ) -> tuple[Bagged[P, T] | None, Any, Any, int | None]:
        if state is None:
            old = self._of.read(None)
        else:
            self._settle(state, now_ms)
            old = self._read(state)
        state = self._add(state, event, now_ms)
        if state is None:
            return None, old, old, None
        return state, old, self._read(state), self._next(state, edges)

    def of_all(self, events: Sequence[Event], now_ms: int) -> Bagged[P, T] | None:
        if not self._totals or self._window.enter is not None or len(events) > MAX_ENTRIES:
            return super().of_all(events, now_ms)
        leave, payloads = self._window.leave, self._of.payloads
        inside: list[tuple[int, P]] = []
        for event in events:
            leaves = leave(event.time_ms)
            if leaves > now_ms:
                for payload in payloads(event):
                    inside.append((leaves, payload))
        if not inside:
            return None
        total = self._of.together([payload for _, payload in inside])
        inside.sort(key=moment)
        return Bagged(fitted(inside), [], total)

    def of_rows(self, rows: Rows, now_ms: int) -> dict[int, Bagged[P, T]]:
        of = self._of
        if not isinstance(of, Sum) or self._window.enter is not None:
            return super().of_rows(rows, now_ms)
        leaves, payloads, found = self._window.leaves(rows.times), of.of_rows(rows), dict[int, Any]()
        for owner, first, end in rows.stretches():
            if end - first > MAX_ENTRIES:
                state = self.of_all(rows.events(first, end), now_ms)
                if state is not None:
                    found[owner] = state
                continue
            inside = [
                (leave, payload)
                for leave, payload in zip(leaves[first:end], payloads[first:end], strict=True)
                if leave > now_ms and payload is not None
            ]
            if inside:
                inside.sort(key=moment)
                found[owner] = Bagged(fitted(inside), [], of.together([payload for _, payload in inside]))
        return found

    def without(
        self, state: Bagged[P, T], events: Sequence[Event], rest: Bagged[P, T] | None, now_ms: int
    ) -> Bagged[P, T] | None:
        self._settle(state, now_ms)
        if not self._totals or len(state.inside) >= MAX_ENTRIES or len(state.waiting) >= MAX_ENTRIES:
            raise Kept
        for event in events:
            counted = span(self._window, event.time_ms)
            if counted is None or counted[1] <= now_ms:
                continue
            enter, leave = counted
            for payload in self._of.payloads(event):
                if enter > now_ms:
                    _take(state.waiting, enter, payload)
                else:
                    _take(state.inside, leave, payload)
                    state.total = self._of.unmerge(state.total, payload)
        return state

    def _add(self, state: Bagged[P, T] | None, event: Event, now_ms: int) -> Bagged[P, T] | None:
        """To a state that is settled; it stays so."""
        counted = span(self._window, event.time_ms)
        if counted is None or counted[1] <= now_ms:
            return state
        payloads = self._of.payloads(event)
        if not payloads:
            return state
        if state is None:
            state = Bagged([], [], None)
        enter, leave = counted
        for payload in payloads:
            if enter > now_ms:
                put(state.waiting, (enter, leave, payload), (enter + 1,))
                if len(state.waiting) > chunks.LISTED:
                    state.waiting = fitted(state.waiting)
                    if len(state.waiting) > MAX_ENTRIES:
                        pop_first(state.waiting, len(state.waiting) - MAX_ENTRIES)
            else:
                self._enter(state, leave, payload)
        return state

    def _enter(self, state: Bagged[P, T], leave: int, payload: P) -> None:
        self._of.put(state, leave, payload)
        if len(state.inside) > chunks.LISTED:
            if isinstance(state.inside, list):
                self._of.spread(state)
                state.inside = fitted(state.inside)
            if len(state.inside) > MAX_ENTRIES:
                self._left(state, pop_first(state.inside, len(state.inside) - MAX_ENTRIES))

    def _left(self, state: Bagged[P, T], gone: Sequence[tuple[int, P]]) -> None:
        for leave, payload in gone:
            self._of.left(state, leave, payload)
        if not isinstance(state.inside, list) and len(state.inside) <= chunks.FEW:
            state.inside = fitted(state.inside)
            self._of.gathered(state)

    def _settle(self, state: Bagged[P, T], now_ms: int) -> None:
        if state.waiting and state.waiting[0][0] <= now_ms:
            for _, leave, payload in until(state.waiting, now_ms):
                self._enter(state, leave, payload)
            if not isinstance(state.waiting, list):
                state.waiting = fitted(state.waiting)
        if state.inside and state.inside[0][0] <= now_ms:
            self._left(state, until(state.inside, now_ms))

    def value(self, state: Bagged[P, T] | None, now_ms: int) -> Any:
        if state is None:
            return self._of.read(None)
        self._settle(state, now_ms)
        return self._read(state)

    def _read(self, state: Bagged[P, T]) -> Any:
        if self._of.counts:
            return len(state.inside)
        if self._first:
            return self._of.read(state.inside[0][1] if state.inside else None)  # type: ignore[arg-type]
        return self._of.read(state.total)

    def next_ms(self, state: Bagged[P, T] | None, now_ms: int, edges: Sequence[int]) -> int | None:
        if state is None:
            return None
        self._settle(state, now_ms)
        return self._next(state, edges)

    def _next(self, state: Bagged[P, T], edges: Sequence[int]) -> int | None:
        inside, waiting = state.inside, state.waiting
        if self._of.counts and not waiting:
            edge = edge_below(edges, len(inside))
            return inside[-edge][0] if edge else None
        if not waiting:
            return inside[0][0] if inside else None
        return min(waiting[0][0], inside[0][0]) if inside else waiting[0][0]


def _take(entries: Entries[Any], moves_ms: int, payload: Any) -> None:
    """Takes out an entry, by the instant at which it moves, and an equal payload. Raises Kept."""
    wanted = _plain(payload)
    if not remove_one(entries, moves_ms, lambda entry: _plain(entry[-1]) == wanted):
        raise Kept


def _plain(payload: Any) -> Any:
    """A sum, or a sum and a number of numbers, so that equal ones compare equal however they are held."""
    return (exact(payload[0]), payload[1]) if isinstance(payload, tuple) else exact(payload)
