"""History given to facts that are new: late events, which facts take by design.

Example: a segment "ordered in the last 90 days" is created today. Its fact is kept from commit 4,711 of the
partition on; the orders up to that commit come from the archive and are given to the same fact here, in
any order. Each event reaches a fact once: from the archive up to the fact's commit, live after it.

Nothing is judged: the segments that read the facts are staged in the plan until every profile has its
history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from livesegments.core.edition import Edition
from livesegments.core.event import SEGMENT_ENTERED, SEGMENT_EXITED, Event
from livesegments.core.feed import NameFeeds, feeds
from livesegments.core.kind import held
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.step import follow, set_fact_due
from livesegments.core.track import Track

Past: TypeAlias = tuple[int, Event]
"""(number of the commit that applied it, event)."""


class Backfill:
    """`upto`: fact id → the commit up to which its history is wanted (all facts of `plan`)."""

    def __init__(self, plan: Plan, upto: Mapping[int, int]) -> None:
        tracks = [plan.tracks[fact] for fact in upto]
        self._plan = plan
        self._upto = upto
        self._feeds: Mapping[str, NameFeeds] = feeds(tracks, Edition())

    def give(self, profile: Profile, past: Iterable[Past], now_ms: int) -> bool:
        """Gives a profile its history, in place; whether anything of it changed.

        `profile.plan` must be the plan's revision, and all that is due up to `now_ms` must have fired.
        """
        facts, upto, changed = profile.facts, self._upto, False
        touched: set[Track] = set()
        for commit, event in past:
            named = self._feeds.get(event.name)
            if named is None:
                continue
            own = event.properties.get("segment") if event.name in (SEGMENT_ENTERED, SEGMENT_EXITED) else None
            linked: list[Track] = []
            for track in named.fed(event):
                if commit > upto[track.id] or (own is not None and track.owner == own):
                    continue
                changed = True
                if track.linked:
                    linked.append(track)
                    continue
                state = track.kind.add(held(facts, track.id, track.kind), event, now_ms)
                if state is not None:
                    facts[track.id] = state
                    touched.add(track)
            if linked:
                follow(profile, linked, event, now_ms, set())
        for track in touched:
            set_fact_due(profile, track, now_ms)
        return changed
