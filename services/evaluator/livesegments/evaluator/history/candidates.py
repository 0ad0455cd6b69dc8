"""Whom a new segment may hold for, noted while its facts are given their history.

Example: "two orders in 30 days" is created over a million profiles. The state that is made of a profile's
history says at once that it has one order, so it isn't in the segment. The walk after the filling looks only
at those of which no state says that, and at those that anything has touched meanwhile.

It is noted in memory from the adoption on that began to keep the facts. So a claim that takes over a filling
has no note, and then every profile is walked over.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from livesegments.core.needed import Needed
from livesegments.core.plan import Plan

MOST = 500_000
"""Of more profiles no note is taken."""


class Candidates:
    """Of one workspace: `ids` of the profiles that may be in one of the segments `needed`."""

    def __init__(self) -> None:
        self.ids: dict[str, None] = {}
        self.full = False
        self._needed: dict[str, Needed] = {}
        self._edges: dict[int, list[int]] = {}

    def note(self, ids: Collection[str]) -> None:
        """Profiles that are changed by anything but states that deny the segments."""
        if len(self.ids) + len(ids) > MOST:
            self.full, self.ids = True, {}
        if not self.full:
            self.ids.update(dict.fromkeys(ids))

    def filling(self, needed: Mapping[str, Needed], edges: Mapping[int, list[int]]) -> None:
        """The facts of `needed` are filled from the first profile on; `edges` are those that dues are made
        for."""
        self._needed.update(needed)
        self._edges.update(edges)

    def covers(self, plan: Plan, segment: str) -> bool:
        """Whether a segment that is served now is the one of which it was noted."""
        known = self._needed.get(segment)
        if self.full or known is None or plan.segments[segment].revision != known.revision:
            return False
        return all(
            fact in plan.tracks and plan.tracks[fact].edges == self._edges[fact] for fact in known.facts
        )
