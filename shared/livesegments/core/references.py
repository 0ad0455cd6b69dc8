"""Which other segments a definition depends on."""

from __future__ import annotations

from typing import assert_never

from msgspec import Struct

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
from livesegments.core.event import SEGMENT_ENTERED, SEGMENT_EXITED
from livesegments.core.value import when_missing


class References(Struct, frozen=True):
    """The segments named, and whether every other segment of the workspace counts."""

    ids: frozenset[str] = frozenset()
    all_others: bool = False


def references(node: Node) -> References:
    """Through `segment` nodes, and through `$segment_…` events by their filters on `segment`."""
    match node:
        case All() | AnyOf():
            return _union([references(child) for child in node.of])
        case Not():
            return references(node.of)
        case SegmentRef():
            return References(frozenset([node.id]))
        case Event() | Occurrence():
            return _named(node)
        case Computed():
            return References() if node.asked is None else _named(node)
        case Sequence():
            return _union([_named(step) for step in node.steps])
        case Attribute() | Tag() | Consent() | Near() | Bucket():
            return References()
        case _:
            assert_never(node)


def measured(node: Computed) -> References:
    """Those whose transitions a computed attribute measures."""
    return _named(node)


def _union(parts: list[References]) -> References:
    ids = frozenset(segment for part in parts for segment in part.ids)
    return References(ids, any(part.all_others for part in parts))


def _named(step: Event | Occurrence | SequenceStep | Computed) -> References:
    if SEGMENT_ENTERED not in step.called and SEGMENT_EXITED not in step.called:
        return References()
    for item in step.where:
        if (
            item.property == "segment"
            and item.op in ("eq", "in")
            and not (item.ignore_case or item.value_list)
        ):
            operands = [item.value] if item.op == "eq" else item.value
            if not when_missing(item):
                return References(frozenset(operand for operand in operands if type(operand) is str))
    return References(all_others=True)
