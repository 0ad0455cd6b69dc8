"""What every kind of fact can do: take an event, tell its value, tell when the clock may change it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, TypeAlias

from livesegments.core.event import Event

State: TypeAlias = Any
"""What msgpack can carry: ints, lists, decimals as strings. None is a fact without events."""

MAX_COUNT = 10_000
"""The highest count, days or distinct values of a window or zone that a condition may ask about."""
MAX_ENTRIES = MAX_COUNT + 1
"""The bound of one fact's entries, enough to tell MAX_COUNT from more; beyond it those that leave soonest
are given up, which is part of the language's contract (docs/conditions.md, "What is kept")."""


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


def edge_below(edges: Sequence[int], count: int) -> int:
    """The highest edge that `count` has reached: falling below it is the next thing that matters."""
    at = bisect_right(edges, count)
    return edges[at - 1] if at else 0
