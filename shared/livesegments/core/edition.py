"""Structures that many plans share, changed by one at a time without the others seeing it.

Example: a plan of ten thousand segments is made anew because one segment came. The new plan takes over every
index of the old one. Where the new segment has to go into an index, that index is copied once, and the copy
is the new plan's own: it can be changed in place until the plan is done. Whoever still works with the old
plan sees nothing of it.

An edition is the making of one plan. A structure with its token was made by it; any other is copied first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, Self, TypeVar


class Edition:
    """A token, compared by identity."""

    __slots__ = ()


class Shared(Protocol):
    """`copied` gives a copy of its own to an edition; what lies deeper may still be shared."""

    edition: Edition

    def copied(self, edition: Edition) -> Self: ...


K = TypeVar("K")
S = TypeVar("S", bound=Shared)


def own(into: dict[K, S], key: K, edition: Edition, make: Callable[[Edition], S]) -> S:
    """What stands under `key`, as the edition's own: made if it is missing, copied if it is another's.

    `into` is the edition's own already.
    """
    found = into.get(key)
    if found is None:
        found = into[key] = make(edition)
    elif found.edition is not edition:
        found = into[key] = found.copied(edition)
    return found
