"""An event leaf's truth at any instant, and every instant at which it might change.

Both are worked out from the list of all events that count for the leaf, one such list a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

from livesegments.core import definition, event
from livesegments.core.oracle.calendar import ALWAYS, Calendar, beginning
from livesegments.core.oracle.compare import comparable, is_scalar, kind, number, passes, values_on

EventLeaf: TypeAlias = definition.Event | definition.Occurrence | definition.Sequence
Truth: TypeAlias = Callable[[int], bool]
Evidence: TypeAlias = tuple[Truth, list[int]]
"""now → holds; the instants at which the clock alone might change that (some may not)."""
Span: TypeAlias = tuple[int, int]


def stamp(happened: event.Event) -> tuple[int, str]:
    return happened.time_ms, happened.id


def evidence(leaf: EventLeaf, matching: list[list[event.Event]], calendar: Calendar) -> Evidence:
    """`matching`: for each step of the leaf (one but for sequences) the events that match it."""
    match leaf:
        case definition.Event():
            return _measured(leaf, matching[0], calendar)
        case definition.Occurrence():
            return _occurred(leaf, matching[0], calendar)
    return _in_sequence(leaf, matching, calendar)


def inside(span: Span | None, now: int) -> bool:
    return span is not None and span[0] <= now < span[1]


def window_edges(spans: list[Span | None]) -> list[int]:
    return [edge for span in spans if span not in (None, ALWAYS) for edge in span or ()]


def _measured(leaf: definition.Event, events: list[event.Event], calendar: Calendar) -> Evidence:
    spans = [calendar.span(leaf.window, each.time_ms) for each in events]

    def holds(now: int) -> bool:
        counted = [each for each, span in zip(events, spans, strict=True) if inside(span, now)]
        measured = measure(leaf.measure, counted, calendar)
        return measured is not None and _compares(leaf.op, measured, leaf.value)

    return holds, window_edges(spans)


def measure(wanted: definition.Measure, events: list[event.Event], calendar: Calendar) -> Fraction | None:
    """None where it is undefined."""
    if wanted.of == "count":
        return Fraction(len(events))
    if wanted.of == "days":
        days: set[date] = {calendar.day(each.time_ms) for each in events}
        return Fraction(len(days))
    if wanted.of in ("weeks", "sunday_weeks", "months"):
        firsts = {beginning(wanted.of[:-1], calendar.day(each.time_ms)) for each in events}
        return Fraction(len(firsts))
    assert wanted.property is not None
    values = [value for each in events for value in values_on(wanted.property, each.properties)]
    if wanted.of == "distinct":
        return Fraction(len({(kind(value), comparable(value)) for value in values if is_scalar(value)}))
    numbers = [Fraction(number(value)) for value in values if kind(value) == "number"]
    if wanted.of == "sum":
        return sum(numbers, Fraction(0))
    if not numbers:
        return None
    if wanted.of == "avg":
        return sum(numbers, Fraction(0)) / len(numbers)
    return min(numbers) if wanted.of == "min" else max(numbers)


def _compares(op: str, measured: Fraction, value: Any) -> bool:
    low, *more = (Fraction(Decimal(repr(bound))) for bound in (value if op == "between" else [value]))
    match op:
        case "eq":
            return measured == low
        case "neq":
            return measured != low
        case "gt":
            return measured > low
        case "gte":
            return measured >= low
        case "lt":
            return measured < low
        case "lte":
            return measured <= low
    return low <= measured <= more[0]


def _occurred(leaf: definition.Occurrence, events: list[event.Event], calendar: Calendar) -> Evidence:
    if not events:
        return (lambda now: False), []
    chosen = (min if leaf.which == "first" else max)(map(stamp, events))
    alike = [each for each in events if stamp(each) == chosen]
    if not any(passes(leaf.has, each.properties, calendar, each.time_ms) for each in alike):
        return (lambda now: False), []
    span = calendar.span(leaf.window, chosen[0])
    return (lambda now: inside(span, now)), window_edges([span])


def _in_sequence(
    leaf: definition.Sequence, matching: list[list[event.Event]], calendar: Calendar
) -> Evidence:
    if leaf.same is not None:
        apart = [_spans(leaf, each, calendar) for each in _by_value(leaf.same, matching)]
        spans = [span for part in apart for span in part]
    else:
        spans = _spans(leaf, matching, calendar)
    return (lambda now: any(inside(span, now) for span in spans)), window_edges(spans)


SHARED = 100
"""So many values of one event count."""


def _by_value(path: str, matching: list[list[event.Event]]) -> Iterator[list[list[event.Event]]]:
    """For every value on the path, the events that have it."""
    having: dict[int, set[Any]] = {}
    for each in (each for step in matching for each in step):
        values = [value for value in values_on(path, each.properties)[:SHARED] if is_scalar(value)]
        having[id(each)] = {(kind(value), comparable(value)) for value in values}
    for wanted in set().union(*having.values()):
        yield [[each for each in step if wanted in having[id(each)]] for step in matching]


def _spans(
    leaf: definition.Sequence, matching: list[list[event.Event]], calendar: Calendar
) -> list[Span | None]:
    spans: list[Span | None] = []
    for first in matching[0]:
        until = calendar.add(first.time_ms, leaf.within)
        window = calendar.span(leaf.window, first.time_ms)
        if window is not None and _complete(leaf, first, until, matching[1:]):
            spans.append((max(window[0], until), window[1]) if leaf.steps[-1].absent else window)
    return spans


def _complete(
    leaf: definition.Sequence, first: event.Event, until: int, later: list[list[event.Event]]
) -> bool:
    """Whether `first` begins a chain, given that the clock has come to `until`."""
    absent = leaf.steps[-1].absent
    reached = [first]
    for step in later[:-1] if absent else later:
        earliest = min(map(stamp, reached))
        reached = [each for each in step if each.time_ms <= until and earliest < stamp(each)]
        if not reached:
            return False
    if not absent:
        return True
    return any(
        not any(stamp(last) < stamp(spoiler) and spoiler.time_ms <= until for spoiler in later[-1])
        for last in reached
    )
