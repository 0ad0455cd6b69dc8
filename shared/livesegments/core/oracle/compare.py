"""Comparing one value: True, False, or None where it cannot be compared; and looking up values on a path."""

from __future__ import annotations

from decimal import Decimal
from math import asin, cos, radians, sin, sqrt
from typing import Any

import re2

from livesegments.core.definition import Attribute, Filter
from livesegments.core.oracle.calendar import Calendar
from livesegments.core.oracle.relative import RELATIVE, relative

DENIES = {"neq": "eq", "not_in": "in", "not_contains": "contains", "has_none": "has_any"}


def kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    return "list" if isinstance(value, list) else "other"


def is_scalar(value: Any) -> bool:
    return kind(value) in ("boolean", "string", "number")


def number(value: float) -> Decimal:
    """The decimal that the shortest form of a number writes."""
    return Decimal(repr(value))


def same(left: Any, right: Any) -> bool:
    """Equality without coercion: true ≠ 1 ≠ "1", but 1 = 1.0."""
    if kind(left) != kind(right):
        return False
    if kind(left) == "list":
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    return bool(comparable(left) == comparable(right))


def comparable(value: Any) -> Any:
    """Numbers are compared as the decimals that they write."""
    return number(value) if kind(value) == "number" else value


def compare(test: Attribute | Filter, value: Any, calendar: Calendar) -> bool | None:
    """Any op but `exists`, `missing` and those relative to now."""
    if test.op in DENIES:
        denied = _holds(DENIES[test.op], test, value, calendar)
        return None if denied is None else not denied
    return _holds(test.op, test, value, calendar)


def without(test: Attribute | Filter) -> bool:
    """The answer where the value can't be compared: a negative op holds, unless its author says no."""
    return test.when_missing if isinstance(test.when_missing, bool) else test.op in DENIES


def _holds(op: str, test: Attribute | Filter, value: Any, calendar: Calendar) -> bool | None:
    operand = test.value
    if test.ignore_case and op != "matches":
        value, operand = _folded(value), _folded(operand)
    match op:
        case "eq" | "in":
            own = [item for item in (operand if op == "in" else [operand]) if kind(item) == kind(value)]
            return any(same(item, value) for item in own) if own and is_scalar(value) else None
        case "has_any" | "has_all":
            if kind(value) != "list":
                return None
            found = [any(same(item, wanted) for item in value) for wanted in operand]
            return any(found) if op == "has_any" else all(found)
        case "gt" | "gte" | "lt" | "lte" | "between":
            bounds = operand if op == "between" else [operand]
            if kind(value) != kind(bounds[0]):
                return None
            return _ordered(op, comparable(value), [comparable(bound) for bound in bounds])
        case "before" | "after":
            then = calendar.instant(value) if kind(value) == "string" else None
            limit = calendar.instant(operand)
            assert limit is not None
            return None if then is None else (then < limit) == (op == "before")
    return _text(op, test, value, operand) if kind(value) == "string" else None


def _ordered(op: str, value: Any, bounds: list[Any]) -> bool:
    match op:
        case "gt":
            return bool(value > bounds[0])
        case "gte":
            return bool(value >= bounds[0])
        case "lt":
            return bool(value < bounds[0])
        case "lte":
            return bool(value <= bounds[0])
    return bool(bounds[0] <= value <= bounds[1])


def _text(op: str, test: Attribute | Filter, value: str, operand: str) -> bool:
    match op:
        case "contains":
            return operand in value
        case "starts_with":
            return value[: len(operand)] == operand
        case "ends_with":
            return value[max(0, len(value) - len(operand)) :] == operand
    pattern = f"(?i){test.value}" if test.ignore_case else test.value
    return re2.search(pattern, value) is not None


def _folded(value: Any) -> Any:
    if isinstance(value, list):
        return [_folded(item) for item in value]
    return value.casefold() if isinstance(value, str) else value


def passes(where: tuple[Filter, ...], properties: dict[str, Any], calendar: Calendar, time_ms: int) -> bool:
    """Whether an event's properties pass all filters."""
    return all(_passes(item, properties, calendar, time_ms) for item in where)


LOOKED_AT = 1_000
"""Of a list's items."""


def _passes(item: Filter, properties: dict[str, Any], calendar: Calendar, time_ms: int) -> bool:
    if item.item or item.no_item:
        there = [each for each in values_on(item.property, properties) if each is not None][:LOOKED_AT]
        objects = [each if isinstance(each, dict) else {} for each in there]
        fits = [passes(item.item or item.no_item, each, calendar, time_ms) for each in objects]
        return any(fits) == bool(item.item)
    if item.op in ("exists", "missing"):
        return bool(_at(item.property.split("."), properties)) == (item.op == "exists")
    if item.op in ("has_any", "has_all", "has_none"):
        values = _at(item.property.split("."), properties)
    else:
        values = values_on(item.property, properties)
    if item.op in RELATIVE:
        dates = [calendar.instant(value) for value in values if isinstance(value, str)]
        seen = [relative(item, then, calendar, time_ms) for then in dates if then is not None]
        return any(seen) if seen else without(item)
    verdicts = [verdict for value in values if (verdict := compare(item, value, calendar)) is not None]
    if not verdicts:
        return without(item)
    return all(verdicts) if item.op in DENIES else any(verdicts)


def values_on(path: str, properties: dict[str, Any]) -> list[Any]:
    """Every value on a dotted path, lists on it and at its end item by item."""
    return [item for value in _at(path.split("."), properties) for item in _items(value)]


def _at(names: list[str], value: Any) -> list[Any]:
    if not names:
        return [] if value is None else [value]
    holders = [item for item in _items(value) if isinstance(item, dict)]
    return [found for holder in holders for found in _at(names[1:], holder.get(names[0]))]


def _items(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [item for inner in value for item in _items(inner)]
    return [value]


def distance_km(value: Any, lat: float, lon: float) -> float | None:
    """Great-circle distance of a point {lat, lon}; None if it is none."""
    if not isinstance(value, dict) or {kind(value.get("lat")), kind(value.get("lon"))} != {"number"}:
        return None
    north, east = radians(value["lat"] - lat), radians(value["lon"] - lon)
    chord = sin(north / 2) ** 2 + cos(radians(lat)) * cos(radians(value["lat"])) * sin(east / 2) ** 2
    return 2 * 6_371.0088 * asin(sqrt(min(1.0, chord)))
