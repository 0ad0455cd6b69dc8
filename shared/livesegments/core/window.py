"""Instants, durations and dates: t ⊕ d and t ⊖ d.

The rules (CONDITIONS, "Instants, windows, durations"):
- A duration is fixed (s m h d w: so many milliseconds) or calendar (mo y: same local day and time of
  day, clipped to the month's last day). A local time that a clock change skips is read with the offset
  before it, a repeated one is the earlier: both are what PEP 495 calls fold=0.
- ⊕ with a calendar duration is not monotone: the 30th, 11:00, plus a month can lie after the 31st,
  10:00, plus a month (both are clipped to the 28th). So whatever is kept "newest first" is ordered by
  its `leave`, never by its time.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct

FOREVER = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z in ms: later than every instant; sums beyond it stop here."""
BEGINNING = -62_135_596_800_000
"""0001-01-01T00:00Z in ms."""
DAY_MS = 86_400_000

Span: TypeAlias = tuple[int, int]
Shift: TypeAlias = Callable[[int], int]

_DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d|w|mo|y)")
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": DAY_MS, "w": 7 * DAY_MS}
_UNIT_MONTHS = {"mo": 1, "y": 12}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII,
)


class Duration(Struct, frozen=True):
    """Either `months` or `ms` is more than 0."""

    months: int
    ms: int


def parse_duration(text: str) -> Duration:
    """`"30d"`, `"2mo"`. Raises ValueError."""
    match = _DURATION.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise ValueError(f"{text!r} is not a duration such as 45s, 15m, 12h, 30d, 2w, 2mo or 1y")
    count, unit = int(match[1]), match[2]
    if unit in _UNIT_MONTHS:
        return Duration(count * _UNIT_MONTHS[unit], 0)
    return Duration(0, count * _UNIT_MS[unit])


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime, rounded down."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def local(t_ms: int, zone: tzinfo) -> datetime:
    """Instants of the calendar's first and last day (years 1 and 9999) are taken as a day further in."""
    t_ms = min(max(t_ms, BEGINNING + DAY_MS), FOREVER - DAY_MS)
    return (_EPOCH + timedelta(milliseconds=t_ms)).astimezone(zone)


def parse_date(text: str, zone: tzinfo) -> int | None:
    """An ISO 8601 date or date-time as ms; without an offset it is read in `zone`. None if it is none."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0),
            int((fraction or "")[:3].ljust(3, "0")) * 1000,
            _offset(offset) if offset else zone,
        )  # fmt: skip
        return to_ms(moment)
    except (ValueError, OverflowError):
        return None


def _offset(text: str) -> tzinfo:
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
    if minutes > 59:
        raise ValueError(f"{text!r} is no offset")
    ahead = timedelta(hours=hours, minutes=minutes)
    return timezone(-ahead if text[0] == "-" else ahead)


def add_months(t_ms: int, months: int, zone: tzinfo) -> int:
    """t ⊕ months: same local day and time of day, clipped to the month's last day."""
    moment = local(t_ms, zone)
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= year <= 9998:
        return FOREVER if months > 0 else BEGINNING
    day = min(moment.day, monthrange(year, month + 1)[1])
    return to_ms(moment.replace(year=year, month=month + 1, day=day, fold=0))


QUARTER_MS = 900_000
"""Zones change their offset, and days begin, on quarter hours UTC; where one doesn't, nothing is remembered.
(Monrovia was 44 minutes and 30 seconds behind until 1972, Kiritimati 10 hours and 40 minutes until 1979.)"""
_FIRST = datetime(1970, 1, 1).toordinal()
"""Day 0 of the days since 1970, as a proleptic ordinal."""
_LAST_DAY = 2_500_000
"""Of the days since 1970, in the year 8814: nothing is remembered of later ones."""


