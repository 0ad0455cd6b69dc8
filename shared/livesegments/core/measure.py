"""What an event condition measures: the state kept for it, its value, its next change by the clock.

The invariants:
- State holds what can still matter and no more. A sliding count needs only the N largest `leave`s, N
  being the highest count that a condition asks about: any other event has left the window before those N
  have, so it never decides. A late event is put in its place among them. The same holds for days and
  distinct values with the largest `leave` of each; for min and max an entry is dropped once another
  is at least as extreme and leaves no earlier. Sums and averages keep every entry in the window.
- Entries still waiting to enter (`skip`) are all kept: which of them will matter isn't known yet.
- Nothing retracts, so what is ever true of an unbounded or absolute window needs one total.
- `value` and `next_ms` take the instant; they settle (move entered entries in, drop those that have
  left), and so must be asked with instants that never go back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from datetime import tzinfo
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

from livesegments.core import exact
from livesegments.core.definition import Measure
from livesegments.core.event import Event
from livesegments.core.value import flat, key, kind, walk
from livesegments.core.where import path_of
from livesegments.core.window import Absolute, Frame, Sliding, local_day, span

State: TypeAlias = Any
"""What msgpack can carry: ints, lists, decimals as strings. None is a fact without events."""
Amount: TypeAlias = int | exact.Exact | Fraction

MAX_ENTRIES = 10_000
"""The bound of one fact's entries; beyond it those that leave soonest are given up."""


Added: TypeAlias = tuple[State, Any, Any, int | None]
"""What adding an event did: the new state, the value before, the value after, the next due instant."""


class Kind(ABC):
    """How one kind of fact keeps its state.

    `edges`: ascending counts n at which some condition's truth differs between n - 1 and n.
    """

    @abstractmethod
    def add(self, state: State, event: Event, now_ms: int) -> State:
        """The state with a matching event in it; may change and return the one given."""

    @abstractmethod
    def value(self, state: State, now_ms: int) -> Any:
        """What conditions compare: an amount, or None where undefined; a boolean for the rest."""

    @abstractmethod
    def next_ms(self, state: State, now_ms: int, edges: Sequence[int]) -> int | None:
        """The next instant at which the clock alone may change what a condition sees."""

    def added(self, state: State, event: Event, now_ms: int, edges: Sequence[int]) -> Added:
        """All three at once; the counts, which most events feed, have a quicker way."""
        old = self.value(state, now_ms)
        state = self.add(state, event, now_ms)
        return state, old, self.value(state, now_ms), self.next_ms(state, now_ms, edges)


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
        edge = _edge(edges, self.value(state, now_ms))
        return int(state[-edge]) if edge else None


def _edge(edges: Sequence[int], count: int) -> int:
    """The highest edge that `count` has reached: falling below it is the next thing that matters."""
    at = bisect_right(edges, count)
    return edges[at - 1] if at else 0


class Of(Protocol):
    """A measure other than count, as a fold over the payloads of its entries."""

    counts: bool
    """Payloads are keys and the value is how many differ."""

    def payloads(self, event: Event) -> list[Any]: ...
    def merge(self, total: Any, payload: Any) -> Any: ...
    def read(self, total: Any) -> Amount | None: ...
    def prune(self, inside: list[list[Any]]) -> None:
        """Drops from entries [leave, payload], ascending by leave, those that can't matter again."""


class Keys:
    """Days and distinct values. A total is the sorted keys, no more than `depth`."""

    counts = True

    def __init__(self, payloads: Callable[[Event], list[Any]], depth: int) -> None:
        self.payloads = payloads
        self._depth = depth

    def merge(self, total: Any, payload: Any) -> Any:
        total = total if total is not None else []
        if payload not in total and len(total) < self._depth:
            insort(total, payload)
        return total

    def read(self, total: Any) -> Amount | None:
        return len(total) if total else 0

    def prune(self, inside: list[list[Any]]) -> None:
        seen: set[Any] = set()
        for index in range(len(inside) - 1, -1, -1):
            payload = inside[index][1]
            if payload in seen or len(seen) == self._depth:
                del inside[index]
            else:
                seen.add(payload)


class Sum:
    """A payload is the exact sum of one event's numbers."""

    counts = False

    def __init__(self, numbers: Callable[[Event], list[exact.Exact]]) -> None:
        self._numbers = numbers

    def payloads(self, event: Event) -> list[Any]:
        total: exact.Exact = 0
        for number in self._numbers(event):
            total = exact.add(total, number)
        return [total] if total else []

    def merge(self, total: Any, payload: Any) -> Any:
        return exact.add(exact.exact(total or 0), exact.exact(payload))

    def read(self, total: Any) -> Amount | None:
        return exact.exact(total or 0)

    def prune(self, inside: list[list[Any]]) -> None:
        pass


class Average:
    """A payload is [exact sum, how many] of one event's numbers; the value a Fraction."""

    counts = False

    def __init__(self, numbers: Callable[[Event], list[exact.Exact]]) -> None:
        self._numbers = numbers

    def payloads(self, event: Event) -> list[Any]:
        numbers = self._numbers(event)
        total: exact.Exact = 0
        for number in numbers:
            total = exact.add(total, number)
        return [[total, len(numbers)]] if numbers else []

    def merge(self, total: Any, payload: Any) -> Any:
        if total is None:
            return payload
        return [exact.add(exact.exact(total[0]), exact.exact(payload[0])), total[1] + payload[1]]

    def read(self, total: Any) -> Amount | None:
        return exact.ratio(exact.exact(total[0]), total[1]) if total else None

    def prune(self, inside: list[list[Any]]) -> None:
        pass


