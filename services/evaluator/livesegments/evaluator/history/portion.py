"""How many profiles get their history in one commit, and how many without a pause, by what others took.

Example: giving history to 128 profiles took 1.6 ms of the processor. While records come the event loop goes
round after 240 of them, 3 ms, because an event has to come up in it some ten times on its way. A commit has
as many as take 24 ms, since commits cost the store and the worker about the same, whatever their size.
"""

from __future__ import annotations

from livesegments.evaluator.commits.pace import Pace

SLICE_S, COMMIT_S = 0.003, 0.024
"""While records come."""
CALM_S = 0.024
"""Otherwise, of both."""
LEAST, MOST = 4, 768
"""Profiles."""


class Portion:
    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._each_s = SLICE_S / pace.slice

    @property
    def size(self) -> int:
        """Of a commit."""
        return self._within(CALM_S if self._pace.calm else COMMIT_S)

    @property
    def slice(self) -> int:
        return self._within(CALM_S if self._pace.calm else SLICE_S)

    def took(self, profiles: int, begun_s: float) -> None:
        """So many, since the thread had taken `begun_s` of the processor (`Pace.spent_s`): that others had
        it in between makes no portion smaller. What was known before counts for half."""
        spent_s = self._pace.spent_s() - begun_s
        if spent_s > 0:
            self._each_s = (self._each_s + spent_s / profiles) / 2

    def _within(self, allowed_s: float) -> int:
        return max(LEAST, min(MOST, int(allowed_s / self._each_s)))
