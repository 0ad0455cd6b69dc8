"""The conditions beside each leaf of a definition without which the leaf decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from livesegments.core.definition import All, AnyOf, Computed, Event, Node, Not, Occurrence, Sequence
from livesegments.core.program import FactOf, Leaf, holds_without_events
from livesegments.core.reach import Guard


def guarded(node: Node, fact_of: FactOf, guard: Guard | None = None) -> Iterator[tuple[Leaf, Guard | None]]:
    """Every leaf, in the order of the definition, with the narrowest guard that stands beside it."""
    match node:
        case All():
            needs = [_needs(child, fact_of) for child in node.of]
            for index, child in enumerate(node.of):
                beside = needs[:index] + needs[index + 1 :]
                yield from guarded(child, fact_of, _narrowest([guard, *beside]))
        case AnyOf():
            for child in node.of:
                yield from guarded(child, fact_of, guard)
        case Not():
            yield from guarded(node.of, fact_of, guard)
        case _:
            yield node, guard


def _needs(node: Node, fact_of: FactOf) -> Guard | None:
    """The facts without which the node can't hold; None if there are none."""
    match node:
        case Event() | Occurrence() | Sequence() | Computed():
            fact = fact_of(node)
            if isinstance(node, Event | Computed) and holds_without_events(node, fact):
                return None
            feed = fact.feed
            return Guard(frozenset([fact.id]), 0 if feed.handles else 1 if feed.accepts else 2)
        case All():
            return _narrowest([_needs(child, fact_of) for child in node.of])
        case AnyOf():
            needs = [_needs(child, fact_of) for child in node.of]
            found = [need for need in needs if need is not None]
            if len(found) == len(needs):
                facts = frozenset(fact for need in found for fact in need.facts)
                return Guard(facts, max(need.breadth for need in found))
    return None


def _narrowest(guards: Iterable[Guard | None]) -> Guard | None:
    found = [guard for guard in guards if guard is not None]
    return min(found, key=lambda guard: (guard.breadth, len(guard.facts)), default=None)
