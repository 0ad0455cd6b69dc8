"""One profile, one thing that happens, and everything that follows from it: on_event, on_clock, on_plan.

Pure: the plan, the profile, the event and the instant come in; the changed profile, its transitions
and its next wake come back. `profile` is None for one never seen. A profile given is owned: it is
changed in place.

How a step goes: the change is applied to the registers and the facts, each of which names the few
segments that it may flip (`affected`, positions in the plan's order). Only then are those judged, in
topological order, once each; a segment that flips adds the ones that depend on it, which all come
later in the order. So no segment is seen half way, and nothing flaps inside a step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from heapq import heappop, heappush
from typing import assert_never

import msgspec
from msgspec import Raw, Struct

from livesegments.core.bounds import Refusal, beyond
from livesegments.core.computed_told import Tells, told
from livesegments.core.debt import debt_of
from livesegments.core.dedup import remember
from livesegments.core.event import (
    PROFILE,
    RETRACT,
    SEGMENT_ENTERED,
    SEGMENT_EXITED,
    Cause,
    Event,
    Kind,
    ProfileChange,
    Transition,
    segment_event,
)
from livesegments.core.kind import held
from livesegments.core.plan import Plan
from livesegments.core.profile import ANY_TAG, Facts, Membership, Profile
from livesegments.core.reached import reached
from livesegments.core.registers import apply_change, change_of, claim_lists
from livesegments.core.retraction import is_taken, take_back
from livesegments.core.track import ChainTrack, Track, TrailTrack
from livesegments.core.trail import Stamps

FEW = 32
"""Asking which segments a profile leads to takes about as long as judging this many."""


class Step(Struct):
    """`changed` is False when nothing of the profile needs to be written (a duplicate, say).

    `derived` are the events that followed from the one applied, but those of segments: transitions say them.
    `refused`: the event would bring the profile beyond a bound, and nothing of it is applied. Then `profile`
    of one never seen is empty and need not be kept.
    `judged`: of `on_plan`, how many segments were judged, those that followed from flips not counted.
    """

    profile: Profile
    transitions: list[Transition]
    wake_at: int | None
    changed: bool = True
    duplicate: bool = False
    derived: Sequence[Event] = ()
    refused: Refusal | None = None
    judged: int = 0


class Why(Struct, frozen=True):
    """The cause of a step's transitions."""

    profile_id: str
    now_ms: int
    cause: Cause
    event_id: str | None


def on_event(plan: Plan, profile: Profile | None, event: Event, now_ms: int) -> Step:
    """Apply one event at the partition's clock `now_ms` (≥ event.time_ms; all dues ≤ now_ms fired).

    `profile.plan` must be `plan.revision`: bring an older one up with `on_plan` first.
    """
    affected: set[int] = set()
    if profile is None:
        profile = Profile(plan=plan.revision)
        affected |= plan.born
    assert profile.plan == plan.revision
    limits = plan.limits
    seen = remember(profile.seen, event.id, now_ms, limits.dedup_window_ms, limits.dedup_max_ids)
    if seen is None:
        return Step(profile, [], profile.wake_at, changed=False, duplicate=True)
    if event.name == PROFILE:
        cause: Cause = "attribute"
        change = change_of(event)
        refused = beyond(profile, change, limits.bounds)
        if refused is not None:
            return Step(profile, [], profile.wake_at, changed=False, refused=refused)
        profile.seen = seen
        derived: Sequence[Event] = change_profile(plan, profile, event, change, now_ms, affected)
    else:
        profile.seen = seen
        cause, derived = "event", ()
        if event.name == RETRACT:
            profile.taken = take_back(profile.taken, event)
        elif profile.taken is None or not is_taken(profile.taken, event):
            feed_event(plan, profile, event, now_ms, affected)
    if not affected:
        return Step(profile, [], profile.wake_at, derived=derived)
    transitions = _judge(plan, profile, affected, Why(event.profile, now_ms, cause, event.id))
    return Step(profile, transitions, profile.wake_at, derived=derived)


def on_clock(plan: Plan, profile_id: str, profile: Profile, now_ms: int) -> Step:
    """Let the clock alone reach `now_ms` = the profile's `wake_at`; cause `clock`.

    Also wants `profile.plan == plan.revision`.
    """
    assert profile.plan == plan.revision
    affected: set[int] = set()
    facts = profile.facts
    for name in [name for name, due in profile.dues.items() if due <= now_ms]:
        if isinstance(name, str):
            plan.watches[name].ticked(facts, affected)
            set_attribute_due(plan, profile, name, now_ms)
            continue
        track = plan.tracks[name]
        kind = track.kind
        state = held(facts, name, kind)
        old = kind.value(state, now_ms - 1)
        if isinstance(track, ChainTrack) and state is not None:
            track.chain.settle(state, _stamps(facts, track), now_ms)
        new = kind.value(state, now_ms)
        if old != new:
            track.changed(old, new, facts, affected)
        if track.clocks:
            track.ticked(facts, affected)
        due = kind.next_ms(state, now_ms, track.edges)
        if due is None:
            del profile.dues[name]
        else:
            profile.dues[name] = due
    transitions = _judge(plan, profile, affected, Why(profile_id, now_ms, "clock", None))
    return Step(profile, transitions, profile.wake_at)