class Extreme:
    """Min or max; a payload is one event's extreme number."""

    counts = False

    def __init__(self, numbers: Callable[[Event], list[exact.Exact]], pick: Callable[..., Any]) -> None:
        self._numbers, self._pick = numbers, pick

    def payloads(self, event: Event) -> list[Any]:
        numbers = self._numbers(event)
        return [self._pick(numbers)] if numbers else []

    def merge(self, total: Any, payload: Any) -> Any:
        payload = exact.exact(payload)
        return payload if total is None else self._pick(exact.exact(total), payload)

    def read(self, total: Any) -> Amount | None:
        return None if total is None else exact.exact(total)

    def prune(self, inside: list[list[Any]]) -> None:
        best = None
        for index in range(len(inside) - 1, -1, -1):
            number = exact.exact(inside[index][1])
            if best is not None and self._pick(best, number) == best:
                del inside[index]
            else:
                best = number


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

    State: [inside, waiting]; inside [leave, payload] ascending by leave, waiting [enter, leave,
    payload] ascending by enter.
    """

    def __init__(self, of: Of, window: Sliding) -> None:
        self._of, self._window = of, window

    def add(self, state: State, event: Event, now_ms: int) -> State:
        counted = span(self._window, event.time_ms)
        if counted is None or counted[1] <= now_ms:
            return state
        inside, waiting = state = state or [[], []]
        self._settle(state, now_ms)
        enter, leave = counted
        for payload in self._of.payloads(event):
            if enter > now_ms:
                insort(waiting, [enter, leave, payload], key=_first)
            else:
                insort(inside, [leave, payload], key=_first)
        self._of.prune(inside)
        del inside[:-MAX_ENTRIES], waiting[:-MAX_ENTRIES]
        return state if inside or waiting else None

    def _settle(self, state: State, now_ms: int) -> None:
        inside, waiting = state
        if waiting and waiting[0][0] <= now_ms:
            entered = bisect_right(waiting, now_ms, key=_first)
            for _, leave, payload in waiting[:entered]:
                insort(inside, [leave, payload], key=_first)
            del waiting[:entered]
            self._of.prune(inside)
        if inside and inside[0][0] <= now_ms:
            del inside[: bisect_right(inside, now_ms, key=_first)]

    def value(self, state: State, now_ms: int) -> Any:
        if not state:
            return self._of.read(None)
        self._settle(state, now_ms)
        if self._of.counts:
            return len(state[0])
        total = None
        for _, payload in state[0]:
            total = self._of.merge(total, payload)
        return self._of.read(total)

    def next_ms(self, state: State, now_ms: int, edges: Sequence[int]) -> int | None:
        if not state:
            return None
        self._settle(state, now_ms)
        inside, waiting = state
        if self._of.counts and not waiting:
            edge = _edge(edges, len(inside))
            return int(inside[-edge][0]) if edge else None
        return min((entries[0][0] for entries in (inside, waiting) if entries), default=None)


def _first(entry: list[Any]) -> int:
    return int(entry[0])


class CountBag:
    """Payload of a count whose window skips: one a event, all alike but never merged."""

    counts = True

    def __init__(self, depth: int) -> None:
        self._depth = depth

    def payloads(self, event: Event) -> list[Any]:
        return [1]

    def merge(self, total: Any, payload: Any) -> Any:
        return (total or 0) + 1

    def read(self, total: Any) -> Amount | None:
        return total or 0

    def prune(self, inside: list[list[Any]]) -> None:
        del inside[: -self._depth]


def measure_kind(measure: Measure, frame: Frame, depth: int, zone: tzinfo) -> Kind:
    """The kind that keeps a measure over a window."""
    if measure.of == "count":
        if isinstance(frame, Absolute):
            return CountEver(frame)
        return Bag(CountBag(depth), frame) if frame.enter else CountSliding(frame, depth)
    of = _of(measure, depth, zone)
    return Ever(of, frame) if isinstance(frame, Absolute) else Bag(of, frame)


def _of(measure: Measure, depth: int, zone: tzinfo) -> Of:
    if measure.of == "days":
        return Keys(lambda event: [local_day(event.time_ms, zone)], depth)
    assert measure.property is not None, "check demands it"
    path = path_of(measure.property)
    if measure.of == "distinct":
        return Keys(lambda event: _distinct(walk(path, event.properties)), depth)

    def numbers(event: Event) -> list[exact.Exact]:
        found = (item for value in walk(path, event.properties) for item in flat(value))
        return [exact.exact(item) for item in found if kind(item) == "number"]

    match measure.of:
        case "sum":
            return Sum(numbers)
        case "avg":
            return Average(numbers)
        case "min":
            return Extreme(numbers, min)
    return Extreme(numbers, max)


def _distinct(values: list[Any]) -> list[str]:
    """Each scalar once, as text that is equal exactly when the values are."""
    names = set()
    for value in flat(values):
        if key(value) is not None:
            name = str(exact.exact(value)) if kind(value) == "number" else str(value)
            names.add(f"{kind(value)[0]}{name}")
    return sorted(names)
