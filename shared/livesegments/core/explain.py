"""Until when a membership holds if only the clock goes on."""

from __future__ import annotations

from collections.abc import Collection

from livesegments.core.plan import Plan
from livesegments.core.profile import Profile, decode, encode
from livesegments.core.step import on_clock

MAX_WAKES = 10_000
"""At most this many wakes ahead are looked at."""
HORIZON_MS = 36_525 * 86_400_000
"""Wakes are looked at up to a hundred years after the first; anniversaries would go on for thousands."""


def valid_until(plan: Plan, profile_id: str, profile: Profile, segment: str, now_ms: int) -> int | None:
    """The next instant (ms) at which the clock alone flips this profile's membership; None if never.

    `profile` is left as it is. All dues ≤ now_ms must have fired (as in a stored state).
    """
    return next_flips(plan, profile_id, profile, (segment,)).get(segment)


def next_flips(
    plan: Plan, profile_id: str, profile: Profile, segments: Collection[str], until_ms: int | None = None
) -> dict[str, int]:
    """`valid_until` of several segments in one look ahead; those that never flip are not in it.

    `until_ms`: the last instant that is looked at.

    The state may be of an older plan than `plan`: what that knew and this doesn't is left out, and what only
    this knows is not foreseen before the state is brought up to it.
    """
    return _flips(plan, profile_id, profile, segments, MAX_WAKES, until_ms)[0]


def near_flips(
    plan: Plan, profile_id: str, profile: Profile, segments: Collection[str], wakes: int
) -> dict[str, int] | None:
    """`next_flips`, if the next `wakes` wakes are enough to know it; else None. It costs no more than these
    wakes."""
    found, is_all = _flips(plan, profile_id, profile, segments, wakes, None)
    return found if is_all else None


def _flips(
    plan: Plan,
    profile_id: str,
    profile: Profile,
    segments: Collection[str],
    wakes: int,
    until_ms: int | None,
) -> tuple[dict[str, int], bool]:
    """And whether nothing more can come within the horizon."""
    ahead = prepared(plan, profile)
    missing, found = set(segments), dict[str, int]()
    last = (ahead.wake_at or 0) + HORIZON_MS if until_ms is None else until_ms
    for _ in range(wakes):
        wake = ahead.wake_at
        if wake is None or wake > last or not missing:
            return found, True
        for transition in on_clock(plan, profile_id, ahead, wake).transitions:
            if transition.segment in missing:
                missing.discard(transition.segment)
                found[transition.segment] = wake
    return found, not missing


def prepared(plan: Plan, profile: Profile) -> Profile:
    """A copy of a stored profile, to be stepped under `plan`; dues that only another knew are left out."""
    ahead = decode(encode(profile))
    ahead.plan = plan.revision
    ahead.dues = {
        fact: due for fact, due in ahead.dues.items() if fact in plan.tracks or fact in plan.watches
    }
    return ahead
