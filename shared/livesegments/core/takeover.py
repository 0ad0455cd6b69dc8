"""A profile takes over what another has handed to it: all of one record, and then it is judged once."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from livesegments.core.bounds import Refusal, beyond
from livesegments.core.dedup import knows
from livesegments.core.event import PROFILE, RETRACT, Event, Transition
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.registers import change_of
from livesegments.core.retraction import is_taken, take_back
from livesegments.core.step import Why, change_profile, feed_event, on_facts


class Handover(Struct):
    """What became of events that were handed over, by their places: those not applied, with their bound
    where it was that; and the events that followed from them. `spilt`: as of `merging.Onward`. As `Step` for
    the rest."""

    profile: Profile
    transitions: list[Transition]
    wake_at: int | None
    duplicates: list[int]
    refused: list[tuple[int, Refusal]]
    derived: list[tuple[int, Event]]
    spilt: Sequence[str] = ()


def on_handed(
    plan: Plan,
    profile: Profile | None,
    events: Sequence[Event],
    now_ms: int,
    why: Why,
    back: bool = False,
    fresh: bool = False,
) -> Handover:
    """Gives a profile events that it takes over from another, and then judges it once.

    Their ids are not remembered: all that their sender has seen is added at the end (`dedup.joined`). `back`:
    the profile was gone and is there again. `fresh`: none of them is a repeat. Otherwise as `on_event`.
    """
    affected: set[int] = set()
    if profile is None:
        profile, back = Profile(plan=plan.revision), True
    if back:
        affected |= plan.born
    assert profile.plan == plan.revision
    limits = plan.limits
    duplicates: list[int] = []
    refusals: list[tuple[int, Refusal]] = []
    derived: list[tuple[int, Event]] = []
    for place, event in enumerate(events):
        if not fresh and knows(profile.seen, event.id, now_ms, limits.dedup_window_ms, limits.dedup_max_ids):
            duplicates.append(place)
        elif event.name == PROFILE:
            change = change_of(event)
            refused = beyond(profile, change, limits.bounds)
            if refused is not None:
                refusals.append((place, refused))
                continue
            follows = change_profile(plan, profile, event, change, now_ms, affected)
            derived += [(place, each) for each in follows]
        elif event.name == RETRACT:
            profile.taken = take_back(profile.taken, event)
        elif profile.taken is None or not is_taken(profile.taken, event):
            feed_event(plan, profile, event, now_ms, affected)
    step = on_facts(plan, profile, affected, why)
    return Handover(profile, step.transitions, step.wake_at, duplicates, refusals, derived)
