"""Sequences whose steps share a value: the same cart, the same ticket, the same product.

Example: carts c1 and c2 are filled, and c2 is ordered. For "a cart that was not ordered within an hour" with
`same: cart_id`, c1 has a sequence of its own, to which the order of c2 is nothing.

Such a sequence is kept apart for every value (module `apart`): a part has the stamps of the later steps'
events with the value, and of its first events what a sequence without `same` has (modules `chain`, `absent`).
An event goes to the parts of its values, and only they are looked at. `until` is how long the condition holds
by any of the parts; a queue says which part the clock changes next. So an event in order costs what it costs
a single sequence, however many values there are. A late one by which the best part holds no longer looks at
all parts.

A part goes once its newest event has left the window. Of all parts together no more than `MAX_ENTRIES` stamps
are kept: beyond that, values that had no event for the longest are forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nlargest
from itertools import islice
from operator import itemgetter
from typing import Any, Generic

from msgspec import Struct

from livesegments.core.absent import Awaited
from livesegments.core.apart import Apart, B, Part, Parts, Shape, fitted
from livesegments.core.chain import Begun, Chain
from livesegments.core.event import Event
from livesegments.core.kind import MAX_ENTRIES, Kind
from livesegments.core.measure import distinct
from livesegments.core.trail import Trail
from livesegments.core.value import flat, walk
from livesegments.core.where import Predicate
from livesegments.core.window import FOREVER

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


class Same(Kind[Parts[B]], Generic[B]):
    """`path`: of the property that the events share."""

    def __init__(
        self, shape: type[B], chain: Chain[B], trail: Trail, steps: Sequence[Step], path: tuple[str, ...]
    ) -> None:
        super().__init__(Any)
        self._shape: Shape[B] = Shape(shape, chain, len(steps) - 1)
        self.decode = self._shape.parts
        self.chain: Chain[B] = chain
        self._trail, self._steps, self._path = trail, steps, path
        self._is_final = shape is Begun
        """Whether nothing but a retraction can undo what has come about."""

    def add(self, state: Parts[B] | None, event: Event, now_ms: int) -> Parts[B] | None:
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
            state.forget(MAX_ENTRIES - MAX_ENTRIES // FORGOTTEN)
            self._find_best(state)
        if self._is_final and state.until == FOREVER:
            return Apart({}, [], 0, state.until, state.best)
        return fitted(state, self._shape)

    def value(self, state: Parts[B] | None, now_ms: int) -> bool:
        if state is None:
            return False
        self._settle(state, now_ms)
        return now_ms < state.until

    def next_ms(self, state: Parts[B] | None, now_ms: int, edges: Sequence[int]) -> int | None:
        if state is None:
            return None
        if self.value(state, now_ms):
            return state.until if state.until < FOREVER else None
        due = state.next_due()
        return due[0] if due else None

    def newest(self, state: Parts[B] | None, count: int) -> list[tuple[str, Part[B]]]:
        """The values that had an event last, the newest first, and what is kept for them."""
        parts = [] if state is None else sorted(state, key=itemgetter(0))
        return nlargest(count, parts, key=lambda each: each[1].last)

    def decisive(self, state: Parts[B] | None) -> tuple[str, Part[B]] | None:
        """The value by which it holds, or else the one that had an event last."""
        best = None if state is None or state.best is None else state.part(state.best)
        if state is not None and state.best is not None and best is not None:
            return state.best, best
        return next(iter(self.newest(state, 1)), None)

    def _take(self, state: Parts[B], value: str, event: Event, at: Sequence[int], now_ms: int) -> None:
        stamp = event.time_ms, event.id
        part = state.part(value)
        if part is None:
            part = Part(None, [[] for _ in self._steps[1:]], stamp)
            state.put_last(value, part)
        elif stamp >= part.last:
            part.last = stamp
            state.put_last(value, part)
        later = [index - 1 for index in at if index]
        for index in later:
            part.trails[index] = self._trail.add(part.trails[index], event, now_ms) or []
        if 0 in at:
            part.chain = self.chain.add(part.chain, event, now_ms)
        if part.chain is not None:
            self.chain.follow(part.chain, event, 0 in at, later, part.trails, now_ms)
        self._note(state, value, part, now_ms)

    def _settle(self, state: Parts[B], now_ms: int) -> None:
        """What the clock alone has changed."""
        due = state.next_due()
        while due is not None and due[0] <= now_ms:
            part = state.part(due[1])
            assert part is not None and part.chain is not None, "only a chain has a due time"
            if self._trail.wants(part.last[0], now_ms):
                self.chain.settle(part.chain, part.trails, now_ms)
                self._note(state, due[1], part, now_ms)
                assert part.due_ms != due[0], "it is past"
            else:
                self._drop(state, due[1])
            due = state.next_due()

    def _note(self, state: Parts[B], value: str, part: Part[B], now_ms: int) -> None:
        """After any change of a part."""
        chain: Any = part.chain
        size = sum(map(len, part.trails)) + (0 if chain is None else _size(chain))
        state.total += size - part.size
        part.size = size
        due_ms, part.due_ms = part.due_ms, _due(self.chain, chain, now_ms)
        state.changed(value, part, due_ms)
        until = 0 if chain is None else chain.until
        if until >= state.until:
            if until > now_ms:
                state.until, state.best = until, value
        elif state.best == value:
            self._find_best(state)

    def _find_best(self, state: Parts[B]) -> None:
        state.until, state.best = 0, None
        for value, part in state:
            if part.chain is not None and part.chain.until > state.until:
                state.until, state.best = part.chain.until, value

    def _drop_past(self, state: Parts[B], now_ms: int) -> None:
        """The values whose newest event has left the window."""
        oldest = state.oldest()
        while oldest is not None and not self._trail.wants(oldest[0], now_ms):
            self._drop(state, oldest[1])
            oldest = state.oldest()

    def _drop(self, state: Parts[B], value: str) -> None:
        if state.best == value:  # it is past, and no other part holds for longer
            state.until, state.best = 0, None
        state.drop(value)


def _due(kind: Chain[Any], chain: Begun | Awaited | None, now_ms: int) -> int | None:
    """When the clock changes a chain; None where all that it can do is to end it, which `until` says."""
    if chain is None or not (chain.waiting if isinstance(chain, Begun) else chain.open):
        return None
    return kind.next_ms(chain, now_ms, ())


def _size(chain: Begun | Awaited) -> int:
    if isinstance(chain, Begun):
        return len(chain.firsts) + len(chain.waiting)
    return len(chain.open) + len(chain.decided)
