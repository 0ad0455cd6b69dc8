"""Whom a change concerns: positions of segments, without those that can't hold whatever the change.

In `all(country is DE, opened campaign 7)` a change of country matters only to profiles that have opened
campaign 7. So a leaf's position is guarded by a fact that its segment needs beside the leaf: a change
collects it only for a profile that has the fact. Thousands of segments on one country then cost what
the profile has done, not how many they are.

Why it is enough: where the guarding condition is false, the `all` around leaf and guard is false, and the
segment's truth doesn't depend on the leaf. A step changes one leaf after the other and collects at each
change, and a fact once there stays, so the change that makes the difference always finds its guard.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from msgspec import Struct

Facts: TypeAlias = Mapping[int, Any]
"""A profile's: fact id → state."""


class Guard(Struct, frozen=True):
    """A profile must have one of the facts. `breadth`: 0 if each asks for an equality, up to 2."""

    facts: frozenset[int]
    breadth: int


class Reach:
    """The positions that one change may flip: `always`, or only for who has a fact."""

    __slots__ = ("_always", "_only")

    def __init__(self) -> None:
        self._always: set[int] = set()
        self._only: dict[int, set[int]] = {}

    @property
    def positions(self) -> set[int]:
        """All, whatever guards them."""
        return self._always.union(*self._only.values())

    def add(self, position: int, guard: Guard | None) -> None:
        if guard is None:
            self._always.add(position)
            return
        for fact in guard.facts:
            self._only.setdefault(fact, set()).add(position)

    def collect(self, facts: Facts, into: set[int]) -> None:
        """Adds the positions to `into`, for a profile with these facts."""
        into |= self._always
        only = self._only
        if only:
            for fact in only.keys() & facts.keys():
                into |= only[fact]
