"""The states of new facts from all of a profile's history at once, wherever its events are.

Example: "no order in 90 days" is created over a million profiles. The process that reads the archive makes
of each profile's orders the one state that the fact would have if it had been given them one by one; the
partition only puts that into the profile's stored state (module `splice`).

What can't be made so: facts that want history up to different commits, facts that share a part with one that
is kept already, those fed by transitions, those whose due times depend on conditions that are relative to
now, and those that name a value list, of which that process has no content. Then the partition is given the
events (module `backfill`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from livesegments.core.chain import Chain
from livesegments.core.computed_value import clock
from livesegments.core.definition import Computed
from livesegments.core.event import SEGMENT_ENTERED, SEGMENT_EXITED, Event
from livesegments.core.fact import EventLeaf, Fact, build
from livesegments.core.kind import Kind
from livesegments.core.needed import all_edges, compiled, needed
from livesegments.core.order import Order, Part
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.rows import Rows
from livesegments.core.trail import Trail
from livesegments.core.tree import comparisons
from livesegments.core.where import Predicate


class Made(Struct, frozen=True):
    """Fact id → state, and → due instant (> `now_ms`), where there is any.

    `holds`: whether what one of the segments needs holds; whoever that is not true of is in none of them.
    """

    facts: dict[int, Any]
    dues: dict[int, int]
    holds: bool


def order(plan: Plan, upto: Mapping[int, int], now_ms: int) -> Order | None:
    """Of the facts that are wanted; None where it takes the events."""
    if len(set(upto.values())) != 1 or plan.timezone != plan.staged_timezone:
        return None
    parts: dict[int, Part] = {}
    covered: set[int] = set()
    for segment, leaf, fact in _leaves(plan):
        ids = {fact.id, *(trail.id for trail in fact.trails)}
        if ids.isdisjoint(upto):
            continue
        if isinstance(leaf, Computed) and clock(leaf, ZoneInfo(plan.timezone)) is not None:
            return None
        if fact.id in parts:
            continue
        if any(test.value_list is not None for test in comparisons(leaf)):
            return None
        if not ids <= upto.keys() or {SEGMENT_ENTERED, SEGMENT_EXITED} & _names(fact):
            return None
        parts[fact.id] = Part(leaf, segment, all_edges(plan, fact.id))
        covered |= ids
    if covered != upto.keys():
        return None
    nodes = {id_: each.node for id_, each in needed(plan, parts, now_ms).items()}
    return Order(list(parts.values()), plan.timezone, next(iter(upto.values())), now_ms, nodes)


def _leaves(plan: Plan) -> Iterator[tuple[str, EventLeaf, Fact]]:
    for item in (*plan.order, *plan.staged.values()):
        for read in item.reads:
            leaf = read.leaf
            if read.fact is not None and isinstance(leaf, EventLeaf):
                yield item.segment.id, leaf, read.fact


def _names(fact: Fact) -> set[str]:
    return {name for each in (fact, *fact.trails) for name in each.feed.names}


class Bulk:
    """`feeds`: fact id → the names of the events that it takes, and which of them it accepts (None: all)."""

    def __init__(self, wanted: Order) -> None:
        self.upto = wanted.upto
        self.feeds: dict[int, tuple[tuple[str, ...], Predicate | None]] = {}
        self._now_ms = wanted.now_ms
        self._kinds: dict[int, tuple[Kind[Any], list[int], tuple[int, ...]]] = {}
        self._needed = [compiled(id_, node, wanted.timezone).program for id_, node in wanted.needed.items()]
        for part in wanted.parts:
            fact = build(part.leaf, wanted.timezone, part.segment)
            for trail in fact.trails:
                self._put(trail, [], ())
            self._put(fact, part.edges, tuple(trail.id for trail in fact.trails))

    def _put(self, fact: Fact, edges: list[int], trails: tuple[int, ...]) -> None:
        if fact.id not in self._kinds:
            self._kinds[fact.id] = fact.kind, edges, trails
            self.feeds[fact.id] = fact.feed.names, fact.feed.accepts

    def fed(self, events: Sequence[Event]) -> dict[int, list[Event]]:
        """Fact id → those of one profile's events that feed it."""
        found: dict[int, list[Event]] = {}
        for fact, (names, accepts) in self.feeds.items():
            mine = [
                event
                for event in events
                if event.name in names and (accepts is None or accepts(event.properties, event.time_ms))
            ]
            if mine:
                found[fact] = mine
        return found

    def make(self, fed: Mapping[int, Sequence[Event]]) -> Made:
        """Of one profile's events, fact id → those that feed it, sorted by (time, id)."""
        now_ms = self._now_ms
        facts: dict[int, Any] = {}
        dues: dict[int, int] = {}
        for fact, (kind, edges, trails) in self._kinds.items():  # the trails of a chain go before it
            mine = fed.get(fact)
            if mine is None:
                continue
            if isinstance(kind, Chain):
                state = kind.begun(mine, [facts.get(trail, []) for trail in trails], now_ms)
            else:
                state = kind.of_all(mine, now_ms)
            if state is None:
                continue
            facts[fact] = state
            if not isinstance(kind, Trail):
                due = kind.next_ms(state, now_ms, edges)
                if due is not None:
                    dues[fact] = due
        return Made(facts, dues, self._holds(facts))

    def make_all(self, fed: Mapping[int, Rows], count: int) -> Iterator[Made]:
        """Of many profiles, those of the numbers 0 to `count` - 1; fact id → the events that feed it."""
        now_ms = self._now_ms
        facts: list[dict[int, Any]] = [{} for _ in range(count)]
        dues: list[dict[int, int]] = [{} for _ in range(count)]
        states: dict[int, dict[int, Any]] = {}
        for fact, (kind, edges, trails) in self._kinds.items():
            rows = fed[fact]
            if isinstance(kind, Chain):
                made = kind.begun_rows(rows, [states[trail] for trail in trails], now_ms)
            else:
                made = kind.of_rows(rows, now_ms)
            states[fact] = made
            moves, next_ms = not isinstance(kind, Trail), kind.next_ms
            for owner, state in made.items():
                facts[owner][fact] = state
                if moves and (due := next_ms(state, now_ms, edges)) is not None:
                    dues[owner][fact] = due
        return (Made(of, dues[at], self._holds(of)) for at, of in enumerate(facts))

    def _holds(self, facts: dict[int, Any]) -> bool:
        profile, now_ms = Profile(facts=facts), self._now_ms
        return any(holds(profile, now_ms) for holds in self._needed)
