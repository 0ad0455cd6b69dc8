"""The segments that a change concerns, without those that can't hold whatever the change.

In `all(country is DE, opened campaign 7)` a change of country matters only to profiles that have opened
campaign 7. So a leaf's position is guarded by a fact that its segment needs beside the leaf: a change
collects it only for a profile that has the fact. The cost of thousands of segments on one country
then depends on what the profile has done, not on their number.

Why it is enough: where the guarding condition is false, the `all` around leaf and guard is false, and the
segment's truth doesn't depend on the leaf. A step changes one leaf after the other and collects at each
change, and a fact once there stays, so the change that makes the difference always finds its guard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct

from livesegments.core.edition import Edition, own

K = TypeVar("K")

Facts: TypeAlias = Mapping[int, Any]
"""A profile's: fact id → state."""


class Guard(Struct, frozen=True):
    """A profile must have one of the facts. `breadth`: 0 if each asks for an equality, up to 2."""

    facts: frozenset[int]
    breadth: int


class Positions(set[int]):
    """Positions, shared between plans (module `edition`)."""

    __slots__ = ("edition",)

    def __init__(self, edition: Edition, positions: Iterable[int] = ()) -> None:
        super().__init__(positions)
        self.edition = edition

    def copied(self, edition: Edition) -> Positions:
        return Positions(edition, self)


class Reach:
    """The positions that one change may flip: `always`, or only for profiles that have a fact."""

    __slots__ = ("_always", "_only", "edition")

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self._always = Positions(edition)
        self._only: dict[int, Positions] = {}

    def copied(self, edition: Edition) -> Reach:
        made = Reach(edition)
        made._always = self._always.copied(edition)
        made._only = dict(self._only)
        return made

    def __bool__(self) -> bool:
        return bool(self._always or self._only)

    @property
    def positions(self) -> set[int]:
        """All, whatever guards them."""
        return set(self._always).union(*self._only.values())

    def add(self, position: int, guard: Guard | None) -> None:
        if guard is None:
            self._always.add(position)
            return
        for fact in guard.facts:
            own(self._only, fact, self.edition, Positions).add(position)

    def discard(self, position: int, guard: Guard | None) -> None:
        """Takes out what was put in; the arguments are those that were given to `add`. It may be gone
        already."""
        if guard is None:
            self._always.discard(position)
            return
        for fact in guard.facts & self._only.keys():
            left = own(self._only, fact, self.edition, Positions)
            left.discard(position)
            if not left:
                del self._only[fact]

    def collect(self, facts: Facts, into: set[int]) -> None:
        """Adds the positions to `into`, for a profile with these facts."""
        into |= self._always
        only = self._only
        if only:
            for fact in only.keys() & facts.keys():
                into |= only[fact]


def mark(
    into: dict[K, Reach], key: K, position: int, guard: Guard | None, edition: Edition, present: bool
) -> None:
    """Puts a position under a key, or takes it out; a key without positions goes, too."""
    if present:
        own(into, key, edition, Reach).add(position, guard)
    elif key in into:
        reach = own(into, key, edition, Reach)
        reach.discard(position, guard)
        if not reach:
            del into[key]
