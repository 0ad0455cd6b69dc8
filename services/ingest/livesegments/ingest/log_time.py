"""How far the log has come in clock mode `log`, and which stamps are too far ahead of it.

There the newest stamp is the clock, and a clock never goes back: one event with today's stamp in a log of
two years ago would close every window for good. So a stamp far beyond the newest one is refused. The newest
is that of the events accepted here, or the clock of the evaluators' partitions where that is further;
before the first event any stamp may come, also where somebody was put on a list before it, or a file was
imported. `livesegments clock T` moves the log on over a longer gap.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

NO_TIME_MS = 100_000_000_000
"""In March 1973. What the api itself writes has the log's time or, before there is one, a time up to this."""


class LogTime:
    """`clock_ms` asks for the newest clock of all partitions, None before the first event."""

    def __init__(self, ahead_ms: int, clock_ms: Callable[[], Awaitable[int | None]] | None = None) -> None:
        self.ahead_ms = ahead_ms
        self._clock_ms = clock_ms
        self._newest_ms: int | None = None
        self._asked = clock_ms is None
        self._refused = False

    def is_beyond(self, time_ms: int) -> bool:
        """Whether the stamp is more than `ahead_ms` beyond the newest."""
        beyond = self._newest_ms is not None and time_ms > self._newest_ms + self.ahead_ms
        self._refused |= beyond
        return beyond

    def accepted(self, time_ms: int) -> None:
        if time_ms > NO_TIME_MS:
            self._newest_ms = max(time_ms, self._newest_ms or 0)

    async def is_newer(self) -> bool:
        """Asks for the clock if a stamp was refused since, or if it was never asked for: whether it went on.

        Raises Away.
        """
        if self._clock_ms is None or (self._asked and not self._refused):
            return False
        before, clock_ms = self._newest_ms, await self._clock_ms()
        self._asked, self._refused = True, False
        if clock_ms is not None:
            self.accepted(clock_ms)
        return self._newest_ms != before
