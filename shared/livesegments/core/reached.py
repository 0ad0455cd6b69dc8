"""The segments that a profile's own parts lead to: when many definitions are new, only those are judged.

Example: ten thousand new segments ask for cities. A profile with the city Paris is judged by those on which
"Paris" decides otherwise than no city at all; the others are as true for it as for a profile of which nothing
is known, which is: not, or they are `born`.

Why it is enough: a segment's truth for a profile and for an unknown one differ only if a leaf's do, and then
going from nothing to what the profile has is a change that leads to the segment, as in a step (module
`reach` says why a guarded one is never missed). A leaf that refers to another segment differs where the
profile is a member, and then the membership leads to it; or where the other holds for unknown profiles, and
then all that refer to it are born. Whoever is a member may have to leave, so memberships lead to their own
segments, too.
"""

from __future__ import annotations

from livesegments.core.kind import held
from livesegments.core.plan import Plan
from livesegments.core.profile import ANY_TAG, Profile
from livesegments.core.track import Counted, Measured


def reached(plan: Plan, profile: Profile, now_ms: int) -> set[int]:
    """Positions; all others are false for the profile at `now_ms`, and it is in none of them.

    Every due ≤ now_ms must have fired.
    """
    facts, into = profile.facts, set(plan.born)
    for name, register in profile.attributes.items():
        watch = plan.watches.get(name)
        if watch is not None and register.value is not None:
            watch.changed(None, register.value, now_ms, facts, into)
    for registers, reaches in ((profile.tags, plan.tags), (profile.consent, plan.consents)):
        for name in registers.keys() & reaches.keys():
            reaches[name].collect(facts, into)
    if profile.tags and ANY_TAG in plan.tags:
        plan.tags[ANY_TAG].collect(facts, into)
    for fact in list(facts):
        track = plan.tracks.get(fact)
        if track is None:
            continue
        if isinstance(track, Counted | Measured):
            kind = track.kind
            nothing, value = kind.value(None, now_ms), kind.value(held(facts, fact, kind), now_ms)
            if nothing != value:
                track.changed(nothing, value, facts, into)
        else:
            track.reach.collect(facts, into)
    positions, dependents = plan.positions, plan.dependents
    into.update(positions[id_] for id_ in profile.lists if id_ in positions)
    for id_, membership in profile.memberships.items():
        at = positions.get(id_) if membership.entered_ms is not None else None
        if at is not None:
            into.add(at)
            if at in dependents:
                dependents[at].collect(facts, into)
    return into
