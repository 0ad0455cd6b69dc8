"""The wall clock is read here only. Composition roots hand it on as a function."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Milliseconds since 1970 UTC."""

AHEAD_MS = 5 * 60_000
"""So far a clock may be ahead of what is known, or step ahead, without being doubted."""
HELD_MS = 60_000
"""A step further ahead than that is believed once it has stood for so long."""


def wall_ms() -> int:
    """May step back, as the machine's clock may."""
    return time.time_ns() // 1_000_000


def running_ms() -> int:
    """Of a clock that nobody sets. It goes on while the machine sleeps, where the system has such a clock."""
    kind = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(kind) // 1_000_000


class GuardedClock:
    """The wall clock for firing what is due, kept from running ahead.

    Example: a machine's clock is set to the year 2036 for three seconds. By the wall clock every window of
    every profile would close in these seconds, and as a partition's clock never goes back, none would open
    again for years. What fires late, on the other hand, fires at its own instant all the same. So of two
    clocks that disagree the earlier one counts: `look` compares with the store's, and with how long it is
    since the last look.

    A step of more than `AHEAD_MS` is believed after `HELD_MS`; a step back at once.
    """

    def __init__(self, wall: Clock, running: Clock) -> None:
        self._wall = wall
        self._running = running
        self._known_ms = wall()
        self._looked_ms = running()
        self._stepped_ms: int | None = None

    def __call__(self) -> int:
        now_ms = self._wall()
        if now_ms <= self._known_ms + AHEAD_MS:
            return now_ms
        return min(now_ms, self._expected_ms + AHEAD_MS)

    @property
    def held_ms(self) -> int:
        """How far the wall clock is ahead of this one."""
        wall_ms = self._wall()
        return wall_ms - min(wall_ms, self._expected_ms + AHEAD_MS)

    @property
    def _expected_ms(self) -> int:
        return self._known_ms + self._running() - self._looked_ms

    def look(self, store_ms: int) -> None:
        """Every second or so, with what the store's clock says."""
        now_ms, expected_ms, seen_ms = self._running(), self._expected_ms, min(self._wall(), store_ms)
        if seen_ms > expected_ms + AHEAD_MS:
            if self._stepped_ms is None:
                self._stepped_ms = now_ms
            if now_ms - self._stepped_ms < HELD_MS:
                return
        self._known_ms, self._looked_ms, self._stepped_ms = seen_ms, now_ms, None
