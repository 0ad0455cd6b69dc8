"""One profile, one thing that happens, everything that should follow: on_event, on_clock, on_plan.

Pure: the plan, the profile, the event and the instant come in; the changed profile, its transitions
and its next wake come back. `profile` is None for one never seen.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from livesegments.core.event import Event, Transition
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile


class Step(Struct):
    """`changed` is False when nothing of the profile needs to be written (a duplicate, say)."""

    profile: Profile
    transitions: list[Transition]
    wake_at: int | None
    changed: bool = True
    duplicate: bool = False


def on_event(plan: Plan, profile: Profile | None, event: Event, now_ms: int) -> Step:
    """Apply one event at the partition's clock `now_ms` (≥ event.time_ms; all dues ≤ now_ms fired).

    `profile.plan` must be `plan.revision`: bring an older one up with `on_plan` first.
    """
    raise NotImplementedError


def on_clock(plan: Plan, profile_id: str, profile: Profile, now_ms: int) -> Step:
    """Let the clock alone reach `now_ms` = the profile's `wake_at`; cause `clock`.

    Also wants `profile.plan == plan.revision`.
    """
    raise NotImplementedError


def on_plan(plan: Plan, profile_id: str, profile: Profile, now_ms: int, since: Mapping[int, int]) -> Step:
    """Bring a profile stepped under an older revision to `plan`; cause `definition`.

    `since`: fact id → revision from which this partition keeps that fact. A state that the profile
    has from before then (the fact was dropped and came back) is stale and is dropped.
    Step.changed is False when nothing that is stored changed but `profile.plan`: it needn't be written.
    """
    raise NotImplementedError
