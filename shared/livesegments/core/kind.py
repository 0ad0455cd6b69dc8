"""The methods of every kind of fact: take an event, give the value, and say when the clock may change it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw

from livesegments.core.event import Event
from livesegments.core.rows import Rows

S = TypeVar("S")
"""The state of a fact in memory, of the shape that its kind keeps: what msgpack can carry, numbers that no
float holds as decimal text. None stands for a fact without events."""

MAX_COUNT = 10_000
"""The highest count, days or distinct values of a window or zone that a condition may ask about."""
MAX_ENTRIES = MAX_COUNT + 1
"""The bound of one fact's entries, enough to tell MAX_COUNT from more; beyond it those that leave soonest
are given up, which is part of the language's contract (docs/conditions.md, "What is kept")."""


class Kept(Exception):
    """A state that events can't be taken out of: what else it was made of is not known any more."""


class Kind(ABC, Generic[S]):
    """How one kind of fact keeps its state.

    `edges`: ascending counts n at which some condition's truth differs between n - 1 and n.
    Instants given for one state never go back.
    """

    def __init__(self, shape: Any) -> None:
        """`shape`: the type S, as msgspec decodes it."""
        self.decode: Callable[[Raw | bytes], S] = _decoder(shape)

    @abstractmethod
    def add(self, state: S | None, event: Event, now_ms: int) -> S | None:
        """The state with a matching event in it; may change and return the one given."""

    def of_all(self, events: Sequence[Event], now_ms: int) -> S | None:
        """The state of matching events alone, sorted by (time, id): as if each had been added at `now_ms`.

        A kind may have a quicker way.
        """
        state: S | None = None
        for event in events:
            state = self.add(state, event, now_ms)
        return state

    def of_rows(self, rows: Rows, now_ms: int) -> dict[int, S]:
        """The same of many profiles: owner → state, where there is one."""
        found = ((owner, self.of_all(rows.events(*at), now_ms)) for owner, *at in rows.stretches())
        return {owner: state for owner, state in found if state is not None}

    @abstractmethod
    def value(self, state: S | None, now_ms: int) -> Any:
        """The value that conditions compare: an amount, None where undefined; a boolean for other kinds."""

    @abstractmethod
    def next_ms(self, state: S | None, now_ms: int, edges: Sequence[int]) -> int | None:
        """The next instant at which the clock alone may change what a condition sees."""

    def without(self, state: S, events: Sequence[Event], rest: S | None, now_ms: int) -> S | None:
        """The state without events that are in it; may change the one given, also where it raises Kept
        because that can't be worked out from the state alone.

        `rest` is what a part of all other events comes to.
        """
        raise Kept

    def added(
        self, state: S | None, event: Event, now_ms: int, edges: Sequence[int]
    ) -> tuple[S | None, Any, Any, int | None]:
        """The new state, the value before, the value after, the next due instant.

        The counts, which most events feed, have a quicker way.
        """
        old = self.value(state, now_ms)
        state = self.add(state, event, now_ms)
        return state, old, self.value(state, now_ms), self.next_ms(state, now_ms, edges)


@cache  # as many as there are kinds
def _decoder(shape: Any) -> Callable[[Raw | bytes], Any]:
    return msgspec.msgpack.Decoder(shape).decode


def held(facts: dict[int, Any], fact: int, kind: Kind[S]) -> S | None:
    """A profile's state of a fact; it stays encoded until it is first asked for."""
    state = facts.get(fact)
    if type(state) is Raw:
        state = facts[fact] = kind.decode(state)
    return state


def edge_below(edges: Sequence[int], count: int) -> int:
    """The highest edge that `count` has reached: falling below it is the next thing that matters."""
    at = bisect_right(edges, count)
    return edges[at - 1] if at else 0
