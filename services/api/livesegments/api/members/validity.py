"""`valid_until` of stored profiles: when the clock alone will change a membership."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from livesegments.api.context import Context
from livesegments.core.explain import near_flips, next_flips
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.wire.catalog import Workspace

FEW_WAKES, FEW_DUES = 8, 32
"""This much is worked out at once, because a thread would cost more; anything more is left to a thread."""


async def next_changes(
    context: Context, workspace: Workspace, profiles: Mapping[str, Profile], segments: Collection[str] | None
) -> dict[str, dict[str, int]]:
    """Profile → segment → the instant (ms); of `segments`, or (None) of all that a profile is in.

    A segment that the clock alone will never change is left out.
    """
    if not any(profile.dues for profile in profiles.values()):
        return {id_: {} for id_ in profiles}
    plan = await context.plans.of(workspace)
    if len(profiles) == 1:
        ((id_, profile),) = profiles.items()
        if len(profile.dues) <= FEW_DUES:
            wanted = segments if segments is not None else entered(profile)
            found = near_flips(plan, id_, profile, wanted, FEW_WAKES)
            if found is not None:
                return {id_: found}
    return await asyncio.to_thread(_all, plan, profiles, segments)


def _all(
    plan: Plan, profiles: Mapping[str, Profile], segments: Collection[str] | None
) -> dict[str, dict[str, int]]:
    return {
        id_: next_flips(plan, id_, profile, segments if segments is not None else entered(profile))
        for id_, profile in profiles.items()
    }


def entered(profile: Profile) -> dict[str, int]:
    """The segments that it is in, and since when (ms)."""
    return {
        segment: membership.entered_ms
        for segment, membership in profile.memberships.items()
        if membership.entered_ms is not None
    }
