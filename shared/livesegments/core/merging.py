"""One profile goes into another, with its history: both sides, each by itself.

Example: `anonymous:a-1` looked at three things, then `identify` says that she is `ann`. The profile
`anonymous:a-1` leaves its segments (`on_merge`), and all that stays of it is where it went and which ids it
has seen. What it had done is handed over as events, with their ids and times, and counts for `ann` as late
events do (`takeover`). An attribute is that of the latest write by time, as always: so a trait that
`ann` has of a later time stays, and one of an earlier time yields.

- A profile goes once. One that is gone and is to go elsewhere stays where it went: a browser that two people
  log in from doesn't make one person of them.
- A profile that is gone hands on what comes for it later. So chains need nothing more.
- Suppose ann goes into bob while bob goes into ann, in two partitions that know nothing of each other. Both
  are gone, and what is handed over goes round. Every record says which profiles it went through, and by which
  `$merge`. The least id of such a ring is there again as soon as a record comes to it for the second time
  (`_comes_back`), and everything that goes round comes to rest there. History that went round is never taken
  for a repeat: the ids that its sender had seen may have come first, the short way.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from livesegments.core.dedup import joined, remember
from livesegments.core.event import Event, Transition
from livesegments.core.handed import Handed, Hop
from livesegments.core.kin import GONE, Kin, last_of, note, with_name
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.step import Why, on_event, on_leave
from livesegments.core.takeover import Handover, on_handed

MAX_HOPS = 1_000
"""Profiles that a record goes through at most."""


class Left(Struct):
    """`history`: whether it has any that is to be handed over. What is handed over, be it nothing, has the
    number `profile.kin.sent`."""

    profile: Profile
    transitions: list[Transition]
    history: bool


class Onward(Struct):
    """`handed` is what the profile, which is gone, hands on; None where there is nothing left of it. `lost`:
    it went through too many profiles. `spilt`: ids of senders that its state has no room for any more."""

    profile: Profile
    handed: Handed | None
    lost: bool = False
    spilt: Sequence[str] = ()


def target(event: Event) -> str | None:
    """The profile that a `$merge` names; None where it names none."""
    into = event.properties.get("into")
    return into if isinstance(into, str) and into and into != event.profile else None


def on_merge(plan: Plan, profile: Profile | None, event: Event, now_ms: int, commit: int) -> Left | None:
    """Applies a `$merge` to a profile that is there, or was never seen; None where it changes nothing.

    It changes nothing where it is a repeat, or where the other has gone into this one already.
    `profile.plan` must be `plan.revision`, and all that is due up to `now_ms` must have fired.
    """
    into = target(event)
    kin = Kin() if profile is None or profile.kin is None else profile.kin
    if into is None or last_of(kin, into) is not None:
        return None
    limits = plan.limits
    seen = b"" if profile is None else profile.seen
    with_it = remember(seen, event.id, now_ms, limits.dedup_window_ms, limits.dedup_max_ids)
    if with_it is None:
        return None
    gone = Profile(plan=GONE, seen=with_it)
    transitions: list[Transition] = []
    if profile is not None:
        assert profile.plan == plan.revision
        transitions = on_leave(plan, profile, Why(event.profile, now_ms, "merge", event.id))
        gone.memberships, gone.number = profile.memberships, profile.number
    history = profile is not None
    gone.kin = Kin(into, event.id, kin.sent + 1, commit, kin.senders, kin.names)
    return Left(gone, transitions, history)


def on_late(plan: Plan, profile: Profile, events: Sequence[Event], now_ms: int) -> Onward:
    """Events that come for a profile after it is gone: those that it has not seen go on."""
    kin = profile.kin
    assert kin is not None and kin.into is not None
    into = kin.into
    fresh = [replace(event, profile=into) for event in _unseen(plan, profile, events, now_ms)]
    if not fresh:
        return Onward(profile, None)
    kin.sent += 1
    return Onward(profile, Handed(plan.workspace, into, [(events[0].profile, kin.merge)], kin.sent, 0, fresh))


def receive(plan: Plan, profile: Profile | None, handed: Handed, now_ms: int) -> Handover | Onward | None:
    """What was handed over comes to `handed.profile`; None where it is a repeat. It is told from others by
    its place among those of its sender, for ever.

    `profile.plan` must be `plan.revision` unless it is gone, and all that is due up to `now_ms` must have
    fired.
    """
    kin = None if profile is None else profile.kin
    last = last_of(kin, handed.sender)
    if last is not None and handed.place <= last:
        return None
    back = False
    if profile is not None and kin is not None and kin.into is not None:
        if handed.empty or not _comes_back(handed.profile, kin, handed.via):
            spilt = _noted(kin, handed)
            onward = Onward(profile, None) if handed.empty else _hand_on(plan, profile, kin, handed)
            onward.spilt = spilt
            return onward
        profile, back = _returned(plan, profile), True
    at_once = handed.events if handed.history else ()
    why = Why(handed.profile, now_ms, "merge", handed.merge)
    if profile is not None and handed.empty:
        profile.kin = Kin() if kin is None else kin
        return Onward(profile, None, spilt=_noted(profile.kin, handed))
    if handed.history or back or profile is None:
        taken = on_handed(plan, profile, at_once, now_ms, why, back, handed.round)
    else:
        taken = Handover(profile, [], None, [], [], [])
    if not handed.history:
        _each(plan, taken, handed.events, now_ms)
    profile = taken.profile
    if handed.seen:
        profile.seen = joined(profile.seen, handed.seen, now_ms, plan.limits.dedup_max_ids)
    if profile.kin is None:
        profile.kin = Kin()
    taken.spilt = _noted(profile.kin, handed)
    return taken


def _noted(kin: Kin, handed: Handed) -> list[str]:
    """Notes the sender; the ids of senders that there is no room for any more."""
    kin.senders = note(kin.senders, handed.sender, handed.place)
    kin.names, spilt = with_name(kin.names, handed.sender)
    return spilt


def _each(plan: Plan, taken: Handover, events: Sequence[Event], now_ms: int) -> None:
    """Events that came after the `$merge` count one by one, as if they had come here."""
    for place, event in enumerate(events):
        step = on_event(plan, taken.profile, event, now_ms)
        taken.wake_at = step.wake_at
        if step.refused is not None:
            taken.refused.append((place, step.refused))
        elif step.duplicate:
            taken.duplicates.append(place)
        taken.transitions += step.transitions
        taken.derived += [(place, each) for each in step.derived]


def _hand_on(plan: Plan, profile: Profile, kin: Kin, handed: Handed) -> Onward:
    """Nothing is taken for a repeat on the way: in a ring, two who have seen the same would both keep it."""
    assert kin.into is not None
    if len(handed.via) >= MAX_HOPS:
        return Onward(profile, None, lost=True)
    into = kin.into
    kin.sent += 1
    events = [replace(event, profile=into) for event in handed.events]
    via = [*handed.via, (handed.profile, kin.merge)]
    onward = Handed(plan.workspace, into, via, kin.sent, 0, events, handed.history, handed.seen)
    return Onward(profile, onward)


def _unseen(plan: Plan, profile: Profile, events: Sequence[Event], now_ms: int) -> list[Event]:
    """Those that the profile has not seen; from now on it has."""
    limits, fresh = plan.limits, []
    for event in events:
        seen = remember(profile.seen, event.id, now_ms, limits.dedup_window_ms, limits.dedup_max_ids)
        if seen is not None:
            profile.seen = seen
            fresh.append(event)
    return fresh


def _comes_back(profile_id: str, kin: Kin, via: Sequence[Hop]) -> bool:
    """Whether a record that went `via` some profiles shows a ring, and this profile, which is gone, has the
    least id in it."""
    hop = profile_id, kin.merge
    if hop not in via:
        return False
    since = len(via) - 1 - list(reversed(via)).index(hop)
    return profile_id == min(each for each, _ in via[since:])


def _returned(plan: Plan, profile: Profile) -> Profile:
    """The profile, which was gone, there again: as one never seen, but for the numbers that it counts on.

    What it had seen is forgotten, or what it handed over itself, and now comes back, would be taken for
    repeats.
    """
    kin = profile.kin
    assert kin is not None
    return Profile(
        plan=plan.revision,
        memberships=profile.memberships,
        kin=Kin(None, "", kin.sent, kin.since, kin.senders, kin.names),
        number=profile.number,
    )
