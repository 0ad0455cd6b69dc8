"""The clock of due times is compared with the store's, and where it isn't followed that is measured."""

from __future__ import annotations

from typing import Any, cast

from livesegments.evaluator.timing import Comparison
from livesegments.runtime import metrics
from livesegments.runtime.clock import AHEAD_MS, GuardedClock
from livesegments.store.client import Away

T_S = 1_700_000_000


class Store:
    there = True

    async def time(self) -> tuple[int, int]:
        if not self.there:
            raise Away("away")
        return T_S, 0


async def test_a_clock_ahead_of_the_stores_is_held_and_measured() -> None:
    store, wall = Store(), [T_S * 1_000]
    clock = GuardedClock(lambda: wall[0], lambda: 0)
    comparison = Comparison(clock, cast(Any, store))
    await comparison.once()
    assert (clock(), metrics.CLOCK_HELD._value.get()) == (wall[0], 0)
    wall[0] += 3_600_000
    await comparison.once()
    assert clock() == T_S * 1_000 + AHEAD_MS
    assert metrics.CLOCK_HELD._value.get() == 3_600 - AHEAD_MS // 1_000
    store.there = False
    await comparison.once()
    assert clock() == T_S * 1_000 + AHEAD_MS
