"""When each of many keys leaves, found by the hash of the key; the keys themselves are kept elsewhere.

Two keys may have one hash, so a leave that is found is a guess that the caller checks. Both columns are plain
numbers of 8 bytes: to read and to write them costs a copy.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from hashlib import blake2b

from msgspec import Struct

from livesegments.core.chunks import Numbers, numbers


class Hashes(Struct, array_like=True):
    """
    hashes  ascending
    leaves  the leave of the key of each, in ms
    """

    hashes: Numbers
    leaves: Numbers

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> Hashes:
        """`pairs`: (hash, leave)."""
        ascending = sorted(pairs)
        return cls(array("q", [hash for hash, _ in ascending]), array("q", [leave for _, leave in ascending]))

    def leaves_of(self, number: int) -> array[int]:
        """Those of the keys with a hash."""
        hashes, leaves = self._columns()
        at = bisect_left(hashes, number)
        return leaves[at : bisect_right(hashes, number, at)]

    def put(self, number: int, leave: int) -> None:
        hashes, leaves = self._columns()
        at = bisect_left(hashes, number)
        hashes.insert(at, number)
        leaves.insert(at, leave)

    def remove(self, number: int, leave: int) -> None:
        """Of a key that is there."""
        hashes, leaves = self._columns()
        at = leaves.index(leave, bisect_left(hashes, number))
        del hashes[at], leaves[at]

    def _columns(self) -> tuple[array[int], array[int]]:
        hashes, leaves = self.hashes, self.leaves = numbers(self.hashes), numbers(self.leaves)
        return hashes, leaves


def hashed(key: int | str) -> int:
    """Equal for equal keys, today and always; 64 bits."""
    if isinstance(key, int):
        return key
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), signed=True)
