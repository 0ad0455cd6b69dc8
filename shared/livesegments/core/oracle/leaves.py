"""A definition's nodes: their truth for a profile, the leaves below them, the segments they look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from hashlib import sha256
from typing import TypeAlias

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
    SequenceStep,
    Tag,
)
from livesegments.core.oracle.calendar import Calendar
from livesegments.core.oracle.compare import compare, distance_km, without
from livesegments.core.oracle.registers import Registers
from livesegments.core.oracle.relative import RELATIVE, edges, relative

SEGMENT_EVENTS = ("$segment_entered", "$segment_exited")
Step: TypeAlias = Event | Occurrence | SequenceStep | Computed


def leaves(node: Node) -> Iterator[Node]:
    match node:
        case All() | AnyOf():
            for child in node.of:
                yield from leaves(child)
        case Not():
            yield from leaves(node.of)
        case _:
            yield node


def holds(node: Node, leaf_holds: Callable[[Node], bool]) -> bool:
    match node:
        case All():
            return all(holds(child, leaf_holds) for child in node.of)
        case AnyOf():
            return any(holds(child, leaf_holds) for child in node.of)
        case Not():
            return not holds(node.of, leaf_holds)
    return leaf_holds(node)


def steps(leaf: Event | Occurrence | Sequence | Computed) -> tuple[Step, ...]:
    return leaf.steps if isinstance(leaf, Sequence) else (leaf,)


def looks_at(root: Node, segment: str, others: set[str]) -> set[str]:
    """The segments that must be judged before: those referred to, and those whose transitions count."""
    found: set[str] = set()
    for leaf in leaves(root):
        match leaf:
            case SegmentRef():
                found.add(leaf.id)
            case Event() | Occurrence() | Sequence() | Computed():
                for step in steps(leaf):
                    if any(name in SEGMENT_EVENTS for name in (step.name, *step.names)):
                        found |= _named(step, others)
    return (found & others) - {segment}


def _named(step: Step, others: set[str]) -> set[str]:
    for item in step.where:
        if item.property == "segment" and not without(item) and not item.ignore_case:
            if item.op == "eq":
                return {item.value}
            if item.op == "in":
                return {*item.value}
    return others


def profile_leaf(leaf: Node, registers: Registers, calendar: Calendar, now: int) -> bool:
    """Truth of the leaves that look at the profile itself."""
    match leaf:
        case Tag():
            return bool(registers.tags) if leaf.name is None else leaf.name in registers.tags
        case Consent():
            return registers.consent.get((leaf.channel, leaf.topic), "none") == leaf.state
        case Near():
            distance = distance_km(registers.attributes.get(leaf.attribute), leaf.lat, leaf.lon)
            return distance is not None and distance <= leaf.km
        case Attribute():
            return _attribute(leaf, registers, calendar, now)
    raise AssertionError(f"{leaf} is no leaf of a profile")


def in_bucket(leaf: Bucket, profile: str) -> bool:
    """Whether the profile with that id is in the bucket."""
    digest = sha256(leaf.salt.encode() + b"\0" + profile.encode()).hexdigest()
    drawn = Fraction(int(digest[:16], 16) % 10_000, 100)
    return Fraction(str(leaf.from_)) <= drawn < Fraction(str(leaf.to))


def _attribute(leaf: Attribute, registers: Registers, calendar: Calendar, now: int) -> bool:
    value = registers.attributes.get(leaf.name)
    if leaf.op in ("exists", "missing"):
        return (value is not None) == (leaf.op == "exists")
    if leaf.op in RELATIVE:
        then = calendar.instant(value) if isinstance(value, str) else None
        return without(leaf) if then is None else relative(leaf, then, calendar, now)
    verdict = compare(leaf, value, calendar)
    return without(leaf) if verdict is None else verdict


def instants(leaf: Node, registers: Registers, calendar: Calendar, now: int, until: int) -> list[int]:
    """Every instant between two others at which the clock alone might change a leaf of a profile."""
    if not isinstance(leaf, Attribute) or leaf.op not in RELATIVE:
        return []
    value = registers.attributes.get(leaf.name)
    then = calendar.instant(value) if isinstance(value, str) else None
    return [] if then is None else edges(leaf, then, calendar, now, until)
