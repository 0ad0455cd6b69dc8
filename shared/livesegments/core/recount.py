"""Facts of one profile, counted anew from its history: without what was taken back, or to see what is right.

Example: ada's order of May is refunded. All that ever happened to her is read from archive and tail.
`Recounts.affected` says which of her facts the order had fed; `Recounts.count` gives those facts all other
events, as late events, which facts take by design; `Recounts.put` gives her the new states, and judges the
segments that read them.

A fact that still waits for its own history (module `backfill`) holds only what came after some commit.
`after` names such facts and their commits, so that nothing counts twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from livesegments.core.backfill import Past, give
from livesegments.core.event import PROFILE, RETRACT, Cause, Event
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.retraction import IsTaken, Taken, gone, target
from livesegments.core.step import Step, Why, on_facts, set_fact_due
from livesegments.core.track import ChainTrack, TrailTrack


class Counted(Struct, frozen=True):
    """`states` is a profile that has nothing but the states of `facts`, as history gives them."""

    facts: frozenset[int]
    states: Profile


class Recounts:
    """For profiles that are at one plan; what it knows of the plan is worked out once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._readers: dict[int, set[int]] = {}
        for position in plan.positions.values():
            for fact in plan.order[position].facts:
                self._readers.setdefault(fact.id, set()).add(position)

    def take_back(
        self, profile_id: str, profile: Profile, past: Sequence[Past], after: Mapping[int, int], now_ms: int
    ) -> Step:
        """Carries out the retractions that wait; cause `retraction`. See `affected`, `count` and `put`."""
        counted = self.count(profile, past, self.affected(profile, past), after, now_ms)
        waiting = profile.taken.waiting if profile.taken is not None else ()
        step = self.put(profile_id, profile, counted, now_ms, "retraction", cause_of(past, waiting))
        if profile.taken is not None:
            profile.taken = Taken(profile.taken.ids)
        return step

    def affected(self, profile: Profile, past: Sequence[Past]) -> frozenset[int]:
        """Ids of the facts that events of a history have fed, or would have, that are taken back."""
        is_gone = taken_from(profile, past)
        if is_gone is None:
            return frozenset()
        found: set[int] = set()
        for _, event in past:
            named = self.plan.feeds.get(event.name)
            if named is not None and is_gone(event):
                found.update(track.id for track in named.fed(event))
        return self.closed(found)

    def closed(self, facts: Collection[int]) -> frozenset[int]:
        """With the sequences that a later step's events are part of, and with all steps of those."""
        tracks = self.plan.tracks
        found = set(facts)
        for fact in facts:
            track = tracks[fact]
            if isinstance(track, TrailTrack):
                found |= track.followers.keys()
        for fact in list(found):
            track = tracks[fact]
            if isinstance(track, ChainTrack):
                found.update(trail.id for trail in track.trails)
        return frozenset(found)

    def count(
        self,
        profile: Profile,
        past: Sequence[Past],
        facts: frozenset[int],
        after: Mapping[int, int],
        now_ms: int,
    ) -> Counted:
        """The states of `facts` (closed) at `now_ms`, by all of a profile's history; it is not changed.

        `after`: fact id → the commit whose events, and those before, the fact does not have yet.
        """
        is_gone = taken_from(profile, past)
        counting = past if is_gone is None else [each for each in past if not is_gone(each[1])]
        states = Profile(plan=self.plan.revision)
        give(
            self.plan.feeds,
            states,
            counting,
            now_ms,
            lambda track, commit: track.id in facts and commit > after.get(track.id, 0),
        )
        return Counted(facts, states)

    def put(
        self,
        profile_id: str,
        profile: Profile,
        counted: Counted,
        now_ms: int,
        cause: Cause,
        event_id: str | None,
    ) -> Step:
        """Gives the profile the counted states, in place, and judges the segments that read them.

        `profile.plan` must be the plan's revision, and all that is due up to `now_ms` must have fired;
        `now_ms` is that of `count` or later.
        """
        plan, affected = self.plan, set[int]()
        assert profile.plan == plan.revision
        for fact in counted.facts:
            profile.facts.pop(fact, None)
            if fact in counted.states.facts:
                profile.facts[fact] = counted.states.facts[fact]
            affected |= self._readers.get(fact, set())
        for fact in counted.facts:
            set_fact_due(profile, plan.tracks[fact], now_ms)
        return on_facts(plan, profile, affected, Why(profile_id, now_ms, cause, event_id))


def cause_of(past: Sequence[Past], waiting: Collection[str]) -> str | None:
    """The id of the `$retract` that the transitions name: of those that wait, the last that takes anything
    back, or else the last."""
    ids = {event.id for _, event in past if event.name[:1] != "$"}
    found = [event for _, event in past if event.name == RETRACT and event.id in waiting]
    effective = [event for event in found if target(event) in ids]
    return (effective or found)[-1].id if found else None


def not_taken(past: Sequence[Past], waiting: Collection[str]) -> list[Event]:
    """Those of the `$retract` that wait which name a change of the profile: that can't be taken back."""
    changes = {event.id for _, event in past if event.name == PROFILE}
    changes -= {event.id for _, event in past if event.name[:1] != "$"}
    waits = (event for _, event in past if event.name == RETRACT and event.id in waiting)
    return [event for event in waits if target(event) in changes]


def taken_from(profile: Profile, past: Sequence[Past]) -> IsTaken | None:
    return gone(profile.taken, (event for _, event in past if event.name == RETRACT))
