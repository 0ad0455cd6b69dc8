"""A number for each of many keys, found by the hash of the key; the keys themselves are kept elsewhere.

Example: when each distinct value leaves a window. Two keys may have one hash, so a number that is found is a
guess that the caller checks. The hashes lie in `DRAWERS` drawers, by their lowest bits; a drawer that nothing
touches stays bytes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from hashlib import blake2b

from msgspec import Struct

from livesegments.core.chunks import Numbers, numbers

DRAWERS = 16


class Hashes(Struct, array_like=True):
    """`drawers`: each one has its hashes, ascending, and then their numbers in the same order."""

    drawers: list[Numbers]

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> Hashes:
        """`pairs`: (hash, number)."""
        parts = [list[tuple[int, int]]() for _ in range(DRAWERS)]
        for pair in sorted(pairs):
            parts[pair[0] % DRAWERS].append(pair)
        return cls([array("q", [pair[column] for column in (0, 1) for pair in part]) for part in parts])

    def found(self, number: int) -> array[int]:
        """Those of the keys with a hash."""
        drawer, half = self._drawer(number)
        at = bisect_left(drawer, number, 0, half)
        return drawer[half + at : half + bisect_right(drawer, number, at, half)]

    def put(self, number: int, its: int) -> None:
        drawer, half = self._drawer(number)
        at = bisect_left(drawer, number, 0, half)
        drawer.insert(half + at, its)
        drawer.insert(at, number)

    def remove(self, number: int, its: int) -> None:
        """Of a key that is there."""
        drawer, half = self._drawer(number)
        at = drawer.index(its, half + bisect_left(drawer, number, 0, half))
        del drawer[at], drawer[at - half]

    def replace(self, number: int, old: int, new: int) -> None:
        """Of a key that is there."""
        drawer, half = self._drawer(number)
        drawer[drawer.index(old, half + bisect_left(drawer, number, 0, half))] = new

    def _drawer(self, number: int) -> tuple[array[int], int]:
        """The drawer of a hash, and how many hashes are in it."""
        place = number % DRAWERS
        drawer = self.drawers[place] = numbers(self.drawers[place])
        return drawer, len(drawer) // 2


def hashed(key: int | str) -> int:
    """Equal for equal keys, today and always; 64 bits."""
    if isinstance(key, int):
        return key
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), signed=True)
