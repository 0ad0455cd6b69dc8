"""Windows: the span of instants in which an event counts.

- An event at t counts in `{"last": d, "skip": e}` at `now` exactly when t ⊕ e ≤ now < t ⊕ d.
- It counts in `{"period": "month", "from": i, "to": j}` while the number of its month less that of the month
  of `now` lies between i and j.

So a window turns an event's time into one span [enter, leave), and truth moves only at those two instants.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import TypeAlias

from msgspec import Struct

from livesegments.core import period
from livesegments.core.definition import PeriodName, Window
from livesegments.core.window import (
    BEGINNING,
    DAY_MS,
    FOREVER,
    Duration,
    Shift,
    Span,
    parse_date,
    parse_duration,
    plus,
)


class Sliding(Struct, frozen=True):
    """`enter` is None when nothing is skipped: the event counts from the start. `fixed_ms`: so long after it
    happened an event leaves; 0 where that isn't the same for all."""

    leave: Shift
    enter: Shift | None
    fixed_ms: int = 0

    def leaves(self, times: Sequence[int]) -> list[int]:
        """When events of these times leave."""
        fixed_ms, leave = self.fixed_ms, self.leave
        return [time_ms + fixed_ms for time_ms in times] if fixed_ms else list(map(leave, times))


class Absolute(Struct, frozen=True):
    """from_ms ≤ t < to_ms. Nothing applied lies in the future, so it never moves by the clock."""

    from_ms: int
    to_ms: int


Frame: TypeAlias = Sliding | Absolute
"""A window made ready for a zone. Ever is the absolute window of all instants."""

_FAR_MS = 1_000 * 366 * DAY_MS
"""Longer windows may end later than `FOREVER`."""
EVER = Absolute(BEGINNING, FOREVER)


def frame(window: Window | None, zone: tzinfo) -> Frame:
    if window is None:
        return EVER
    if window.last is not None:
        skip = plus(parse_duration(window.skip), zone) if window.skip else None
        last = parse_duration(window.last)
        return Sliding(plus(last, zone), skip, last.ms if last.ms < _FAR_MS else 0)
    if window.period is not None:
        return _calendar(window.period, *periods(window), zone)
    return Absolute(_bound(window.from_, zone, BEGINNING), _bound(window.to, zone, FOREVER))


def canonical(window: Window | None, zone: tzinfo) -> tuple[object, ...]:
    """The parts on which a window depends, with durations and instants in one form."""
    if window is None:
        return ("ever",)
    if window.last is not None:
        skip = parse_duration(window.skip) if window.skip else Duration(0, 0)
        last = parse_duration(window.last)
        return ("last", last.months, last.ms, skip.months, skip.ms)
    if window.period is not None:
        return ("period", window.period, *periods(window))
    return ("from", _bound(window.from_, zone, BEGINNING), _bound(window.to, zone, FOREVER))


def periods(window: Window) -> tuple[int, int]:
    """The numbers `from` and `to` of a window of calendar periods, 0 where they are left out."""
    return int(window.from_ or 0), int(window.to or 0)


def _calendar(sort: PeriodName, least: int, most: int, zone: tzinfo) -> Sliding:
    def enter(t_ms: int) -> int:
        return period.start(sort, period.number(sort, t_ms, zone) - most, zone)

    def leave(t_ms: int) -> int:
        return period.start(sort, period.number(sort, t_ms, zone) - least + 1, zone)

    return Sliding(leave, enter if most < 0 else None)


def _bound(text: str | int | None, zone: tzinfo, missing: int) -> int:
    if text is None:
        return missing
    assert isinstance(text, str), "check lets no numbers through without a period"
    instant = parse_date(text, zone)
    if instant is None:
        raise ValueError(f"{text!r} is not an ISO 8601 date")
    return instant


def span(frame: Frame, t_ms: int) -> Span | None:
    """[enter, leave) in which an event at t counts; None if it never does."""
    if isinstance(frame, Absolute):
        return (t_ms, FOREVER) if frame.from_ms <= t_ms < frame.to_ms else None
    enter = frame.enter(t_ms) if frame.enter else t_ms
    leave = frame.leave(t_ms)
    return (enter, leave) if enter < leave else None
