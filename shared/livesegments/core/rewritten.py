"""The registers of a profile as the changes in its history give them, to see what is right.

Example: a hand in the store has set ada's city to `Rome`. Her history says that `Kyiv` was written last, by
event e1, so `astray` names the attribute, and `set_right` writes what e1 wrote.

Registers give the same value whatever the order of arrival, and history has exactly the changes that were
applied: one that a bound refused is in none. A change of a list that names no version means the one of its
own moment, which the partition has noted (module `list_versions`); where it hasn't, places on that list are
left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from livesegments.core.backfill import Past
from livesegments.core.bounds import DERIVED, attribute_bytes
from livesegments.core.event import PROFILE
from livesegments.core.list_versions import UNKNOWN, ListVersions
from livesegments.core.plan import Plan
from livesegments.core.profile import WAITING, ListRegister, Profile, Register
from livesegments.core.registers import apply_change, change_of, claim_lists, increments, same
from livesegments.core.step import set_attribute_due


def rewritten(past: Iterable[Past], lists: ListVersions = UNKNOWN) -> Profile:
    """A profile with nothing but the registers, by all changes in their order of arrival."""
    states = Profile()
    for commit, event in past:
        if event.name == PROFILE:
            change = change_of(event)
            meant = lists.at(commit, (*change.lists_add, *change.lists_remove))
            for _ in apply_change(states, event, change, meant):
                pass
    claim_lists(states, lists.alone)
    return states


def astray(profile: Profile, right: Profile) -> list[str]:
    """What of a profile's registers isn't as `rewritten` has it: `attribute city`, `tag vip`, `score` …"""
    wrong = [f"attribute {name}" for name in _differing(profile.attributes, right.attributes)]
    wrong += [f"tag {name}" for name in _differing(profile.tags, right.tags)]
    wrong += [f"consent {name}" for name in _differing(profile.consent, right.consent)]
    wrong += [f"list {name}" for name in _differing(_certain(profile, right), _certain(right, right))]
    if profile.groups != right.groups:
        wrong.append("groups")
    if not _equal(profile.score, right.score) or list(map(tuple, increments(profile))) != increments(right):
        wrong.append("score")
    if profile.removed.items() != {name: tuple(at) for name, at in right.removed.items()}.items():
        wrong.append("removed attributes")
    return wrong


def set_right(plan: Plan, profile: Profile, right: Profile, now_ms: int) -> None:
    """Gives a profile the registers of `right`, in place, with their due times; nothing is judged."""
    for name in profile.attributes.keys() | right.attributes.keys():
        profile.dues.pop(name, None)
    profile.attributes, profile.tags, profile.consent = right.attributes, right.tags, right.consent
    profile.lists = {**profile.lists, **_certain(right, right)}
    for name in _certain(profile, right).keys() - right.lists.keys():
        del profile.lists[name]
    profile.groups, profile.removed = right.groups, right.removed
    profile.score, profile.increments, profile.increased = right.score, right.increments, right.increased
    profile.attribute_bytes = -1
    attribute_bytes(profile)
    for name in profile.attributes:
        set_attribute_due(plan, profile, name, now_ms)


def _certain(profile: Profile, right: Profile) -> dict[str, ListRegister]:
    """A profile's places on lists, but of which nobody knows which version a change in history meant."""
    return {
        name: each
        for name, each in profile.lists.items()
        if name[:1] != WAITING and WAITING + name not in right.lists
    }


def _differing(stored: Mapping[str, Register], right: Mapping[str, Register]) -> list[str]:
    """The names; of an attribute that follows from others only the value counts."""
    return [
        name
        for name in sorted(stored.keys() | right.keys())
        if not _equal(stored.get(name), right.get(name), name in DERIVED)
    ]


def _equal(left: Register | None, right: Register | None, by_value: bool = False) -> bool:
    if left is None or right is None:
        return left is right
    if getattr(left, "version", 0) != getattr(right, "version", 0):
        return False
    stamps = by_value or (left.time_ms, left.event_id) == (right.time_ms, right.event_id)
    return stamps and same(left.value, right.value)
