"""Merges in a commit in the making: a profile that goes, what comes for one that is gone, what is taken over.

The rules are those of `core.merging`; here is what of them is written, and what is left to be handed over
(`Making.items`, which module `handing` gives to the broker).
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from livesegments.core.bounds import Refusal
from livesegments.core.event import MERGE, Event
from livesegments.core.handed import Handed
from livesegments.core.merging import MAX_HOPS, Onward, on_late, on_merge, receive
from livesegments.core.plan import Plan
from livesegments.core.profile import decode, encode
from livesegments.core.takeover import Handover
from livesegments.evaluator.commits.making import Making
from livesegments.evaluator.commits.outcome import Tally
from livesegments.evaluator.commits.slot import Slot
from livesegments.evaluator.faults.aside import Aside
from livesegments.store.handing import Back, Leaving
from livesegments.wire.profilekey import ProfileKey

TOO_FAR = Refusal("hops", MAX_HOPS)


def merge(
    making: Making, key: ProfileKey, slot: Slot, plan: Plan, event: Event, now_ms: int, place: int,
    tally: Tally, commit: int,
) -> None:  # fmt: skip
    """A `$merge`: the profile goes into another one, with its history. `commit` is the one in the making."""

    def go() -> None:
        left = on_merge(plan, slot.profile, event, now_ms, commit)
        if left is None:
            tally.left_out.append(place)
            return
        gone = slot.profile = left.profile
        making.dirty[key] = slot
        making.transitions += left.transitions
        if slot.wake_ms is not None:
            making.wake(key, slot, None)
        kin = gone.kin
        assert kin is not None and kin.into is not None
        making.items.append(
            Leaving(slot.workspace, slot.id, kin.into, event.id, kin.sent, left.history, gone.seen)
        )

    error = making.guarded(key, slot, go)
    if error is not None:
        making.aside.append(Aside("event", plan.workspace, event.profile, now_ms, error, event, place))
        tally.left_out.append(place)


def hand_on(making: Making, plans: Mapping[str, Plan], clocks: Mapping[int, int]) -> None:
    """What came for profiles that are gone goes on to where they went.

    What came in one record goes on in one, whether or not the record was joined to others: the receiver knows
    it by its number, and when the log is applied again others may be joined.
    """
    for (record, key), events in sorted(making.late.items(), key=lambda item: item[0][0]):
        slot = making.touched[key]
        others = [event for event in events if event.name != MERGE]
        if slot.profile is None or not others:
            continue
        onward = on_late(plans[slot.workspace], slot.profile, others, clocks[record]).handed
        if onward is not None:
            making.items.append(onward)
            making.dirty[key] = slot


def take_over(
    making: Making, key: ProfileKey, slot: Slot, plan: Plan, handed: Handed, now_ms: int, tally: Tally
) -> None:
    """What another profile hands over to this one."""
    count = len(handed.events)
    if making.careful:
        handed = _without_faults(making, slot, plan, handed, now_ms, tally)
    left_out = frozenset(tally.left_out)
    places = [place for place in range(count) if place not in left_out]
    was_gone = slot.profile is not None and slot.profile.gone
    if handed.empty and slot.profile is None:
        making.spilt.append((key, handed.sender))
        return
    result, error = _received(making, key, slot, plan, handed, now_ms)
    if error is not None:
        for place, event in zip(places, handed.events, strict=True):
            making.aside.append(Aside("event", plan.workspace, event.profile, now_ms, error, event, place))
        tally.left_out += places
        return
    if not isinstance(result, Handover):
        tally.left_out += places
    if result is None:
        tally.duplicates += len(places)
        return
    slot.profile = result.profile
    making.dirty[key] = slot
    making.spilt += [(key, sender) for sender in result.spilt]
    if isinstance(result, Onward):
        making.items += [] if result.handed is None else [result.handed]
        if result.lost:
            tally.refused += [(*each, TOO_FAR) for each in zip(places, handed.events, strict=True)]
        return
    if was_gone:
        making.items.append(Back(slot.workspace, slot.id))
    making.transitions += result.transitions
    if result.wake_at != slot.wake_ms:
        making.wake(key, slot, result.wake_at)
    tally.derived += [(places[place], each) for place, each in result.derived]
    tally.duplicates += len(result.duplicates)
    tally.refused += [(places[place], handed.events[place], refusal) for place, refusal in result.refused]
    tally.left_out += [places[place] for place in result.duplicates]
    tally.left_out += [places[place] for place, _ in result.refused]


def _received(
    making: Making, key: ProfileKey, slot: Slot, plan: Plan, handed: Handed, now_ms: int
) -> tuple[Handover | Onward | None, Exception | None]:
    """What comes of it, or the error that keeps all of it from being taken over."""
    result: Handover | Onward | None = None

    def go() -> None:
        nonlocal result
        result = receive(plan, slot.profile, handed, now_ms)
        if result is not None:
            encode(result.profile)

    error = making.guarded(key, slot, go)
    return result, error


def _without_faults(
    making: Making, slot: Slot, plan: Plan, handed: Handed, now_ms: int, tally: Tally
) -> Handed:
    """Without the events on which the core raises, which are set aside."""
    before = None if slot.profile is None else encode(slot.profile)
    fine = []
    for place, event in enumerate(handed.events):
        try:
            profile = None if before is None else decode(before)
            result = receive(plan, profile, replace(handed, events=[event]), now_ms)
            if result is not None:
                encode(result.profile)
        except Exception as error:
            making.aside.append(Aside("event", plan.workspace, event.profile, now_ms, error, event, place))
            tally.left_out.append(place)
        else:
            fine.append(event)
    return replace(handed, events=fine)
