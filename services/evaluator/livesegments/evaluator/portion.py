"""How many profiles are worked on without a pause: as many as a time allows, by what the last ones took.

Example: giving history to 128 profiles took 1.6 ms. While records come, events may wait 4 ms for the next
ones, so these are 320; while none come, a larger commit costs the store and the worker less.
"""

from __future__ import annotations

from livesegments.evaluator.pace import Pace

BUSY_S = 0.004
"""While records come an event waits about so long for a portion."""
CALM_S = 0.012
FIRST, LEAST, MOST = 128, 32, 768
"""Profiles."""


class Portion:
    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._each_s = BUSY_S / FIRST

    @property
    def size(self) -> int:
        allowed_s = CALM_S if self._pace.calm else BUSY_S
        return max(LEAST, min(MOST, int(allowed_s / self._each_s)))

    def took(self, profiles: int, begun_s: float) -> None:
        """So many, from that instant of the pace's clock until now. The last portions count for half."""
        spent_s = self._pace.now_s() - begun_s
        if spent_s > 0:
            self._each_s = (self._each_s + spent_s / profiles) / 2
