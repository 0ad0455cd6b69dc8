"""Dates seen from now: the span of instants in which a date is so long ago, so near, in this month, …

Example: `older_than 18y` holds for the date 2006-05-01 from 1 May 2024 on. Every such op gives, for one date,
the span [start, end) in which it holds, or the nearest one around or after `now` where there are several (an
anniversary comes every year). In a filter of an event, the event's own time is `now`.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date, tzinfo
from typing import Any, TypeAlias

from livesegments.core import period
from livesegments.core.period import Period
from livesegments.core.value import date_of
from livesegments.core.window import (
    BEGINNING,
    FOREVER,
    Span,
    anniversary,
    local,
    minus,
    parse_duration,
    plus,
)

SpanOf: TypeAlias = Callable[[Any, int], Span | None]
"""(value, now) → the instants [start, end) around or after now in which it holds; None: can't be compared."""
DateSpan: TypeAlias = Callable[[int, int], Span]
"""The same of a date that is an instant (ms)."""


def span_of(op: str, operand: Any, zone: tzinfo) -> SpanOf:
    """Of every op that `words` marks as relative to now."""
    around = date_span(op, operand, zone)

    def spanned(value: Any, now: int) -> Span | None:
        then = date_of(value, zone)
        return None if then is None else around(then, now)

    return spanned


def bounds(operand: Mapping[str, Any]) -> tuple[int, int]:
    """The numbers `from` and `to`, 0 where they are left out."""
    return operand.get("from", 0), operand.get("to", 0)


def date_span(op: str, operand: Any, zone: tzinfo) -> DateSpan:
    """The same for dates that are instants."""
    match op:
        case "in_period":
            return _in_period(operand["period"], *bounds(operand), zone)
        case "anniversary":
            return _anniversary("day", *bounds(operand), zone)
        case "anniversary_in_month":
            return _anniversary("month", *bounds(operand), zone)
    duration = parse_duration(operand)
    later, earlier = plus(duration, zone), minus(duration, zone)
    match op:
        case "in_last":
            return lambda then, now: (then, later(then))
        case "in_next":
            return lambda then, now: (earlier(then), then)
        case "older_than":
            return lambda then, now: (later(then), FOREVER)
        case "younger_than":
            return lambda then, now: (BEGINNING, later(then))
    assert op == "anniversary_in_next", "check lets no other op through"
    return lambda then, now: anniversary(then, earlier, zone, now)


def _in_period(sort: Period, least: int, most: int, zone: tzinfo) -> DateSpan:
    def spanned(then: int, now: int) -> Span:
        at = period.number(sort, then, zone)
        return period.start(sort, at - most, zone), period.start(sort, at - least + 1, zone)

    return spanned


def _anniversary(sort: Period, least: int, most: int, zone: tzinfo) -> DateSpan:
    """Some anniversary's day (or month) lies from `least` to `most` days (months) ahead."""

    def spanned(then: int, now: int) -> Span:
        born = local(then, zone)
        year = max(born.year + 1, local(now, zone).year - 2)
        while year <= 9_998:
            day = date(year, born.month, min(born.day, monthrange(year, born.month)[1]))
            at = period.of_date(sort, day)
            end = period.start(sort, at - least + 1, zone)
            if end > now:
                return period.start(sort, at - most, zone), end
            year += 1
        return FOREVER, FOREVER

    return spanned