@lru_cache(maxsize=4_096)
def _ahead_ms(day: int, zone: tzinfo) -> int | None:
    """How far a zone is ahead of UTC throughout a day UTC since 1970; None where that changes within it."""
    looks = (*range(0, DAY_MS, QUARTER_MS), DAY_MS - 1)
    ahead = {local(day * DAY_MS + at_ms, zone).utcoffset() for at_ms in looks}
    first = ahead.pop()
    return None if ahead or first is None else first // timedelta(milliseconds=1)


@lru_cache(maxsize=8_192)
def _day_shift(day: int, ahead_ms: int, months: int, zone: tzinfo) -> int | None:
    """How far t ⊕ months lies from t, for the instants of a local day since 1970; None where it isn't the
    same for all of them. `ahead_ms`: the zone's offset at them.

    A local time is skipped, or comes twice, only within a day of a change of the offset.
    """
    before = date.fromordinal(_FIRST + day)
    year, month = divmod(before.year * 12 + before.month - 1 + months, 12)
    if not 1971 <= year < 8_000:
        return None
    last = monthrange(year, month + 1)[1]
    after = date(year, month + 1, min(before.day, last)).toordinal() - _FIRST
    around = {_ahead_ms(each, zone) for each in (after - 1, after, after + 1)}
    then_ms = around.pop()
    return None if around or then_ms is None else (after - day) * DAY_MS + ahead_ms - then_ms


@lru_cache(maxsize=8_192)
def _quarter_shift(quarter: int, months: int, zone: tzinfo) -> int | None:
    """How far t ⊕ months lies from t, where that is the same from the first to the last ms of a quarter."""
    first, last = quarter * QUARTER_MS, quarter * QUARTER_MS + QUARTER_MS - 1
    shift = add_months(first, months, zone) - first
    return shift if add_months(last, months, zone) - last == shift else None


def _shift_months(t_ms: int, months: int, zone: tzinfo) -> int:
    """`add_months`, quick where the offset doesn't change, and for instants that come close together."""
    if not 0 < t_ms < _LAST_DAY * DAY_MS:
        return add_months(t_ms, months, zone)
    ahead_ms = _ahead_ms(t_ms // DAY_MS, zone)
    if ahead_ms is not None:
        shift = _day_shift((t_ms + ahead_ms) // DAY_MS, ahead_ms, months, zone)
        if shift is not None:
            return t_ms + shift
    shift = _quarter_shift(t_ms // QUARTER_MS, months, zone)
    return add_months(t_ms, months, zone) if shift is None else t_ms + shift


def plus(duration: Duration, zone: tzinfo) -> Shift:
    """t → t ⊕ d."""
    months, ms = duration.months, duration.ms
    if months:
        return lambda t: _shift_months(t, months, zone)
    return lambda t: min(t + ms, FOREVER)


def minus(duration: Duration, zone: tzinfo) -> Shift:
    """t → t ⊖ d."""
    months, ms = duration.months, duration.ms
    if months:
        return lambda t: add_months(t, -months, zone)
    return lambda t: max(t - ms, BEGINNING)


def local_day(t_ms: int, zone: tzinfo) -> int:
    """The calendar day of an instant in a zone, as its proleptic ordinal."""
    ahead_ms = _ahead_ms(t_ms // DAY_MS, zone) if 0 < t_ms < _LAST_DAY * DAY_MS else None
    return local(t_ms, zone).toordinal() if ahead_ms is None else (t_ms + ahead_ms) // DAY_MS + _FIRST


def anniversary(date_ms: int, lead: Shift, zone: tzinfo, now_ms: int) -> Span:
    """[A's start ⊖ d, A's end) for the next anniversary day A of a date, in years after its own.

    `lead` is t → t ⊖ d. 29 February is on the 28th in other years. Day ends are the next midnight.
    """
    birth, today = local(date_ms, zone), local(now_ms, zone)
    year = max(birth.year + 1, today.year)
    while True:
        if year > 9998:
            return FOREVER, FOREVER
        day = min(birth.day, monthrange(year, birth.month)[1])
        start = datetime(year, birth.month, day, tzinfo=zone)
        end = to_ms(start + timedelta(days=1))
        if end > now_ms:
            return lead(to_ms(start)), end
        year += 1
