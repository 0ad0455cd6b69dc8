"""Dates seen from an instant: whether one is so long ago, so near, in this month, or has its anniversary."""

from __future__ import annotations

from livesegments.core.definition import Attribute, Filter
from livesegments.core.oracle.calendar import Calendar, beginning, moved

RELATIVE = (
    "in_last",
    "in_next",
    "older_than",
    "younger_than",
    "in_period",
    "anniversary",
    "anniversary_in_month",
    "anniversary_in_next",
)


def relative(test: Attribute | Filter, then: int, calendar: Calendar, now: int) -> bool:
    """Whether an op holds for a date, at an instant."""
    operand = test.value
    match test.op:
        case "in_last":
            return then <= now < calendar.add(then, operand)
        case "in_next":
            return calendar.add(then, operand, -1) <= now < then
        case "older_than":
            return calendar.add(then, operand) <= now
        case "younger_than":
            return now < calendar.add(then, operand)
        case "in_period":
            begin, end = calendar.period_span(operand["period"], then, *_numbers(test))
            return begin <= now < end
        case "anniversary" | "anniversary_in_month":
            year = calendar.day(now).year
            return any(start <= now < end for start, end in _spans(test, then, calendar, year, year))
    year = max(calendar.day(now).year, calendar.day(then).year)
    coming = calendar.anniversaries(then, year - 1, year + 2)
    start = next((start for start, end in coming if now < end), None)
    return start is not None and calendar.add(start, operand, -1) <= now


def edges(test: Attribute, then: int, calendar: Calendar, now: int, until: int) -> list[int]:
    """Every instant between two others at which the clock alone might change that."""
    operand = test.value
    match test.op:
        case "in_last":
            return [then, calendar.add(then, operand)]
        case "in_next":
            return [calendar.add(then, operand, -1), then]
        case "older_than" | "younger_than":
            return [calendar.add(then, operand)]
        case "in_period":
            return [*calendar.period_span(operand["period"], then, *_numbers(test))]
    first, last = calendar.day(now).year, calendar.day(until).year
    if test.op == "anniversary_in_next":
        days = calendar.anniversaries(then, first - 1, last + 5)
        return [edge for start, end in days for edge in (calendar.add(start, operand, -1), end)]
    return [edge for span in _spans(test, then, calendar, first, last) for edge in span]


def _spans(
    test: Attribute | Filter, then: int, calendar: Calendar, first_year: int, last_year: int
) -> list[tuple[int, int]]:
    """The instants [start, end) of each anniversary in reach, in which it is as near as is asked."""
    least, most = _numbers(test)
    period = "day" if test.op == "anniversary" else "month"
    days = calendar.birthdays(then, first_year - 3, last_year + 3)
    firsts = [beginning(period, day) for day in days]
    return [
        (calendar.midnight(moved(period, day, -most)), calendar.midnight(moved(period, day, 1 - least)))
        for day in firsts
    ]


def _numbers(test: Attribute | Filter) -> tuple[int, int]:
    return test.value.get("from", 0), test.value.get("to", 0)
