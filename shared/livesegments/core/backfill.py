"""History given to facts that are new: late events, which facts take by design.

Example: a segment "ordered in the last 90 days" is created today. Its fact is kept from commit 4,711 of the
partition on; the orders up to that commit come from the archive and are given to the same fact here, in
any order. Each event reaches a fact once: from the archive up to the fact's commit, live after it.

Nothing is judged: the segments that read the facts are staged in the plan until every profile has its
history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from livesegments.core.edition import Edition
from livesegments.core.event import RETRACT, SEGMENT_ENTERED, SEGMENT_EXITED, Event
from livesegments.core.feed import NameFeeds, feeds
from livesegments.core.kind import held
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.retraction import gone
from livesegments.core.step import set_fact_due
from livesegments.core.track import ChainTrack, Track, TrailTrack
from livesegments.core.trail import Stamps

Past: TypeAlias = tuple[int, Event]
"""(number of the commit that applied it, event)."""


class Backfill:
    """`upto`: fact id → the commit up to which its history is wanted (all facts of `plan`)."""

    def __init__(self, plan: Plan, upto: Mapping[int, int]) -> None:
        tracks = [plan.tracks[fact] for fact in upto]
        self.plan = plan
        self.upto = upto
        self._feeds: Mapping[str, NameFeeds] = feeds(tracks, Edition())

    def give(self, profile: Profile, past: Sequence[Past], now_ms: int) -> bool:
        """Gives a profile its history, in place; whether anything of it changed.

        `profile.plan` must be the plan's revision, and all that is due up to `now_ms` must have fired. Events
        that were taken back, by the profile or by a `$retract` in `past`, count in nothing.
        """
        upto = self.upto
        is_gone = gone(profile.taken, (event for _, event in past if event.name == RETRACT))
        counting = past if is_gone is None else [each for each in past if not is_gone(each[1])]
        return give(self._feeds, profile, counting, now_ms, lambda track, commit: commit <= upto[track.id])


def give(
    feeds: Mapping[str, NameFeeds],
    profile: Profile,
    past: Iterable[Past],
    now_ms: int,
    takes: Callable[[Track, int], bool],
) -> bool:
    """Gives history to those facts of a profile that `takes` says want the events of a commit.

    In what order events come decides nothing, so the first events of sequences come last: each then finds
    its later steps complete, and no step has to be followed by the sequences that it might concern.
    """
    facts, changed = profile.facts, False
    touched: set[Track] = set()
    firsts: list[tuple[ChainTrack, Event]] = []
    for commit, event in past:
        named = feeds.get(event.name)
        if named is None:
            continue
        own = event.properties.get("segment") if event.name in (SEGMENT_ENTERED, SEGMENT_EXITED) else None
        trails: list[TrailTrack] = []
        for track in named.fed(event):
            if not takes(track, commit) or (own is not None and track.owner == own):
                continue
            changed = True
            if isinstance(track, ChainTrack):
                firsts.append((track, event))
                continue
            state = track.kind.add(held(facts, track.id, track.kind), event, now_ms)
            if state is None:
                continue
            facts[track.id] = state
            if isinstance(track, TrailTrack):
                trails.append(track)
            else:
                touched.add(track)
        if trails:
            touched |= _follow(facts, trails, event, now_ms)
    for track, event in firsts:
        state = track.chain.add(held(facts, track.id, track.chain), event, now_ms)
        if state is not None:
            facts[track.id] = state
            track.chain.follow(state, event, True, (), _stamps(facts, track), now_ms)
            touched.add(track)
    for each in touched:
        set_fact_due(profile, each, now_ms)
    return changed


def _follow(facts: dict[int, Any], trails: Sequence[TrailTrack], event: Event, now_ms: int) -> set[Track]:
    """A later step comes to sequences that have begun: live, or in an earlier part of the history."""
    fed = {trail.id for trail in trails}
    begun = {
        fact: trail.followers[fact] for trail in trails for fact in facts.keys() & trail.followers.keys()
    }
    for track in begun.values():
        state = held(facts, track.id, track.chain)
        if state is not None:
            at = [index for index, trail in enumerate(track.trails) if trail.id in fed]
            track.chain.follow(state, event, False, at, _stamps(facts, track), now_ms)
    return set(begun.values())


def _stamps(facts: dict[int, Any], track: ChainTrack) -> list[Stamps]:
    """Of each of a sequence's later steps."""
    return [held(facts, trail.id, trail.kind) or [] for trail in track.trails]
