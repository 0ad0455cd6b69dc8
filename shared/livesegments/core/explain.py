"""Why in, why out, until when."""

from __future__ import annotations

from livesegments.core.plan import Plan
from livesegments.core.profile import Profile, decode, encode
from livesegments.core.step import on_clock

MAX_WAKES = 10_000
"""How many wakes ahead are looked at."""


def valid_until(plan: Plan, profile_id: str, profile: Profile, segment: str, now_ms: int) -> int | None:
    """The next instant (ms) at which the clock alone flips this profile's membership; None if never.

    `profile` is left as it is. All dues ≤ now_ms must have fired (as in a stored state).
    """
    ahead = decode(encode(profile))
    for _ in range(MAX_WAKES):
        wake = ahead.wake_at
        if wake is None:
            return None
        step = on_clock(plan, profile_id, ahead, wake)
        if any(transition.segment == segment for transition in step.transitions):
            return wake
    return None
