"""The states of profiles as of one commit, kept while later commits change them.

Example: a checkpoint of commit 4,711 scans the stored profiles, which takes seconds. Meanwhile commit 4,715
changes ada. Her state before that is kept here: the checkpoint takes it, whether the scan meets her before or
after. So the scan needs no pause, and the checkpoint is of one commit.
"""

from __future__ import annotations

from livesegments.history.mark import Row
from livesegments.wire.profilekey import ProfileKey, split


class Images:
    """At most `limit` profiles; `spilt` once there are more, and then it is of no use."""

    def __init__(self, limit: int) -> None:
        self.spilt = False
        self._limit = limit
        self._states: dict[ProfileKey, bytes] = {}

    def keep(self, key: ProfileKey, state: bytes) -> None:
        """`state` before a change; empty of a profile never stored. The first change counts."""
        if self.spilt or key in self._states:
            return
        if len(self._states) >= self._limit:
            self.spilt = True
            self._states = {}
            return
        self._states[key] = state

    def rows(self) -> list[Row]:
        return [(*split(key), state or None) for key, state in self._states.items()]