def on_plan(
    plan: Plan,
    profile_id: str,
    profile: Profile,
    now_ms: int,
    since: Mapping[int, int],
    walked: int = -1,
    few: int = FEW,
) -> Step:
    """Bring a profile stepped under an older revision to `plan`; cause `definition`, or `backfill`.

    All dues ≤ now_ms must have fired, but none later needs to.
    `since`: fact id → revision from which this partition keeps that fact. A state that the profile
    has from before then (the fact was dropped and came back) is stale and is dropped.
    Step.changed is False when nothing that is stored changed but `profile.plan`: it needn't be written.
    `walked`: a revision to which every stored profile was brought; where that needed no writing,
    `profile.plan` is older still.
    `few` new segments are judged without asking which of them the profile leads to.
    What the profile is owed (module `debt`) is paid, with the cause `repair`.
    """
    debt, dues = debt_of(profile.plan), dict(profile.dues)
    before = max(profile.plan, walked) if debt is None else debt.plan
    profile.plan = plan.revision
    stale = [fact for fact in profile.facts if fact not in plan.tracks or since.get(fact, before) > before]
    for fact in stale:
        del profile.facts[fact]
    profile.dues = {}
    for fact in profile.facts:
        track = plan.tracks[fact]
        if debt is not None and isinstance(track, ChainTrack):
            track.chain.settle(held(profile.facts, fact, track.kind), _stamps(profile.facts, track), now_ms)
        set_fact_due(profile, track, now_ms)
    for name in profile.attributes:
        set_attribute_due(plan, profile, name, now_ms)
    claimed = claim_lists(profile, plan.lists)
    why = Why(profile_id, now_ms, plan.cause_since(before) if debt is None else "repair", None)
    newer = plan.newer_than(before) if debt is None else frozenset(plan.positions.values())
    affected = set(newer) if len(newer) <= few else reached(plan, profile, now_ms) & newer
    judged = len(affected)
    transitions = _leave_deleted(plan, profile, affected, why)
    transitions += _judge(plan, profile, affected, why)
    changed = bool(stale or claimed or transitions or dues != profile.dues or debt)
    return Step(profile, transitions, profile.wake_at, changed, judged=judged)


def on_leave(plan: Plan, profile: Profile, why: Why) -> list[Transition]:
    """The profile is going for good: it exits every segment that it is in. All dues ≤ now_ms have fired."""
    transitions = []
    for id_, membership in sorted(profile.memberships.items()):
        if membership.entered_ms is not None:
            segment = plan.segments.get(id_)
            version = 0 if segment is None else segment.definition_version
            transitions.append(_flip(plan, profile, id_, version, why))
    return transitions


def on_facts(plan: Plan, profile: Profile, affected: set[int], why: Why) -> Step:
    """Judges the segments at some positions, whose facts have other states now (module `recount`)."""
    return Step(profile, _judge(plan, profile, affected, why), profile.wake_at)


def change_profile(
    plan: Plan, profile: Profile, event: Event, written: ProfileChange, now_ms: int, affected: set[int]
) -> list[Event]:
    """The events that are derived from the changes."""
    facts, derived = profile.facts, []
    for change in apply_change(profile, event, written, plan.lists):
        match change.register:
            case "attribute":
                watch = plan.watches.get(change.name)
                if watch is not None:
                    watch.changed(change.old, change.new, now_ms, facts, affected)
                    set_attribute_due(plan, profile, change.name, now_ms)
            case "tag":
                for name in (change.name, ANY_TAG):
                    if name in plan.tags:
                        plan.tags[name].collect(facts, affected)
            case "consent":
                if change.name in plan.consents:
                    plan.consents[change.name].collect(facts, affected)
            case "list":
                if change.name in plan.positions:
                    affected.add(plan.positions[change.name])
            case _:
                assert_never(change.register)
        if change.event is not None:
            derived.append(change.event)
            feed_event(plan, profile, change.event, now_ms, affected)
    return derived


def feed_event(
    plan: Plan,
    profile: Profile,
    event: Event,
    now_ms: int,
    affected: set[int],
    ignored: str | None = None,
) -> None:
    """Gives an event to every fact that it feeds, but those of the segment `ignored` of `$segment_…`."""
    feeds = plan.feeds.get(event.name)
    if feeds is None:
        return
    facts, dues = profile.facts, profile.dues
    linked: list[Track] = []
    for track in feeds.fed(event):
        if ignored is not None and track.owner == ignored:
            continue
        if track.linked:
            linked.append(track)
            continue
        fact = track.id
        kind, state = track.kind, facts.get(fact)
        if type(state) is Raw:
            state = kind.decode(state)
        state, old, new, due = kind.added(state, event, now_ms, track.edges)
        if state is None:
            continue
        facts[fact] = state
        if old != new:
            track.changed(old, new, facts, affected)
        if due is not None:
            dues[fact] = due
        elif fact in dues:
            del dues[fact]
    if linked:
        follow(profile, linked, event, now_ms, affected)


