"""Conditions on computed attributes: the value at an instant from all events in the window, then the
comparison."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from livesegments.core.definition import Attribute, Computed, Measure
from livesegments.core.event import Event
from livesegments.core.oracle.calendar import Calendar
from livesegments.core.oracle.compare import (
    DENIES,
    comparable,
    compare,
    is_scalar,
    kind,
    values_on,
    without,
)
from livesegments.core.oracle.evidence import Evidence, inside, measure, window_edges
from livesegments.core.oracle.relative import RELATIVE, edges, relative

DATES = ("first_at", "last_at")
VALUES = ("first", "last", "mode")


def computed(leaf: Computed, events: list[Event], calendar: Calendar) -> Evidence:
    """`events`: those that match it."""
    spans = [calendar.span(leaf.window, each.time_ms) for each in events]

    def holds(now: int) -> bool:
        if leaf.asked is None:
            return False
        counted = [each for each, span in zip(events, spans, strict=True) if inside(span, now)]
        return _holds(leaf.asked, leaf.measure, value(leaf.measure, counted, calendar), calendar, now)

    return holds, window_edges(spans)


def instants(leaf: Computed, events: list[Event], calendar: Calendar, now: int, until: int) -> list[int]:
    """Every instant between two others at which the clock alone might change the answer, the value being any
    that it may come to."""
    asked = leaf.asked
    if asked is None or asked.op not in RELATIVE:
        return []
    found: set[int] = set()
    for each in events:
        if leaf.measure.of in DATES:
            found.add(each.time_ms)
        else:
            values = values_on(leaf.measure.property or "", each.properties)
            dates = [calendar.instant(item) for item in values if isinstance(item, str)]
            found.update(then for then in dates if then is not None)
    return [edge for then in found for edge in edges(asked, then, calendar, now, until)]


def value(wanted: Measure, events: list[Event], calendar: Calendar) -> Any:
    """Of the events in the window: an amount, an instant, or a value as an event has it; None: there is
    none."""
    if wanted.of in DATES:
        times = [each.time_ms for each in events]
        return (min if wanted.of == "first_at" else max)(times, default=None)
    if wanted.of not in VALUES:
        return measure(wanted, events, calendar)
    listed = [(each, _scalars(wanted.property or "", each)) for each in events]
    if wanted.of != "mode":
        at = 0 if wanted.of == "first" else -1
        ends = [((each.time_ms, each.id, _text(values[at])), values[at]) for each, values in listed if values]
        chosen = (min if wanted.of == "first" else max)(ends, key=lambda use: use[0], default=(None, None))
        return chosen[1]
    uses = [
        ((each.time_ms, each.id, place, _text(item)), item)
        for each, values in listed
        for place, item in enumerate(values)
    ]
    if not uses:
        return None
    alike: dict[Any, list[tuple[tuple[int, str, int, str], Any]]] = {}
    for use in uses:
        alike.setdefault((kind(use[1]), comparable(use[1])), []).append(use)
    best = max(alike.values(), key=lambda them: (len(them), max(use[0] for use in them)))
    return max(best, key=lambda use: use[0])[1]


def shown(wanted: Measure, found: Any) -> Any:
    """As JSON has it: dates in UTC, amounts as numbers."""
    if found is None or wanted.of in VALUES:
        return found
    if wanted.of in DATES:
        return (datetime(1970, 1, 1) + timedelta(milliseconds=found)).isoformat(timespec="milliseconds") + "Z"
    return int(found) if found == int(found) else float(found)


def _text(value: Any) -> str:
    """Of events with one time and one id the texts of the values decide."""
    if kind(value) != "number":
        return f"{kind(value)[0]}{str(value).lower() if kind(value) == 'boolean' else value}"
    number = Decimal(repr(value))
    whole = number == number.to_integral_value() and abs(number) < 2**64
    return f"n{int(number)}" if whole or isinstance(value, int) else f"d{value!r}"


def _scalars(path: str, event: Event) -> list[Any]:
    return [item for item in values_on(path, event.properties) if is_scalar(item)]


def _holds(asked: Attribute, measured: Measure, found: Any, calendar: Calendar, now: int) -> bool:
    if asked.op in ("exists", "missing"):
        return (found is not None) == (asked.op == "exists")
    if found is None:
        return without(asked)
    if measured.of in DATES:
        if asked.op in RELATIVE:
            return relative(asked, found, calendar, now)
        limit = calendar.instant(asked.value)
        assert limit is not None
        return bool(found < limit) == (asked.op == "before")
    if measured.of not in VALUES:
        return _amount(asked, Fraction(found))
    if asked.op in RELATIVE:
        then = calendar.instant(found) if isinstance(found, str) else None
        return without(asked) if then is None else relative(asked, then, calendar, now)
    verdict = compare(asked, found, calendar)
    return without(asked) if verdict is None else verdict


def _amount(asked: Attribute, amount: Fraction) -> bool:
    given = asked.value if isinstance(asked.value, list | tuple) else [asked.value]
    bounds = [Fraction(Decimal(repr(each))) for each in given if kind(each) == "number"]
    if not bounds:
        return without(asked)
    match DENIES.get(asked.op, asked.op):
        case "eq" | "in":
            return (amount in bounds) != (asked.op in DENIES)
        case "gt":
            return amount > bounds[0]
        case "gte":
            return amount >= bounds[0]
        case "lt":
            return amount < bounds[0]
        case "lte":
            return amount <= bounds[0]
    return bounds[0] <= amount <= bounds[1]
