"""Numbers and instants as a person reads them. Example: 1,234,567 and 27 Nov 2026, 14:05."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

LONGEST = 300


def number(value: float) -> str:
    """Grouped by thousands; whole numbers have no fraction."""
    return f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"


def day(instant: datetime, zone: ZoneInfo) -> str:
    local = instant.astimezone(zone)
    return f"{local.day} {local:%b %Y}"


def moment(instant: datetime, zone: ZoneInfo) -> str:
    """To the minute, in the workspace's zone."""
    return f"{day(instant, zone)}, {instant.astimezone(zone):%H:%M}"


def exact(instant: datetime, zone: ZoneInfo) -> str:
    """To the second, with the zone: where somebody wants to be sure."""
    return f"{day(instant, zone)}, {instant.astimezone(zone):%H:%M:%S %Z}"


def span(length: timedelta) -> str:
    """A length of time in its largest unit: 3 days, 2 hours."""
    seconds = int(length.total_seconds())
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size or size == 1:
            count = seconds // size
            return f"{count:,} {unit}{'' if count == 1 else 's'}"
    raise AssertionError(length)


def count(many: int, one: str, several: str = "") -> str:
    """1 profile, 2,000 profiles."""
    return f"{many:,} {one if many == 1 else several or f'{one}s'}"


def short(text: str, longest: int = LONGEST) -> str:
    """A text that came in, cut where it is longer than anybody would read."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
