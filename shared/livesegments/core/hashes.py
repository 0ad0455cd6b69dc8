"""Numbers of each of many keys, found by the hash of the key; the keys themselves are kept elsewhere.

Example: when each distinct value leaves a window. Two keys may have one hash, so what is found is a guess
that the caller checks. The hashes lie in `DRAWERS` drawers, by their lowest bits; a drawer that nothing
touches stays bytes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from msgspec import Struct

from livesegments.core.chunks import Numbers, numbers

DRAWERS = 16


class Hashes(Struct, array_like=True):
    """`drawers`: each one has its hashes, ascending, and then in the same order the first number of each, and
    so on; `columns` are how many numbers a hash has."""

    drawers: list[Numbers]
    columns: int = 1

    @classmethod
    def of(cls, rows: Iterable[tuple[int, ...]], columns: int = 1) -> Hashes:
        """`rows`: (hash, its numbers)."""
        parts = [list[tuple[int, ...]]() for _ in range(DRAWERS)]
        for row in sorted(rows):
            parts[row[0] % DRAWERS].append(row)
        places = range(columns + 1)
        return cls([array("q", [row[at] for at in places for row in part]) for part in parts], columns)

    def leaves_of(self, number: int) -> array[int]:
        """The numbers of the keys with a hash, where each has one."""
        drawer, size = self._drawer(number)
        at = bisect_left(drawer, number, 0, size)
        return drawer[size + at : size + bisect_right(drawer, number, at, size)]

    def rows_of(self, number: int) -> list[tuple[int, ...]]:
        """The same where each has several."""
        drawer, size = self._drawer(number)
        at = bisect_left(drawer, number, 0, size)
        return [
            tuple(drawer[size + row :: size]) for row in range(at, bisect_right(drawer, number, at, size))
        ]

    def put(self, number: int, *its: int) -> None:
        drawer, size = self._drawer(number)
        at = bisect_left(drawer, number, 0, size)
        for column in range(self.columns, 0, -1):
            drawer.insert(column * size + at, its[column - 1])
        drawer.insert(at, number)

    def remove(self, number: int, *its: int) -> None:
        """Of a key that is there."""
        drawer, size = self._drawer(number)
        at = self._place(drawer, size, number, its)
        for column in range(self.columns, -1, -1):
            del drawer[column * size + at]

    def replace(self, number: int, old: Sequence[int], new: Sequence[int]) -> None:
        """Of a key that is there."""
        drawer, size = self._drawer(number)
        at = self._place(drawer, size, number, old)
        for column, each in enumerate(new, 1):
            drawer[column * size + at] = each

    def _place(self, drawer: array[int], size: int, number: int, its: Sequence[int]) -> int:
        at = bisect_left(drawer, number, 0, size)
        while any(drawer[column * size + at] != each for column, each in enumerate(its, 1)):
            at += 1
        return at

    def _drawer(self, number: int) -> tuple[array[int], int]:
        """The drawer of a hash, and how many hashes are in it."""
        place = number % DRAWERS
        drawer = self.drawers[place] = numbers(self.drawers[place])
        return drawer, len(drawer) // (self.columns + 1)


def hashed(key: int | str) -> int:
    """Equal for equal keys, today and always; 64 bits."""
    if isinstance(key, int):
        return key
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), signed=True)
