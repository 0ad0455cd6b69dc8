"""Why in, why out, until when."""

from __future__ import annotations

from livesegments.core.plan import Plan
from livesegments.core.profile import Profile


def valid_until(plan: Plan, profile_id: str, profile: Profile, segment: str, now_ms: int) -> int | None:
    """The next instant (ms) at which the clock alone flips this profile's membership; None if never.

    `profile` is left as it is. All dues ≤ now_ms must have fired (as in a stored state).
    """
    raise NotImplementedError
