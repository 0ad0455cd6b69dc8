"""A definition as one function of (profile, now).

It is compiled once per version of a segment; `plan` knows which change concerns which segment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Raw

from livesegments.core import bucket, computed_value
from livesegments.core.attribute import truth
from livesegments.core.definition import (
    All,
    AnyOf,
    Attribute,
    Bucket,
    Computed,
    Consent,
    Event,
    Near,
    Node,
    Not,
    Occurrence,
    SegmentRef,
    Sequence,
    Tag,
)
from livesegments.core.fact import EventLeaf, Fact
from livesegments.core.kind import held
from livesegments.core.profile import Profile, consent_key
from livesegments.core.track import bound
from livesegments.core.value import COMPARE

Program: TypeAlias = Callable[[Profile, int], bool]
Leaf: TypeAlias = (
    Attribute | Near | Event | Occurrence | Sequence | SegmentRef | Tag | Consent | Bucket | Computed
)
FactOf: TypeAlias = Callable[[EventLeaf], Fact]
_ANY_ZONE = ZoneInfo("UTC")
Drawn: TypeAlias = Callable[[str], Program]
"""A profile's id → the program of a definition that asks for a bucket."""


def drawn(node: Node, zone: ZoneInfo, fact_of: FactOf) -> Drawn | None:
    """Compiles a definition that asks for a bucket somewhere; None if it doesn't, for then `program` does."""
    match node:
        case Bucket():
            return lambda profile_id: _constant(bucket.holds(node, profile_id))
        case Not():
            child = drawn(node.of, zone, fact_of)
            return None if child is None else lambda profile_id: _not(child(profile_id))
        case All() | AnyOf():
            children = [drawn(each, zone, fact_of) for each in node.of]
            if not any(children):
                return None
            join = _all if isinstance(node, All) else _any
            parts = [
                _same(program(each, zone, fact_of)) if child is None else child
                for child, each in zip(children, node.of, strict=True)
            ]
            return lambda profile_id: join([part(profile_id) for part in parts])
    return None


def of_profile(node: Node, zone: ZoneInfo, fact_of: FactOf, profile_id: str) -> Program:
    """Compiles a node for one profile."""
    made = drawn(node, zone, fact_of)
    return program(node, zone, fact_of) if made is None else made(profile_id)


def program(node: Node, zone: ZoneInfo, fact_of: FactOf) -> Program:
    """Compiles a node; of a bucket it knows nothing, and takes every profile to be outside."""
    match node:
        case All() | AnyOf():
            children = [program(child, zone, fact_of) for child in node.of]
            return _all(children) if isinstance(node, All) else _any(children)
        case Not():
            return _not(program(node.of, zone, fact_of))
        case Attribute() | Near():
            return _attribute(node, zone)
        case Event():
            return _measure(node, fact_of(node))
        case Occurrence() | Sequence():
            return _happened(fact_of(node))
        case SegmentRef():
            return _member(node.id)
        case Tag():
            return _tag(node.name)
        case Consent():
            return _consent(consent_key(node.channel, node.topic), node.state)
        case Bucket():
            return _constant(False)
        case Computed():
            return _computed(node, fact_of(node), zone)


def holds_without_events(node: Event | Computed, fact: Fact) -> bool:
    """Whether a measure's condition holds for a profile that the fact knows nothing of."""
    run = _measure(node, fact) if isinstance(node, Event) else _computed(node, fact, _ANY_ZONE)
    return run(Profile(), 0)


def static(segment: str, version: int) -> Program:
    """A static segment holds a profile if the profile's list register says so, and was written for this
    version."""

    def listed(profile: Profile, now: int) -> bool:
        register = profile.lists.get(segment)
        return register is not None and register.value is True and register.version == version

    return listed


def _constant(holds: bool) -> Program:
    return lambda profile, now: holds


def _same(run: Program) -> Drawn:
    return lambda profile_id: run


def _not(child: Program) -> Program:
    return lambda profile, now: not child(profile, now)


def _all(children: list[Program]) -> Program:
    if len(children) == 2:
        first, second = children
        return lambda profile, now: first(profile, now) and second(profile, now)
    return lambda profile, now: all(child(profile, now) for child in children)


def _any(children: list[Program]) -> Program:
    if len(children) == 2:
        first, second = children
        return lambda profile, now: first(profile, now) or second(profile, now)
    return lambda profile, now: any(child(profile, now) for child in children)


def _attribute(node: Attribute | Near, zone: ZoneInfo) -> Program:
    holds, name = truth(node, zone), node.name if isinstance(node, Attribute) else node.attribute

    def attribute(profile: Profile, now: int) -> bool:
        register = profile.attributes.get(name)
        return holds(None if register is None else register.value, now)

    return attribute


def _measure(node: Event, fact: Fact) -> Program:
    fact_id, kind, value_of = fact.id, fact.kind, fact.kind.value
    wanted, compare = bound(node), COMPARE[node.op]

    def measure(profile: Profile, now: int) -> bool:
        state = profile.facts.get(fact_id)
        value = value_of(held(profile.facts, fact_id, kind) if type(state) is Raw else state, now)
        return value is not None and compare(value, wanted)

    return measure


def _computed(node: Computed, fact: Fact, zone: ZoneInfo) -> Program:
    """Without a condition it holds for nobody: it is there for its fact."""
    if node.asked is None:
        return _constant(False)
    fact_id, kind, holds = fact.id, fact.kind, computed_value.truth(node, zone)
    return lambda profile, now: holds(kind.value(held(profile.facts, fact_id, kind), now), now)


def _happened(fact: Fact) -> Program:
    fact_id, kind = fact.id, fact.kind
    return lambda profile, now: bool(kind.value(held(profile.facts, fact_id, kind), now))


def _member(segment: str) -> Program:
    def member(profile: Profile, now: int) -> bool:
        membership = profile.memberships.get(segment)
        return membership is not None and membership.entered_ms is not None

    return member


def _tag(name: str | None) -> Program:
    if name is None:
        return lambda profile, now: any(register.value is True for register in profile.tags.values())

    def tag(profile: Profile, now: int) -> bool:
        register = profile.tags.get(name)
        return register is not None and register.value is True

    return tag


def _consent(pair: str, state: str) -> Program:
    def consent(profile: Profile, now: int) -> bool:
        register = profile.consent.get(pair)
        return (register.value if register is not None else "none") == state

    return consent
