"""Calendar arithmetic by the letter of the rules, in one zone.

Local times are looked up among the offsets that the zone has around them: the earlier instant if there
are two, the offset before the change if there is none.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from livesegments.core.definition import Window

ALWAYS = (-(10**18), 10**18)
_EPOCH = datetime(1970, 1, 1)
_MS = timedelta(milliseconds=1)
_FIRST_MS, _LAST_MS = -62_135_510_400_000, 253_402_214_399_999
"""Local times are known from 0001-01-02 to 9999-12-30 UTC: that's enough, and every zone can tell them."""
_FIXED_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_ISO = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"([T ](?P<time>\d\d:\d\d(:\d\d)?)(?P<fraction>\.\d+)?(?P<offset>Z|[+-]\d\d(:?\d\d)?)?)?",
    re.ASCII,
)


class Calendar:
    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self.add = lru_cache(maxsize=100_000)(self._add)
        self.instant = lru_cache(maxsize=10_000)(self._instant)
        self.resolve = lru_cache(maxsize=100_000)(self._resolve)

    def local(self, t_ms: int) -> datetime:
        """The time that a clock on the wall shows, without zone."""
        moment = (_EPOCH + _tellable(t_ms) * _MS).replace(tzinfo=UTC)
        return moment.astimezone(self._zone).replace(tzinfo=None)

    def day(self, t_ms: int) -> date:
        return self.local(t_ms).date()

    def _resolve(self, wall: datetime) -> int:
        """The instant at which the clock on the wall shows this."""
        reading = round((wall - _EPOCH) / _MS)
        hours = range(-27, 28)
        offsets = {self._offset_ms(reading + hour * _FIXED_MS["h"]) for hour in hours}
        possible = [reading - offset for offset in offsets if self._offset_ms(reading - offset) == offset]
        before_the_gap = reading - self._offset_ms(reading - 26 * _FIXED_MS["h"])
        return min(possible, default=before_the_gap)

    def _offset_ms(self, t_ms: int) -> int:
        return round((self.local(t_ms) - (_EPOCH + _tellable(t_ms) * _MS)) / _MS)

    def _add(self, t_ms: int, duration: str, sign: int = 1) -> int:
        """t ⊕ d, or with sign -1 t ⊖ d."""
        parts = re.fullmatch(r"(\d+)(\D+)", duration)
        assert parts is not None
        amount, unit = sign * int(parts[1]), parts[2]
        if unit in _FIXED_MS:
            return t_ms + amount * _FIXED_MS[unit]
        wall = self.local(t_ms)
        months = wall.year * 12 + (wall.month - 1) + amount * (12 if unit == "y" else 1)
        if not 12 <= months < 9_999 * 12:
            return sign * 10**15
        for day in (wall.day, 30, 29, 28):
            try:
                return self.resolve(wall.replace(year=months // 12, month=months % 12 + 1, day=day))
            except ValueError:
                continue
        raise AssertionError("every month has 28 days")

    def _instant(self, text: str) -> int | None:
        """The instant of an ISO 8601 date, or None."""
        found = _ISO.fullmatch(text)
        if found is None:
            return None
        try:
            wall = datetime.fromisoformat(f"{found['date']}T{found['time'] or '00:00'}")
        except ValueError:
            return None
        fraction = int(((found["fraction"] or ".") + "000")[1:4])
        if found["offset"] is None:
            return self.resolve(wall) + fraction
        sign = -1 if found["offset"][0] == "-" else 1
        digits = re.sub(r"\D", "", found["offset"]).ljust(4, "0")
        if digits[:2] > "23" or digits[2:] > "59":
            return None
        ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return round((wall - _EPOCH - sign * ahead) / _MS) + fraction

    def span(self, window: Window | None, t_ms: int) -> tuple[int, int] | None:
        """The instants [enter, leave) at which an event at t counts; None: it never does."""
        if window is None:
            return ALWAYS
        if window.last is not None:
            enter = self.add(t_ms, window.skip) if window.skip else t_ms
            return enter, self.add(t_ms, window.last)
        if window.period is not None:
            first, last = self.period_span(window.period, t_ms, window.from_ or 0, window.to or 0)
            return max(t_ms, first), last
        start = self.instant(str(window.from_)) if window.from_ else None
        end = self.instant(str(window.to)) if window.to else None
        inside = (start is None or start <= t_ms) and (end is None or t_ms < end)
        return ALWAYS if inside else None

    def period_span(self, period: str, t_ms: int, least: int | str, most: int | str) -> tuple[int, int]:
        """The instants [start, end) from which t lies `least` to `most` periods ahead, or (below 0) back."""
        assert isinstance(least, int) and isinstance(most, int)
        first = self._first_day(period, t_ms)
        return self.midnight(moved(period, first, -most)), self.midnight(moved(period, first, 1 - least))

    def _first_day(self, period: str, t_ms: int) -> date | None:
        """The first day of the latest period that has begun by an instant; None beyond what is told."""
        day = beginning(period, self.day(t_ms))
        for by in (1, 0, -1):
            first = moved(period, day, by)
            if self.midnight(first) <= t_ms:
                return first
        return None

    def midnight(self, day: date | None) -> int:
        if day is None:
            return 10**15
        return self.resolve(datetime(day.year, day.month, day.day))

    def birthdays(self, t_ms: int, first_year: int, last_year: int) -> list[date]:
        """The anniversary days of a date in those years, but only after its own year."""
        born = self.day(t_ms)
        days = []
        for year in range(max(first_year, born.year + 1), min(last_year, 9_998) + 1):
            try:
                days.append(born.replace(year=year))
            except ValueError:
                days.append(date(year, 2, 28))
        return days

    def anniversaries(self, t_ms: int, first_year: int, last_year: int) -> list[tuple[int, int]]:
        """[start, end) of each anniversary day in those years, but only after the date's own year."""
        days = self.birthdays(t_ms, first_year, last_year)
        return [(self.midnight(day), self.midnight(day + timedelta(days=1))) for day in days]


def beginning(period: str, day: date) -> date:
    """The first day of the period that a day belongs to."""
    match period:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday()) if day.year > 1 else day
        case "sunday_week":
            return day - timedelta(days=day.isoweekday() % 7) if day.year > 1 else day
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(day=1, month=(day.month - 1) // 3 * 3 + 1)
    return day.replace(day=1, month=1)


def moved(period: str, day: date | None, by: int) -> date | None:
    """The first day of the period so many later; None where that is further than anything is told."""
    if day is None or not 200 < day.year < 9_800:
        return None
    if period in ("day", "week", "sunday_week"):
        return day + timedelta(days=by * (1 if period == "day" else 7))
    months = day.year * 12 + day.month - 1 + by * {"month": 1, "quarter": 3, "year": 12}[period]
    return date(months // 12, months % 12 + 1, 1)


def _tellable(t_ms: int) -> int:
    return min(max(t_ms, _FIRST_MS), _LAST_MS)


calendar = lru_cache(maxsize=100)(Calendar)
"""One of each zone, for what they remember."""
