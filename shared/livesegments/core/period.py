"""Calendar periods: days, weeks, months, quarters and years of a time zone, and their numbers.

Example: in Berlin, the month of an instant on 31 March 2024, 22:30 UTC is April, for there it is half past
midnight on the 1st. The months of March and April have the numbers 24290 and 24291.

A period begins with the first midnight of its first day and lasts until the next one begins. So numbers never
fall while time goes on, not even where a clock that is put back shows the day before once more.
"""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from functools import lru_cache
from typing import Literal, TypeAlias, get_args

from livesegments.core.window import BEGINNING, FOREVER, QUARTER_MS, local, to_ms

Period: TypeAlias = Literal["day", "week", "sunday_week", "month", "quarter", "year"]
PERIODS: tuple[Period, ...] = get_args(Period)
_DAYS = {"day": (1, 0), "week": (7, 1), "sunday_week": (7, 0)}
"""How long it is, and the ordinal of the first day of number 0."""
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_FIRST_YEAR, _LAST_YEAR = 1, 9_998


def number(period: Period, t_ms: int, zone: tzinfo) -> int:
    """The number of the period that an instant lies in; the next period's is one more."""
    known = _quarter_number(period, t_ms // QUARTER_MS, zone) if t_ms > 0 else None
    return _number(period, t_ms, zone) if known is None else known


@lru_cache(maxsize=8_192)
def _quarter_number(period: Period, quarter: int, zone: tzinfo) -> int | None:
    """The number that a whole quarter hour has; None if another period begins within it."""
    first = _number(period, quarter * QUARTER_MS, zone)
    return first if _number(period, quarter * QUARTER_MS + QUARTER_MS - 1, zone) == first else None


def _number(period: Period, t_ms: int, zone: tzinfo) -> int:
    read = of_date(period, local(t_ms, zone).date())
    if t_ms < start(period, read, zone):
        return read - 1
    return read if t_ms < start(period, read + 1, zone) else read + 1


def of_date(period: Period, day: date) -> int:
    """The number of the period that a calendar day belongs to."""
    if period == "day":
        return day.toordinal()
    if period == "week":
        return (day.toordinal() - 1) // 7  # day 1 was a Monday
    if period == "sunday_week":
        return day.toordinal() // 7
    return (day.year * 12 + day.month - 1) // _MONTHS[period]


@lru_cache(maxsize=8_192)
def start(period: Period, number: int, zone: tzinfo) -> int:
    """The instant (ms) at which a period begins, by its number."""
    if period in _DAYS:
        days, first = _DAYS[period]
        ordinal = number * days + first
        if ordinal < 2:
            return BEGINNING
        if ordinal > date(_LAST_YEAR, 12, 31).toordinal():
            return FOREVER
        day = date.fromordinal(ordinal)
    else:
        year, month = divmod(number * _MONTHS[period], 12)
        if year < _FIRST_YEAR or (year, month) == (_FIRST_YEAR, 0):
            return BEGINNING
        if year > _LAST_YEAR:
            return FOREVER
        day = date(year, month + 1, 1)
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=zone))
