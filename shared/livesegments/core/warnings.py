"""Conditions of a sound definition that its author hardly means: they hold for everyone or for no one.

Everything here is seen in the definition alone, without a profile; nothing is refused. A warning is a
`Fault` with a code of its own (docs/conditions.md, "Warnings").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import ceil, floor, inf, nextafter
from typing import Any

import msgspec

from livesegments.core.definition import (
    All,
    AnyOf,
    Attribute,
    Bucket,
    Event,
    Filter,
    Near,
    Node,
    Not,
    Occurrence,
    Sequence,
)
from livesegments.core.fault import Fault, join, shown
from livesegments.core.value import Key, key, when_missing
from livesegments.core.window import DAY_MS, Duration, parse_duration
from livesegments.core.words import ORDER_OPS, POSITIVE, WHOLE

EXACT = 2**53
"""Below it every whole number is a float."""
HALF_EARTH_KM = 20_016
"""No place is further from another."""
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?")


def warnings(root: Node) -> list[Fault]:
    """In the order of the definition; the last one is of the definition as a whole, if it never changes."""
    found: list[Fault] = []
    verdict = _node(root, "", found)
    if verdict is not None and not any(fault.pointer == "" for fault in found):
        found.append(_constant(verdict, "", "this definition"))
    return found


def _constant(verdict: bool, at: str, what: str) -> Fault:
    if verdict:
        return Fault(at, "always", f"{what} holds for everyone")
    return Fault(at, "never", f"{what} holds for no one")


def _node(node: Node, at: str, found: list[Fault]) -> bool | None:
    """Whether it holds for everyone (True), for no one (False), or for some; notes warnings on the way."""
    match node:
        case All() | AnyOf():
            return _children(node, at, found)
        case Not():
            inner = _node(node.of, join(at, "of"), found)
            return None if inner is None else not inner
        case Attribute():
            found += _comparison(node, at)
        case Event():
            found += _filters(node.where, at)
            verdict = _measure(node)
            if verdict is not None:
                what = f"{node.measure.of} {node.op} {shown(node.value)}"
                found.append(_constant(verdict, at, what))
            return verdict
        case Occurrence():
            found += _filters(node.where, at)
            found += _filters(node.has, at, "has")
            if node.window is None and not node.has:
                told = f"without a window it holds for whoever has ever had {_events(node)}"
                found.append(Fault(at, "no_window", told))
        case Sequence():
            for index, step in enumerate(node.steps):
                found += _filters(step.where, join(join(at, "steps"), index))
            if _over_before_it_is_complete(node):
                told = (
                    f"the window must be longer than {node.within}, for which the last step has to be absent"
                )
                found.append(Fault(at, "never", f"holds for no one: {told}"))
                return False
        case Bucket() if node.from_ == 0 and node.to == 100:
            found.append(Fault(at, "always", "holds for everyone: from 0 to 100 are all profiles"))
            return True
        case Near() if node.km >= HALF_EARTH_KM:
            found.append(
                Fault(join(at, "km"), "always", "holds for everyone who has a place: no place is further")
            )
        case _:
            pass
    return None


def _children(node: All | AnyOf, at: str, found: list[Fault]) -> bool | None:
    every = isinstance(node, All)
    verdicts = [_node(child, join(join(at, "of"), index), found) for index, child in enumerate(node.of)]
    if (not every) in verdicts:
        return not every
    if all(verdict is every for verdict in verdicts):
        return every
    clash = _clash(node)
    if clash is not None:
        verdict = not every
        found.append(_constant(verdict, at, clash))
        return verdict
    return None


def _clash(node: All | AnyOf) -> str | None:
    """Why no profile can satisfy all (or fail any) of the children."""
    encoded = {msgspec.json.encode(child) for child in node.of}
    for child in node.of:
        if isinstance(child, Not) and msgspec.json.encode(child.of) in encoded:
            return "a condition beside its own 'not'"
    if isinstance(node, All) and (apart := _apart(node)) is not None:
        return apart
    wanted: dict[str, frozenset[Key | None]] = {}
    for child in node.of:
        values = _values(child, denied=isinstance(node, AnyOf))
        if values is None or not isinstance(child, Attribute):
            continue
        before = wanted.get(child.name)
        if before is not None and not before & values:
            return f"an attribute has one value: {shown(child.name)} with two that differ"
        wanted[child.name] = values if before is None else before & values
    return None


def _apart(node: All) -> str | None:
    """An amount that two of the conditions want in ranges that don't meet: `age gt 50` and `age lt 20`."""
    ranges: dict[bytes, tuple[float, float]] = {}
    for child in node.of:
        wanted = _range(child)
        if wanted is None or not isinstance(child, Attribute | Event):
            continue
        of = msgspec.json.encode(msgspec.structs.replace(child, op="eq", value=0))
        low, high = ranges.get(of, (-inf, inf))
        ranges[of] = low, high = max(low, wanted[0]), min(high, wanted[1])
        if low > high:
            told = _events(child) if isinstance(child, Event) else shown(child.name)
            return f"{told} in two ranges that don't meet"
    return None


