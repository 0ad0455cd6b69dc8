"""What is due is fired by a clock that doesn't run ahead because the machine's does."""

from __future__ import annotations

from livesegments.runtime.clock import AHEAD_MS, HELD_MS, GuardedClock

T = 1_700_000_000_000
YEAR_MS = 365 * 86_400_000


class Machine:
    def __init__(self) -> None:
        self.running_ms = 5_000
        self.ahead_ms = 0
        self.store_ahead_ms = 0
        self.clock = GuardedClock(self.wall_ms, lambda: self.running_ms)

    def wall_ms(self) -> int:
        return T + self.running_ms + self.ahead_ms

    def passes(self, ms: int, every_ms: int = 1_000) -> int:
        """Time goes by, with a look a second; what the guarded clock says then is ahead by what is returned."""
        for _ in range(0, ms, every_ms):
            self.running_ms += every_ms
            self.clock.look(T + self.running_ms + self.store_ahead_ms)
        return self.clock() - T - self.running_ms


def test_a_right_clock_is_followed_and_so_is_a_small_step() -> None:
    machine = Machine()
    assert machine.passes(10_000) == 0
    machine.ahead_ms = AHEAD_MS
    assert machine.clock() == machine.wall_ms()
    machine.store_ahead_ms = AHEAD_MS
    assert machine.passes(10_000) == AHEAD_MS
    assert machine.clock.held_ms == 0


def test_a_clock_that_is_wrong_for_a_moment_fires_nothing() -> None:
    machine = Machine()
    machine.ahead_ms = machine.store_ahead_ms = YEAR_MS  # both on one machine
    assert machine.passes(HELD_MS - 5_000) == AHEAD_MS
    assert machine.clock.held_ms == YEAR_MS - AHEAD_MS
    machine.ahead_ms = machine.store_ahead_ms = 0
    assert machine.passes(5_000) == 0
    machine.ahead_ms = machine.store_ahead_ms = YEAR_MS
    assert machine.passes(HELD_MS - 5_000) == AHEAD_MS  # from anew


def test_a_step_that_lasts_is_believed() -> None:
    machine = Machine()
    machine.ahead_ms = machine.store_ahead_ms = YEAR_MS  # a machine that was behind, and was set right
    assert machine.passes(HELD_MS + 5_000) == YEAR_MS


def test_a_clock_that_is_ahead_of_the_stores_is_not_believed() -> None:
    machine = Machine()
    machine.ahead_ms = YEAR_MS
    assert machine.passes(10 * HELD_MS) == AHEAD_MS
    machine.running_ms += 10 * HELD_MS  # no look, as the store is away: its last word counts
    assert machine.clock() - T - machine.running_ms == AHEAD_MS


def test_a_step_back_is_followed_at_once_and_so_is_the_way_back() -> None:
    machine = Machine()
    machine.ahead_ms = -YEAR_MS
    assert machine.passes(5_000) == -YEAR_MS
    machine.ahead_ms = 0
    assert machine.passes(5_000) == -YEAR_MS + AHEAD_MS
    assert machine.passes(HELD_MS) == 0
