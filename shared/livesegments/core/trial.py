"""Tests of a definition: what happens to one profile, and whether it is in the segment at some instants.

Example: "ordered in the last 30 days", an order on 1 March: in on 1 March, in on 30 March, out on 31 March.

The profile lives through it with the evaluator's own steps, due times at their own instants, and no clock
but that of the timeline. It had not been there before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from livesegments.core.event import PROFILE, Event
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.step import on_clock, on_event
from livesegments.core.whatif import is_in

MAX_STEPS = 10_000
"""Steps of the clock in one test: some 27 years of days."""


class Happening(Struct, frozen=True, omit_defaults=True):
    """An event, or, without a name, a change of the profile: then `properties` are those of a
    `ProfileChange`."""

    time_ms: int
    name: str = ""
    properties: dict[str, Any] = {}


class Expected(Struct, frozen=True):
    """Whether the profile is in the segment at an instant, after all that happens at that instant."""

    at_ms: int
    is_in: bool


class Trial(Struct, frozen=True, omit_defaults=True):
    """One test. The order of the events and of the instants doesn't matter; of events at one instant theirs
    does."""

    name: str
    events: tuple[Happening, ...]
    expect: tuple[Expected, ...]
    profile: str = "somebody"


class Cut(Exception):
    """The test can't be carried out, for the reason that it gives."""


def outcomes(plan: Plan, segment: str, trial: Trial) -> list[bool]:
    """Whether the profile is in the segment at each of the instants, in the order of `expect`. Raises Cut."""
    found: dict[int, bool] = {}
    profile: Profile | None = None
    steps = 0
    for at_ms, number, event in _timeline(plan.workspace, trial):
        while profile is not None and (wake := profile.wake_at) is not None and wake <= at_ms:
            steps += 1
            if steps > MAX_STEPS:
                raise Cut(f"the clock alone does more than {MAX_STEPS:,} steps in it: make it shorter")
            on_clock(plan, trial.profile, profile, wake)
        if event is None:
            found[number] = profile is not None and is_in(profile, segment)
            continue
        step = on_event(plan, profile, event, at_ms)
        if step.refused is not None:
            raise Cut(f"its event {number} is more than a profile may have: {step.refused.message}")
        profile = step.profile
    return [found[number] for number in range(len(trial.expect))]


def _timeline(workspace: str, trial: Trial) -> Iterator[tuple[int, int, Event | None]]:
    """Instants in order, with the number of an event and that event, or of an expectation and None."""
    moments: list[tuple[int, int, int, Event | None]] = [
        (each.time_ms, 0, number, _event(workspace, trial.profile, number, each))
        for number, each in enumerate(trial.events)
    ]
    moments += [(each.at_ms, 1, number, None) for number, each in enumerate(trial.expect)]
    for at_ms, _, number, event in sorted(moments, key=lambda each: each[:3]):
        yield at_ms, number, event


def _event(workspace: str, profile: str, number: int, given: Happening) -> Event:
    """Of two writes at one instant the later one holds, so the ids are in order."""
    name = given.name or PROFILE
    return Event(f"{number:06}", workspace, profile, name, given.time_ms, given.properties)
