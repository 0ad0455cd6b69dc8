"""Facts of one profile, counted anew from its history: without what was taken back, or to see what is right.

Example: ada's order of May is refunded. All that ever happened to her is read from archive and tail.
`Recounts.affected` says which of her facts the order had fed; `Recounts.count` gives those facts all other
events, as late events, which facts take by design; `Recounts.put` gives her the new states, and judges the
segments that read them.

A fact that still waits for its own history (module `backfill`) holds only what came after some commit.
`after` names such facts and their commits, so that nothing counts twice.

A long history is counted in slices beforehand (`Recounts.ahead`), while live events go on: what happened
meanwhile is then given to the counted states, so nobody waits for the counting of 10,000 events.

A fact that reaches back beyond the history that is kept (module `beyond`) isn't counted anew: that would
lose what is gone from history. What is taken back is taken out of its state instead. From totals and counts
that can be done; what can't be stays as it is, and `kept` says so.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from livesegments.core.backfill import Past, give
from livesegments.core.beyond import Beyond
from livesegments.core.count import packed
from livesegments.core.event import PROFILE, RETRACT, Cause, Event
from livesegments.core.kind import Kept, Kind, held
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.retraction import IsTaken, Taken, gone, target
from livesegments.core.step import Step, Why, on_facts, set_fact_due
from livesegments.core.track import ChainTrack, TrailTrack


class Counted(Struct, frozen=True):
    """`states` is a profile that has nothing but the states of `facts`, as history gives them."""

    facts: frozenset[int]
    states: Profile


AT_ONCE = 100
"""Events of a slice."""


class Ahead(Struct, frozen=True):
    """What was counted beforehand, of the first `events` of a history; the rest as in `Recounts.count`."""

    counted: Counted
    events: int
    after: Mapping[int, int]


class Recounts:
    """For profiles that are at one plan; what it knows of the plan is worked out once."""

    def __init__(self, plan: Plan, at_once: int | None = None) -> None:
        self.plan = plan
        self._at_once = at_once or AT_ONCE
        self._beyond = Beyond(plan)
        self.kept: list[tuple[str, Event]] = []
        """(profile, `$retract`) that a fact beyond history could not follow; whoever reads it empties it."""
        self._readers: dict[int, set[int]] = {}
        for position in plan.positions.values():
            for fact in plan.order[position].facts:
                self._readers.setdefault(fact.id, set()).add(position)

    def take_back(
        self,
        profile_id: str,
        profile: Profile,
        past: Sequence[Past],
        after: Mapping[int, int],
        now_ms: int,
        since_ms: int | None = None,
        anew: bool = False,
        ahead: Ahead | None = None,
    ) -> Step:
        """Carries out the retractions that wait; cause `retraction`. See `affected`, `count` and `put`.

        `since_ms`: events before that instant are gone from history.
        `anew`: all facts are counted anew, not only those that have what is taken back; cause `repair`.
        `ahead`: what `self.ahead` has of the same profile; where it can't be used, it isn't.
        """
        counted = None if ahead is None else self._continued(profile, past, after, now_ms, ahead)
        if counted is None:
            facts = self.closed(self.plan.tracks.keys()) if anew else self.affected(profile, past)
            counted = self.count(profile, past, facts, after, now_ms)
        waiting = profile.taken.waiting if profile.taken is not None else ()
        beyond = self.beyond(since_ms, now_ms) & counted.facts
        if beyond:
            counted = self._taken_out(profile_id, profile, past, after, now_ms, counted, beyond)
        cause: Cause = "repair" if anew else "retraction"
        step = self.put(profile_id, profile, counted, now_ms, cause, cause_of(past, waiting))
        if profile.taken is not None:
            profile.taken = Taken(profile.taken.ids)
        return step

    def ahead(
        self, profile: Profile, past: Sequence[Past], after: Mapping[int, int], now_ms: int, anew: bool
    ) -> Generator[None, None, Ahead]:
        """What `take_back` begins with, in slices: something else may be done where it yields."""
        found: set[int] = set()
        is_gone = taken_from(profile, past)
        for begin in range(0, 0 if anew or is_gone is None else len(past), self._at_once):
            found |= self._fed(past[begin : begin + self._at_once], is_gone)
            yield
        facts = self.closed(self.plan.tracks.keys() if anew else found)
        states = Profile(plan=self.plan.revision)
        for begin in range(0, len(past), self._at_once):
            self._give(states, past[begin : begin + self._at_once], is_gone, facts, after, now_ms)
            yield
        return Ahead(Counted(facts, states), len(past), after)

    def _continued(
        self, profile: Profile, past: Sequence[Past], after: Mapping[int, int], now_ms: int, ahead: Ahead
    ) -> Counted | None:
        """With what happened meanwhile; None where that changes more than it adds."""
        rest, counted = past[ahead.events :], ahead.counted
        wake_ms = counted.states.wake_at
        if after != ahead.after or any(event.name == RETRACT for _, event in rest):
            return None
        if wake_ms is not None and wake_ms <= now_ms:
            return None  # what was due meanwhile has not fired in what was counted
        is_gone = taken_from(profile, past)
        if not self.closed(self._fed(rest, is_gone)) <= counted.facts:
            return None
        self._give(counted.states, rest, is_gone, counted.facts, after, now_ms)
        return counted

    def beyond(self, since_ms: int | None, now_ms: int) -> frozenset[int]:
        """The facts to which events before `since_ms`, which are gone from history, can matter."""
        return self._beyond.facts(since_ms, now_ms)

    def _taken_out(
        self,
        profile_id: str,
        profile: Profile,
        past: Sequence[Past],
        after: Mapping[int, int],
        now_ms: int,
        counted: Counted,
        beyond: frozenset[int],
    ) -> Counted:
        """For the facts beyond history what is in the profile, without what is taken back now."""
        states, facts = counted.states.facts, counted.facts - beyond
        for fact, (events, retracts) in self._leaving(profile, past, after, beyond).items():
            kind = self.plan.tracks[fact].kind
            state = held(profile.facts, fact, kind)
            try:
                if state is None:
                    raise Kept
                left = kind.without(_copied(kind, state), events, held(states, fact, kind), now_ms)
            except Kept:
                new = [(profile_id, each) for each in retracts]
                self.kept += [each for each in new if each not in self.kept]
                continue
            facts |= {fact}
            states.pop(fact, None)
            if left is not None:
                states[fact] = left
        return Counted(facts, counted.states)

    def _leaving(
        self, profile: Profile, past: Sequence[Past], after: Mapping[int, int], facts: frozenset[int]
    ) -> dict[int, tuple[list[Event], list[Event]]]:
        """Fact → the events in it that are taken back now, and the `$retract` of each.

        An event that came after its retraction is in none; one taken back before is in none any more.
        """
        waiting = profile.taken.waiting if profile.taken is not None else ()
        first: dict[str, tuple[int, Event]] = {}
        for at, (_, event) in enumerate(past):
            if event.name == RETRACT and (id_ := target(event)) is not None:
                first.setdefault(id_, (at, event))
        found: dict[int, tuple[list[Event], list[Event]]] = {}
        for at, (commit, event) in enumerate(past):
            taken_at, retract = first.get(event.id, (-1, event))
            if event.name[:1] == "$" or at > taken_at or retract.id not in waiting:
                continue
            named = self.plan.feeds.get(event.name)
            for track in named.fed(event) if named is not None else ():
                if track.id in facts and commit > after.get(track.id, 0):
                    events, retracts = found.setdefault(track.id, ([], []))
                    events.append(event)
                    retracts.append(retract)
        return found

    def affected(self, profile: Profile, past: Sequence[Past]) -> frozenset[int]:
        """Ids of the facts that events of a history have fed, or would have, that are taken back."""
        return self.closed(self._fed(past, taken_from(profile, past)))

    def _fed(self, past: Sequence[Past], is_gone: IsTaken | None) -> set[int]:
        """The facts that events which are taken back have fed, or would have."""
        found: set[int] = set()
        for _, event in past if is_gone is not None else ():
            named = self.plan.feeds.get(event.name)
            if named is not None and is_gone is not None and is_gone(event):
                found.update(track.id for track in named.fed(event))
        return found

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
        states = Profile(plan=self.plan.revision)
        self._give(states, past, taken_from(profile, past), facts, after, now_ms)
        return Counted(facts, states)

    def _give(
        self,
        states: Profile,
        past: Sequence[Past],
        is_gone: IsTaken | None,
        facts: frozenset[int],
        after: Mapping[int, int],
        now_ms: int,
    ) -> None:
        counting = past if is_gone is None else [each for each in past if not is_gone(each[1])]
        give(
            self.plan.feeds,
            states,
            counting,
            now_ms,
            lambda track, commit: track.id in facts and commit > after.get(track.id, 0),
        )

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


def _copied(kind: Kind[Any], state: Any) -> Any:
    return kind.decode(msgspec.msgpack.encode(state, enc_hook=packed))


def cause_of(past: Sequence[Past], waiting: Collection[str]) -> str | None:
    """The id of the `$retract` that the transitions name: of those that wait, the last that takes anything
    back, or else the last. One whose event came only after it has taken nothing out of any fact."""
    came: set[str] = set()
    found: list[Event] = []
    effective: list[Event] = []
    for _, event in past:
        if event.name[:1] != "$":
            came.add(event.id)
        elif event.name == RETRACT and event.id in waiting:
            found.append(event)
            if target(event) in came:
                effective.append(event)
    return (effective or found)[-1].id if found else None


def not_taken(past: Sequence[Past], waiting: Collection[str]) -> list[Event]:
    """Those of the `$retract` that wait which name a change of the profile: that can't be taken back."""
    changes = {event.id for _, event in past if event.name == PROFILE}
    changes -= {event.id for _, event in past if event.name[:1] != "$"}
    waits = (event for _, event in past if event.name == RETRACT and event.id in waiting)
    return [event for event in waits if target(event) in changes]


def taken_from(profile: Profile, past: Sequence[Past]) -> IsTaken | None:
    return gone(profile.taken, (event for _, event in past if event.name == RETRACT))
