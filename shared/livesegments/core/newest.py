"""Which segments are newer than a revision: two arrays, as every partition has them of every segment."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator


class Newest:
    """Positions of segments by their revisions, the newest first."""

    __slots__ = ("_ages", "_positions")

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Each is (revision, position)."""
        ordered = sorted((-revision, position) for revision, position in pairs)
        self._ages = array("q", [age for age, _ in ordered])
        self._positions = array("q", [position for _, position in ordered])

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return ((-age, position) for age, position in zip(self._ages, self._positions, strict=True))

    def after(self, revision: int) -> frozenset[int]:
        return frozenset(self._positions[: bisect_left(self._ages, -revision)])
