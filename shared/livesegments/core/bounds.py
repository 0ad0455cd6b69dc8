"""The bounds of a profile's own data, and the changes that would go beyond them.

A change that would go beyond is refused as a whole: nothing of it is applied, and its id stays unknown. The
order of the log decides which change that is: the one that came first has the room. A change that adds
nothing, or makes something smaller, is never refused.

Names that were removed count, because a late write may still meet their removal. Values are measured as
if the change were the latest of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import Any

from msgspec import Struct

from livesegments.core.event import ProfileChange
from livesegments.core.profile import WAITING, Profile, consent_key

DERIVED = frozenset({"groups", "score"})
"""Attributes that follow from something with a bound of its own."""


class Bounds(Struct, frozen=True):
    """The most that one profile may have. `attribute_bytes`: of the names and values together, see `size`."""

    attributes: int = 2_000
    attribute_bytes: int = 256 * 1024
    tags: int = 2_000
    consents: int = 2_000
    groups: int = 1_000
    lists: int = 2_000


class Refusal(Struct, frozen=True):
    """Why a change is refused: it would bring what `bound` names beyond `most`."""

    bound: str
    most: int

    @property
    def message(self) -> str:
        if self.bound == "hops":
            return f"it came through {self.most} profiles, each merged into the next: are they a ring?"
        of = "bytes of attributes" if self.bound == "attribute_bytes" else self.bound
        return f"the profile would have more than {self.most} {of}; names that were removed count"


def beyond(profile: Profile, change: ProfileChange, bounds: Bounds) -> Refusal | None:
    """The bound that a change would pass, if it would."""
    if change.attributes:
        refusal = _attributes(profile, change.attributes, bounds)
        if refusal is not None:
            return refusal
    if not (change.tags_add or change.tags_remove or change.consent or change.groups) and not (
        change.lists_add or change.lists_remove
    ):
        return None
    listed = (*change.lists_add, *change.lists_remove)
    for bound, known, named in (
        ("tags", profile.tags, (*change.tags_add, *change.tags_remove)),
        ("consents", profile.consent, [consent_key(item.channel, item.topic) for item in change.consent]),
        ("groups", profile.groups, change.groups),
        ("lists", {key.removeprefix(WAITING) for key in profile.lists} if listed else (), listed),
    ):
        if named:
            most: int = getattr(bounds, bound)
            if _more(known, named, most):
                return Refusal(bound, most)
    return None


def _more(known: Sized | Iterable[str], named: Iterable[str], most: int) -> bool:
    assert isinstance(known, Sized) and isinstance(known, Iterable)
    new = {*named}.difference(known)
    return bool(new) and len(known) + len(new) > most


def _attributes(profile: Profile, written: dict[str, Any], bounds: Bounds) -> Refusal | None:
    known, new, growth = profile.attributes, 0, 0
    for name, value in written.items():
        register = known.get(name)
        if register is None:
            new += 1
            growth += size(name)
        else:
            growth -= size(register.value)
        growth += size(value)
    if new:
        derived = sum(name in known for name in DERIVED)
        if len(known) - derived + new > bounds.attributes:
            return Refusal("attributes", bounds.attributes)
    if growth > 0 and attribute_bytes(profile) + growth > bounds.attribute_bytes:
        return Refusal("attribute_bytes", bounds.attribute_bytes)
    return None


def attribute_bytes(profile: Profile) -> int:
    """The bytes that the attributes take. A profile that was stored without is measured once."""
    if profile.attribute_bytes < 0:
        registers = profile.attributes.items()
        profile.attribute_bytes = sum(
            size(name) + size(register.value) for name, register in registers if name not in DERIVED
        )
    return profile.attribute_bytes


def size(value: Any) -> int:
    """Text its bytes of UTF-8 and 1, a number or boolean 8, a list or point its items; no value is 0."""
    match value:
        case None:
            return 0
        case str():
            return 1 + (len(value) if value.isascii() else len(value.encode(errors="surrogatepass")))
        case list():
            return sum(map(size, value))
        case dict():
            return sum(map(size, value.values()))
    return 8
