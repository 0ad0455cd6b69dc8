"""Compares the clock by which due times fire with the store's, and says where it is held back."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from livesegments.runtime import metrics
from livesegments.runtime.clock import GuardedClock
from livesegments.store.client import Away, Client

COMPARE_S = 1.0

_log = structlog.get_logger(__name__)


class Comparison:
    def __init__(self, clock: GuardedClock, store: Client) -> None:
        self._clock = clock
        self._store: Any = store
        self._held = False

    async def run(self) -> None:
        """Never returns."""
        while True:
            await self.once()
            await asyncio.sleep(COMPARE_S)

    async def once(self) -> None:
        """Nothing while the store is away: nothing fires then either."""
        try:
            seconds, microseconds = await self._store.time()
        except Away:
            return
        self._clock.look(seconds * 1_000 + microseconds // 1_000)
        held_ms = self._clock.held_ms
        metrics.CLOCK_HELD.set(held_ms / 1_000)
        if bool(held_ms) != self._held:
            self._held = bool(held_ms)
            if held_ms:
                _log.error(
                    "the clock is ahead: what is due waits for a clock that is right", ahead_ms=held_ms
                )
            else:
                _log.info("the clock is followed again")
