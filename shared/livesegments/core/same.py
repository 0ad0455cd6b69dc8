"""Sequences whose steps share a value: the same cart, the same ticket, the same product.

Example: carts c1 and c2 are filled, and c2 is ordered. For "a cart that was not ordered within an hour" with
`same: cart_id`, c1 has a sequence of its own, to which the order of c2 is nothing.

Such a sequence is kept apart for every value: a part has the stamps of the later steps' events with the
value, and of its first events what a sequence without `same` has (modules `chain`, `absent`). An event goes
to the parts of its values, and only they are looked at. `until` is how long the condition holds by any of the
parts; a heap says which part the clock changes next. So an event in order costs what it costs a single
sequence, however many values there are. A late one by which the best part holds no longer looks at all parts.

A part goes once its newest event has left the window. Of all parts together no more than `MAX_ENTRIES` stamps
are kept: beyond that, values that had no event for the longest are forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import islice
from typing import Any, Generic, TypeVar

from msgspec import Struct

from livesegments.core.absent import Awaited
from livesegments.core.chain import Begun, Chain
from livesegments.core.event import Event
from livesegments.core.kind import MAX_ENTRIES, Kind
from livesegments.core.measure import distinct
from livesegments.core.trail import Stamp, Stamps, Trail
from livesegments.core.value import flat, walk
from livesegments.core.where import Predicate
from livesegments.core.window import FOREVER

B = TypeVar("B", bound=Begun | Awaited)

MAX_VALUES = 100
"""So many values of one event count."""
FORGOTTEN = 8
"""Where there are too many stamps, one in so many is forgotten at once."""


class Step(Struct, frozen=True):
    names: frozenset[str]
    accepts: Predicate | None

    def matches(self, event: Event) -> bool:
        return event.name in self.names and (
            self.accepts is None or self.accepts(event.properties, event.time_ms)
        )


class Part(Struct, Generic[B], array_like=True):
    """What is kept for one value.

    chain   of its first events; None while there are none
    trails  the stamps of each later step
    last    the newest event with the value
    size    how many stamps it has
    due_ms  when the clock changes it next
    """

    chain: B | None
    trails: list[Stamps]
    last: Stamp
    size: int = 0
    due_ms: int | None = None


class Apart(Struct, Generic[B], array_like=True):
    """
    parts  by the value, as text (module `measure`); those that had an event last come last
    queue  a heap of (due, value); an entry with another due than its part has means nothing
    total  the stamps of all parts
    until  the condition holds until then, if that is not past
    best   the value by which it does
    """

    parts: dict[str, Part[B]]
    queue: list[tuple[int, str]]
    total: int = 0
    until: int = 0
    best: str | None = None


class Same(Kind[Apart[B]], Generic[B]):
    """`path`: of the property that the events share."""

    def __init__(
        self, shape: type[B], chain: Chain[B], trail: Trail, steps: Sequence[Step], path: tuple[str, ...]
    ) -> None:
        super().__init__(Apart[shape])  # type: ignore[valid-type]
        self.chain: Chain[B] = chain
        self._trail, self._steps, self._path = trail, steps, path
        self._is_final = shape is Begun
        """Whether nothing but a retraction can undo what has come about."""

    def add(self, state: Apart[B] | None, event: Event, now_ms: int) -> Apart[B] | None:
        if state is not None:
            self._settle(state, now_ms)
            if self._is_final and state.until == FOREVER:
                return state
        at = [index for index, step in enumerate(self._steps) if step.matches(event)]
        if not at or not self._trail.wants(event.time_ms, now_ms):
            return state
        values = distinct(list(islice(flat(walk(self._path, event.properties)), MAX_VALUES)))
        if not values:
            return state
        if state is None:
            state = Apart({}, [])
        self._drop_past(state, now_ms)
        for value in values:
            self._take(state, value, event, at, now_ms)
        if state.total > MAX_ENTRIES:
            self._forget(state)
        if self._is_final and state.until == FOREVER:
            state.parts, state.queue, state.total = {}, [], 0
        return state

    def value(self, state: Apart[B] | None, now_ms: int) -> bool:
        if state is None:
            return False
        self._settle(state, now_ms)
        return now_ms < state.until

    def next_ms(self, state: Apart[B] | None, now_ms: int, edges: Sequence[int]) -> int | None:
        if state is None:
            return None
        if self.value(state, now_ms):
            return state.until if state.until < FOREVER else None
        parts, queue = state.parts, state.queue
        while queue and not _is_valid(parts, queue[0]):
            heappop(queue)
        return queue[0][0] if queue else None

    def newest(self, state: Apart[B] | None) -> tuple[str, Part[B]] | None:
        """The value by which it holds, or else the one that had an event last."""
        if state is None or not state.parts:
            return None
        value = state.best
        if value is None or value not in state.parts:
            value = max(state.parts, key=lambda each: state.parts[each].last)
        return value, state.parts[value]

    def _take(self, state: Apart[B], value: str, event: Event, at: Sequence[int], now_ms: int) -> None:
        stamp = event.time_ms, event.id
        part = state.parts.get(value)
        if part is None:
            part = state.parts[value] = Part(None, [[] for _ in self._steps[1:]], stamp)
        elif stamp >= part.last:
            part.last = stamp
            del state.parts[value]
            state.parts[value] = part
        later = [index - 1 for index in at if index]
        for index in later:
            part.trails[index] = self._trail.add(part.trails[index], event, now_ms) or []
        if 0 in at:
            part.chain = self.chain.add(part.chain, event, now_ms)
        if part.chain is not None:
            self.chain.follow(part.chain, event, 0 in at, later, part.trails, now_ms)
        self._note(state, value, part, now_ms)

    def _settle(self, state: Apart[B], now_ms: int) -> None:
        """What the clock alone has changed."""
        parts, queue = state.parts, state.queue
        while queue and queue[0][0] <= now_ms:
            entry = heappop(queue)
            if not _is_valid(parts, entry):
                continue
            part = parts[entry[1]]
            assert part.chain is not None, "only a chain has a due time"
            self.chain.settle(part.chain, part.trails, now_ms)
            self._note(state, entry[1], part, now_ms)

    def _note(self, state: Apart[B], value: str, part: Part[B], now_ms: int) -> None:
        """After any change of a part."""
        chain: Any = part.chain
        size = sum(map(len, part.trails)) + (0 if chain is None else _size(chain))
        state.total += size - part.size
        part.size = size
        due = self.chain.next_ms(chain, now_ms, ())
        if due != part.due_ms:
            part.due_ms = due
            if due is not None:
                heappush(state.queue, (due, value))
        until = 0 if chain is None else chain.until
        if until >= state.until:
            if until > now_ms:
                state.until, state.best = until, value
        elif state.best == value:
            self._find_best(state)
        if len(state.queue) > 2 * len(state.parts) + FORGOTTEN:
            state.queue = sorted(entry for entry in {*state.queue} if _is_valid(state.parts, entry))

    def _find_best(self, state: Apart[B]) -> None:
        state.until, state.best = 0, None
        for value, part in state.parts.items():
            if part.chain is not None and part.chain.until > state.until:
                state.until, state.best = part.chain.until, value

    def _drop_past(self, state: Apart[B], now_ms: int) -> None:
        """Those at the head whose newest event has left the window."""
        for value in list(islice(state.parts, 2)):
            part = state.parts[value]
            if self._trail.wants(part.last[0], now_ms):
                break
            self._drop(state, value, part)

    def _drop(self, state: Apart[B], value: str, part: Part[B]) -> None:
        del state.parts[value]
        state.total -= part.size
        if state.best == value:
            self._find_best(state)

    def _forget(self, state: Apart[B]) -> None:
        most = MAX_ENTRIES - MAX_ENTRIES // FORGOTTEN
        oldest = sorted(state.parts, key=lambda value: state.parts[value].last)
        for value in oldest[:-1]:
            if state.total <= most:
                break
            self._drop(state, value, state.parts[value])


def _is_valid(parts: dict[str, Part[Any]], entry: tuple[int, str]) -> bool:
    part = parts.get(entry[1])
    return part is not None and part.due_ms == entry[0]


def _size(chain: Begun | Awaited) -> int:
    if isinstance(chain, Begun):
        return len(chain.firsts) + len(chain.waiting)
    return len(chain.open) + len(chain.decided)