def _events(node: Event | Occurrence) -> str:
    return " or ".join(map(shown, node.called))


def _range(node: Node) -> tuple[float, float] | None:
    """The least and the greatest amount with which a comparison with numbers holds."""
    if not isinstance(node, Attribute | Event):
        return None
    bounds = node.value if isinstance(node.value, list) else [node.value]
    if isinstance(node, Attribute) and when_missing(node):
        return None  # it holds for whoever lacks the attribute
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in bounds):
        return None
    if any(abs(each) >= EXACT for each in bounds):
        return None
    match node.op:
        case "eq" | "between":
            return bounds[0], bounds[-1]
        case "gte" | "gt":
            return (bounds[0] if node.op == "gte" else nextafter(bounds[0], inf)), inf
        case "lte" | "lt":
            return -inf, (bounds[0] if node.op == "lte" else nextafter(bounds[0], -inf))
    return None


def _values(node: Node, denied: bool) -> frozenset[Key | None] | None:
    """The only values with which an attribute condition holds (or, `denied`, doesn't hold)."""
    if not isinstance(node, Attribute) or node.ignore_case or when_missing(node) != denied:
        return None
    if node.value_list is not None:
        return None
    op = POSITIVE.get(node.op) if denied else node.op
    if op not in ("eq", "in"):
        return None
    return frozenset(key(value) for value in (node.value if op == "in" else [node.value]))


def _measure(node: Event) -> bool | None:
    """Counts, days and distinct values are whole numbers from 0 on."""
    if node.measure.of not in WHOLE:
        return None
    op, value = node.op, node.value
    low, high = value if op == "between" else (value, value)
    match op:
        case "gte" | "gt":
            return True if (low <= 0 if op == "gte" else low < 0) else None
        case "lt" | "lte":
            return False if (high <= 0 if op == "lt" else high < 0) else None
        case "eq" | "neq" | "between":
            possible = max(ceil(low), 0) <= floor(high)
            return None if possible else op == "neq"
    return None


def _over_before_it_is_complete(node: Sequence) -> bool:
    if not node.steps[-1].absent or node.window is None or node.window.last is None:
        return False
    return _bounds(parse_duration(node.window.last))[1] <= _bounds(parse_duration(node.within))[0]


def _bounds(duration: Duration) -> tuple[int, int]:
    """The shortest and the longest that a duration can be, in ms: months differ, and clocks change."""
    if not duration.months:
        return duration.ms, duration.ms
    return (duration.months * 28 - 1) * DAY_MS, (duration.months * 31 + 1) * DAY_MS


def _filters(filters: tuple[Filter, ...], at: str, field: str = "where") -> Iterator[Fault]:
    for index, item in enumerate(filters):
        place = join(join(at, field), index)
        if item.inner:
            yield from _filters(item.inner, place, "item" if item.item else "no_item")
        else:
            yield from _comparison(item, place)


def _comparison(test: Attribute | Filter, at: str) -> Iterator[Fault]:
    at = join(at, "value")
    if test.op in ("contains", "starts_with", "ends_with", "not_contains", "matches") and test.value == "":
        if test.op == "not_contains":
            yield Fault(at, "never", "every text contains the empty one: holds for none")
        else:
            yield Fault(at, "always", "holds for every text: each contains the empty one")
    if test.value_list is not None:
        return
    operands: list[Any] = test.value if isinstance(test.value, list) else [test.value]
    for operand in operands:
        if not isinstance(operand, str):
            continue
        if test.op in ORDER_OPS and _NUMBER.fullmatch(operand):
            number = operand.replace(",", ".")
            told = f'compares texts, of which "9" is greater than "10"; for numbers write {number}'
            yield Fault(at, "text_as_number", told)
            return
        if test.op in ORDER_OPS and _DATE.fullmatch(operand):
            yield Fault(at, "text_as_date", "compares texts, not dates; for dates use 'before' or 'after'")
            return
        if test.op in ("eq", "neq", "in", "not_in") and operand in ("true", "false"):
            told = f"is a text, which the boolean {operand} does not equal; write it without quotes"
            yield Fault(at, "text_as_boolean", told)
            return
