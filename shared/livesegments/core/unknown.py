"""Whether a segment holds for a profile of which nothing is known: yes, no, or (None) for some.

Example: "not tagged" holds for every such profile, "ordered" for none, and "in a bucket" for some. A segment
that refers to one that holds for some may hold for some, too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeAlias
from zoneinfo import ZoneInfo

from livesegments.core.compiled import Compiled
from livesegments.core.definition import All, AnyOf, Bucket, Node, Not, SegmentRef
from livesegments.core.fact import EventLeaf, Fact
from livesegments.core.profile import Profile
from livesegments.core.program import program

Truth: TypeAlias = bool | None


def holds_unknown(item: Compiled, empty: Profile, uncertain: Collection[str], zone: ZoneInfo) -> Truth:
    """`empty` has nothing but memberships of the segments that hold for every unknown profile.

    `uncertain` are the segments that hold for some."""
    root = item.root
    if root is None or (item.drawn is None and item.needs.ids.isdisjoint(uncertain)):
        return item.program(empty, 0)
    facts = {id(read.leaf): read.fact for read in item.reads}

    def fact_of(leaf: EventLeaf) -> Fact:
        fact = facts[id(leaf)]
        assert fact is not None
        return fact

    def leaf_holds(leaf: Node) -> Truth:
        if isinstance(leaf, Bucket) or (isinstance(leaf, SegmentRef) and leaf.id in uncertain):
            return None
        return program(leaf, zone, fact_of)(empty, 0)

    return _holds(root, leaf_holds)


def _holds(node: Node, leaf_holds: Callable[[Node], Truth]) -> Truth:
    match node:
        case All():
            return _every(_holds(child, leaf_holds) for child in node.of)
        case AnyOf():
            return _denied(_every(_denied(_holds(child, leaf_holds)) for child in node.of))
        case Not():
            return _denied(_holds(node.of, leaf_holds))
    return leaf_holds(node)


def _every(truths: Iterable[Truth]) -> Truth:
    found = {*truths}
    return False if False in found else None if None in found else True


def _denied(truth: Truth) -> Truth:
    return None if truth is None else not truth
