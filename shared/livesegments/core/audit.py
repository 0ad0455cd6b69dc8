"""Whether a profile is what its history says: the truth of its facts, and its memberships by them.

Example: a fault, or a hand in the store, has taken ada's fact "3 orders in 30 days" away. Counted anew from
her history it is there, so it has drifted, and so has her membership once the fact is put right.
"""

from __future__ import annotations

from livesegments.core.event import Transition
from livesegments.core.kind import held
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.recount import Counted, Recounts
from livesegments.core.step import Why, on_facts


def drifted(plan: Plan, profile: Profile, counted: Counted, now_ms: int) -> frozenset[int]:
    """The facts whose value at `now_ms` is another one than that of their counted states.

    Both states must not be of a later instant; they are settled to `now_ms`.
    """
    found = set()
    for fact in counted.facts:
        kind = plan.tracks[fact].kind
        is_, right = held(profile.facts, fact, kind), held(counted.states.facts, fact, kind)
        if kind.value(is_, now_ms) != kind.value(right, now_ms):
            found.add(fact)
    return frozenset(found)


def repair(
    recounts: Recounts,
    profile_id: str,
    profile: Profile,
    counted: Counted,
    drift: frozenset[int],
    now_ms: int,
) -> list[Transition]:
    """Gives the profile the right states of the facts in `drift`, in place, and judges every segment.

    All that is due up to `now_ms` must have fired.
    """
    plan = recounts.plan
    transitions: list[Transition] = []
    if drift:
        facts = recounts.closed(drift) & counted.facts
        transitions += recounts.put(
            profile_id, profile, Counted(facts, counted.states), now_ms, "repair", None
        ).transitions
    why = Why(profile_id, now_ms, "repair", None)
    transitions += on_facts(plan, profile, set(plan.positions.values()), why).transitions
    return transitions
