"""How often each of many values is used, by the value and by the rank, in chunks that stay bytes.

Example: `tea` was used twice, last at noon. By rank that is (2, noon, id, place, `tea`), by value the hash of
`tea`, 2 and noon, which lead there. The most frequent value is the last one by rank.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from msgspec import Struct

from livesegments.core.chunks import Chunks
from livesegments.core.definition import Scalar
from livesegments.core.hashes import hashed
from livesegments.core.value import Key, key

Use: TypeAlias = tuple[int, str, int, Scalar]
"""Time and id of an event, the place of a value among its values, and that value."""
Rank: TypeAlias = tuple[int, int, str, int, Scalar]
"""How often a value was used; of its last use the time, the event's id and the place; the value."""
ByValue: TypeAlias = tuple[int, int, int]
"""The hash of the value, and what its rank begins with."""


class Ranks(Struct, array_like=True):
    by_value: Chunks[ByValue]
    by_rank: Chunks[Rank]

    @classmethod
    def of(cls, ranks: Iterable[Rank]) -> Ranks:
        """Of different values."""
        ascending = sorted(ranks, key=lambda rank: rank[:4])
        by_value = sorted((_hash(rank[4]), *rank[:2]) for rank in ascending)
        return cls(Chunks.of(by_value), Chunks.of(ascending))

    def rank(self, value: Scalar) -> Rank | None:
        wanted, number = key(value), _hash(value)
        entry = self.by_value.at_least((number,))
        while entry is not None and entry[0] == number:
            _, count, time_ms = entry
            rank = self.by_rank.at_least((count, time_ms))
            while rank is not None and rank[:2] == (count, time_ms):
                if key(rank[4]) == wanted:
                    return rank
                rank = self.by_rank.at_least((*rank[:3], rank[3] + 1))
            entry = self.by_value.at_least((number, count, time_ms + 1))
        return None

    def __len__(self) -> int:
        """How many values."""
        return len(self.by_rank)

    def use(self, use: Use, most: int) -> None:
        """Counts a use; a further value counts only while there are fewer than `most`."""
        old = self.rank(use[3])
        if old is not None:
            self.replace(old, (old[0] + 1, *max(use, old[1:], key=lambda each: each[:3])))
        elif len(self) < most:
            self.replace(None, (1, *use))

    def replace(self, old: Rank | None, new: Rank | None) -> None:
        """The rank of one value by another one, which is of the same value."""
        if old is not None and new is not None:
            number = _hash(new[4])
            self.by_value.exchange((number, *old[:2]), (number, *new[:2]))
            self.by_rank.remove(old[:4])
            self.by_rank.put(new, new[:4])
            return
        if old is not None:
            self.by_value.remove((_hash(old[4]), *old[:2]))
            self.by_rank.remove(old[:4])
        if new is not None:
            entry = _hash(new[4]), *new[:2]
            self.by_value.put(entry, entry)
            self.by_rank.put(new, new[:4])

    def read(self) -> Key | None:
        """The most frequent value, as it is compared."""
        return key(self.by_rank[-1][4]) if len(self.by_rank) else None


def _hash(value: Scalar) -> int:
    """Equal for equal values, today and always, as Python's own is for numbers, but not for texts."""
    return hashed(value) if isinstance(value, str) else hash(value)