def follow(profile: Profile, linked: list[Track], event: Event, now_ms: int, affected: set[int]) -> None:
    """Gives an event to trails and chains, and then to the chains that the profile has begun."""
    facts = profile.facts
    chains: dict[int, ChainTrack] = {}
    fed = {track.id for track in linked}
    before: dict[int, bool] = {}
    for track in linked:
        state = held(facts, track.id, track.kind)
        if isinstance(track, ChainTrack):
            chains[track.id] = track
            before[track.id] = track.chain.value(state, now_ms)
        state = track.kind.add(state, event, now_ms)
        if state is not None:
            facts[track.id] = state
        if isinstance(track, TrailTrack):
            followers = track.followers
            begun = facts.keys() & followers.keys()
            chains |= {fact: followers[fact] for fact in begun}
    for fact, track in chains.items():
        chain = track.chain
        state = held(facts, fact, chain)
        if state is None:
            continue
        old = before.get(fact)
        if old is None:
            old = chain.value(state, now_ms)
        at = [index for index, trail in enumerate(track.trails) if trail.id in fed]
        chain.follow(state, event, fact in fed, at, _stamps(facts, track), now_ms)
        if old != chain.value(state, now_ms):
            track.changed(old, not old, facts, affected)
        due = chain.next_ms(state, now_ms, track.edges)
        if due is not None:
            profile.dues[fact] = due
        else:
            profile.dues.pop(fact, None)


def _stamps(facts: Facts, track: ChainTrack) -> list[Stamps]:
    """Of each of a sequence's later steps."""
    return [held(facts, trail.id, trail.kind) or [] for trail in track.trails]


def set_fact_due(profile: Profile, track: Track, now_ms: int) -> None:
    due = track.kind.next_ms(held(profile.facts, track.id, track.kind), now_ms, track.edges)
    if due is None:
        profile.dues.pop(track.id, None)
    else:
        profile.dues[track.id] = due


def set_attribute_due(plan: Plan, profile: Profile, name: str, now_ms: int) -> None:
    watch = plan.watches.get(name)
    due = None if watch is None else watch.due(profile.attributes[name].value, now_ms)
    if due is None:
        profile.dues.pop(name, None)
    else:
        profile.dues[name] = due


def _judge(plan: Plan, profile: Profile, affected: set[int], why: Why) -> list[Transition]:
    """Judges the affected segments, and whatever their flips affect, in order."""
    transitions: list[Transition] = []
    if not affected:
        return transitions
    pending = sorted(affected)
    last = -1
    while pending:
        position = heappop(pending)
        if position == last:
            continue
        last = position
        compiled = plan.order[position]
        segment = compiled.segment
        membership = profile.memberships.get(segment.id)
        was = membership is not None and membership.entered_ms is not None
        run = compiled.program if compiled.drawn is None else compiled.drawn(why.profile_id)
        if run(profile, why.now_ms) == was:
            continue
        transitions.append(_flip(plan, profile, segment.id, segment.definition_version, why, compiled.tells))
        more: set[int] = set()
        if position in plan.dependents:
            plan.dependents[position].collect(profile.facts, more)
        _announce(plan, profile, segment.id, why, was, more)
        for dependent in more:
            heappush(pending, dependent)
    return transitions


def _announce(plan: Plan, profile: Profile, segment: str, why: Why, was: bool, affected: set[int]) -> None:
    """Feeds the derived event `$segment_entered` or `$segment_exited` to the facts of other segments."""
    name = SEGMENT_EXITED if was else SEGMENT_ENTERED
    if name in plan.feeds:
        id_ = why.event_id or why.cause
        event = segment_event(plan.workspace, why.profile_id, segment, name, why.now_ms, id_)
        feed_event(plan, profile, event, why.now_ms, affected, ignored=segment)


def _leave_deleted(plan: Plan, profile: Profile, affected: set[int], why: Why) -> list[Transition]:
    """Exits of segments that are no more.

    No definition names them (their deletion would be refused), but one may ask for the exits of all others.
    Their sequences stay: if an id is used again, its transitions go on counting from there.
    """
    transitions = []
    for segment, membership in list(profile.memberships.items()):
        if membership.entered_ms is not None and segment not in plan.positions:
            transitions.append(_flip(plan, profile, segment, 0, why))
            _announce(plan, profile, segment, why, True, affected)
    return transitions


def _flip(plan: Plan, profile: Profile, id_: str, version: int, why: Why, asked: Tells = ()) -> Transition:
    old = profile.memberships.get(id_) or Membership(0, None)
    entered = old.entered_ms is None
    membership = Membership(old.sequence + 1, why.now_ms if entered else None)
    profile.memberships[id_] = membership
    kind: Kind = "entered" if entered else "exited"
    fields = (
        plan.workspace, id_, why.profile_id, kind, why.now_ms,
        membership.sequence, why.cause, why.event_id, version,
    )  # fmt: skip
    digest = blake2b(msgspec.msgpack.encode(fields), digest_size=16).hexdigest()
    return Transition(digest, *fields, told(asked, profile.facts, why.now_ms) if asked else None)
