"""What must hold for whoever is in a segment, as far as some of its facts say it.

Example: of "plan is pro, and two orders in 30 days" the facts of orders alone say that nobody with fewer
orders is in it. So where these facts are made for a million profiles, most of them needn't be judged.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from livesegments.core.compiled import Compiled, Segment, compile_segment
from livesegments.core.definition import All, AnyOf, Computed, Event, Node, Not, Occurrence, Sequence
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.track import leaf_edges
from livesegments.core.words import WHOLE


class Needed(NamedTuple):
    """Of a segment's definition of `revision`: whoever is in it fulfils `node`, which reads `facts`."""

    node: Node
    revision: int
    facts: frozenset[int]


def needed(plan: Plan, made: Collection[int], now_ms: int) -> dict[str, Needed]:
    """Of the segments that wait for facts; left out are those that say nothing about `made` alone, and those
    of which somebody without any event may be."""
    found = {}
    for id_, item in plan.staged.items():
        facts = {id(read.leaf): read.fact.id for read in item.reads if read.fact is not None}
        node = None if item.root is None else _implied(item.root, facts, made)
        if node is not None and not _holds(id_, node, plan.staged_timezone, now_ms):
            read = frozenset(fact for fact in facts.values() if fact in made)
            found[id_] = Needed(node, item.segment.revision, read)
    return found


def all_edges(plan: Plan, fact: int) -> list[int]:
    """The edges that a fact will have once the segments that wait are served."""
    found = set(plan.tracks[fact].edges)
    for item in plan.staged.values():
        for read in item.reads:
            leaf = read.leaf
            if read.fact is None or read.fact.id != fact or not isinstance(leaf, Event | Computed):
                continue
            if leaf.measure.of in WHOLE:
                found.update(leaf_edges(leaf))
    return sorted(found)


def compiled(id_: str, node: Node, timezone: str) -> Compiled:
    return compile_segment(Segment(id_, 1, 0, node), timezone, {})


def _holds(id_: str, node: Node, timezone: str, now_ms: int) -> bool:
    return compiled(id_, node, timezone).program(Profile(), now_ms)


def _implied(node: Node, facts: Mapping[int, int], made: Collection[int]) -> Node | None:
    """What follows from a node and reads only facts that are made."""
    match node:
        case All():
            parts = [part for each in node.of if (part := _implied(each, facts, made)) is not None]
            return All(of=tuple(parts)) if parts else None
        case AnyOf():
            ways = [_implied(each, facts, made) for each in node.of]
            known = [way for way in ways if way is not None]
            return AnyOf(of=tuple(known)) if len(known) == len(ways) else None
        case Not():
            return node if _reads_only(node.of, facts, made) else None
        case Event() | Occurrence() | Sequence() | Computed():
            return node if facts.get(id(node)) in made else None
    return None


def _reads_only(node: Node, facts: Mapping[int, int], made: Collection[int]) -> bool:
    match node:
        case All() | AnyOf():
            return all(_reads_only(each, facts, made) for each in node.of)
        case Not():
            return _reads_only(node.of, facts, made)
        case Event() | Occurrence() | Sequence() | Computed():
            return facts.get(id(node)) in made
    return False
