"""Who will leave and who will enter a segment by the clock alone.

Example: of two members one ordered 29 days ago, the other yesterday; "an order in the last 30 days" will lose
one within 7 days, and two within 30.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from msgspec import Struct

from livesegments.core.explain import next_flips
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.whatif import is_in

LIKELY = 1.96
"""Standard errors on either side within which 19 of 20 samples come out."""


class Tally(Struct):
    """How many of the profiles that were looked at leave, and enter, before the instants asked for."""

    leave: list[int]
    enter: list[int]
    looked_at: int = 0

    def add(self, other: Tally) -> None:
        self.leave = [one + more for one, more in zip(self.leave, other.leave, strict=True)]
        self.enter = [one + more for one, more in zip(self.enter, other.enter, strict=True)]
        self.looked_at += other.looked_at


def foresee(
    plan: Plan, profiles: Sequence[tuple[str, Profile]], segment: str, instants: Sequence[int]
) -> Tally:
    """The first flip of every profile, counted for every instant (ms, ascending) that it doesn't come after.

    A profile that leaves and comes back counts as one that leaves. The profiles are left as they are.
    """
    tally = Tally([0] * len(instants), [0] * len(instants), len(profiles))
    for id_, profile in profiles:
        flip = next_flips(plan, id_, profile, (segment,), instants[-1]).get(segment)
        if flip is None:
            continue
        counts = tally.leave if is_in(profile, segment) else tally.enter
        for at, instant in enumerate(instants):
            counts[at] += flip <= instant
    return tally


def projected(count: int, looked_at: int, total: int) -> tuple[int, int]:
    """(estimate, margin) for all `total`, of which `looked_at`, drawn at random, gave `count`.

    In 19 of 20 cases the true number is no further from the estimate than the margin, which is 0 where all
    were looked at.
    """
    if looked_at >= total:
        return count, 0
    share = count / looked_at
    error = sqrt(share * (1 - share) / looked_at * (total - looked_at) / (total - 1))
    # none of n looked at, or all of them: a share of 3 / n may be otherwise and be missed
    least = 3 / looked_at if count in (0, looked_at) else 0.0
    return round(total * share), round(max(LIKELY * error, least) * total)
