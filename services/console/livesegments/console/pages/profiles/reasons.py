"""Why a profile is in a segment or not: the tree of the definition as rows, and what would flip it.

Example: `Placed an order at least 3 times in the last 30 days` is not true: it was 2, and `1 more order`
would flip it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from livesegments.client.explanations import Change, Evidence, Explanation, Node
from livesegments.console import formats
from livesegments.console.pages.profiles.shown import measured, subject, value
from livesegments.core.sentence.nodes import phrase

HEADS = {"all": "All of these hold:", "any": "At least one of these holds:", "not": "It is not so that:"}
MOST_NODES = 500
"""No more rows are shown; definitions have at most some hundred nodes."""


class Behind(Struct, frozen=True):
    """An event that a condition counts."""

    when: str
    name: str
    details: str
    id: str


class Reason(Struct, frozen=True):
    """A node of the definition. `evidence`: what it was decided by; `events`: those that it counts."""

    depth: int
    holds: bool
    says: str
    evidence: str = ""
    events: tuple[Behind, ...] = ()


def tree(found: Explanation, zone: ZoneInfo, names: Mapping[str, str]) -> list[Reason]:
    """Every node, parents before their children. `names`: segments by id, for conditions that name some."""
    rows: list[Reason] = []
    _walk(found.why, 0, zone, names, rows)
    return rows


def _walk(node: Node, depth: int, zone: ZoneInfo, names: Mapping[str, str], rows: list[Reason]) -> None:
    if len(rows) >= MOST_NODES:
        return
    if node.condition is not None:
        says = _begun(phrase(node.condition, names))
    else:
        says = HEADS.get(node.type, "Is on the list")
    evidence = "" if node.evidence is None else decided_by(node.evidence, zone)
    events = (
        ()
        if node.evidence is None
        else tuple(
            Behind(formats.exact(each.time, zone), formats.short(each.name), value(each.properties), each.id)
            for each in node.evidence.events
        )
    )
    rows.append(Reason(depth, node.holds, says, evidence, events))
    for child in node.of:
        _walk(child, depth + 1, zone, names, rows)


def decided_by(evidence: Evidence, zone: ZoneInfo) -> str:
    """`2, the latest on 3 Nov 2026, 10:00; may change on 9 Nov 2026, 10:00`."""
    parts = []
    if evidence.value is None:
        parts.append("there is none")
    else:
        parts.append(measured(evidence.value, zone) + (" or more" if evidence.or_more else ""))
    if evidence.steps is not None:
        shared = "" if evidence.same is None else f" with {value(evidence.same)}"
        parts.append(f"{formats.count(evidence.steps, 'step')} came{shared}")
    if evidence.at is not None:
        parts.append(f"since {formats.moment(evidence.at, zone)}")
    said = ", ".join(parts)
    if evidence.moves_at is not None:
        said += f"; the clock may change it on {formats.moment(evidence.moves_at, zone)}"
    return said


def flips(found: Explanation, zone: ZoneInfo) -> list[str]:
    """What would change the answer, one sentence each: by something that happens, and by the clock."""
    verb = "leave" if found.is_in else "enter"
    if found.change is None:
        by_change = f"No single change lets the profile {verb}."
    else:
        before = (
            "" if found.change.before is None else f", before {formats.moment(found.change.before, zone)}"
        )
        by_change = f"It would {verb} by this, for example: {change(found.change)}{before}."
    if found.flips_at is None:
        by_clock = "The clock alone changes nothing, as things are."
    else:
        by_clock = f"If nothing happens, it will {verb} on {formats.exact(found.flips_at, zone)}."
    return [by_change, by_clock]


def change(given: Change) -> str:
    name = formats.short(given.name)
    match given.type:
        case "event":
            such = "" if not given.properties else f" with {_properties(given.properties)}"
            other = "" if given.varying is None else f", each with another {formats.short(given.varying)}"
            return f"{formats.count(given.count, f'more “{name}”', f'more “{name}”')}{such}{other}"
        case "attribute":
            if given.value is None:
                return f"{name} is removed"
            return f"{name} becomes {value(given.value)}"
        case "tag":
            return f"the tag {name} is {'added' if given.value else 'removed'}"
        case "consent":
            return f"consent to {subject(given.channel, given.topic)} becomes {value(given.value)}"
    return "it is put on the list" if given.value else "it is taken off the list"


def _properties(given: Mapping[str, Any]) -> str:
    return ", ".join(f"{formats.short(name)} {value(each)}" for name, each in given.items())


def _begun(text: str) -> str:
    first = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text
