"""How often each of many values is used, by the value and by the rank, most of which stays bytes.

Example: `tea` was used twice, last at noon. By rank that is (2, noon, id, place, `tea`), by value the hash of
`tea`, 2 and noon, which lead there. The most frequent value is the last one by rank.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Any, TypeAlias

from msgspec import Struct

from livesegments.core.chunks import Chunks
from livesegments.core.definition import Scalar
from livesegments.core.hashes import Hashes, hashed
from livesegments.core.value import Key, key

Use: TypeAlias = tuple[int, str, int, Scalar]
"""Time and id of an event, the place of a value among its values, and that value."""
Rank: TypeAlias = tuple[int, int, str, int, Scalar]
"""How often a value was used; of its last use the time, the event's id and the place; the value."""
ByValue: TypeAlias = tuple[int, int, int]
"""The hash of the value, and what its rank begins with."""


class Ranks(Struct, array_like=True):
    """`by_value` has where a rank is found (`_place`), by the hash of its value; `stored` is how an earlier
    version kept that, and goes when a value is looked for."""

    stored: Chunks[ByValue] | None
    by_rank: Chunks[Rank]
    by_value: Hashes | None = None

    @classmethod
    def of(cls, ranks: Iterable[Rank]) -> Ranks:
        """Of different values."""
        ascending = sorted(ranks, key=lambda rank: rank[:4])
        by_value = Hashes.of((_hash(rank[4]), _place(rank)) for rank in ascending)
        return cls(None, Chunks.of(ascending), by_value)

    def __len__(self) -> int:
        """How many values."""
        return len(self.by_rank)

    def rank(self, value: Scalar) -> Rank | None:
        wanted = key(value)
        for place in self._hashes.found(_hash(value)):
            for rank in self._at(place):
                if key(rank[4]) == wanted:
                    return rank
        return None

    def _at(self, place: int) -> Iterator[Rank]:
        count, time_ms = place & MOST_COUNTED, place >> _BITS
        if count == MOST_COUNTED:
            yield from takewhile(lambda rank: rank[0] >= MOST_COUNTED, reversed(self.by_rank))
            return
        rank = self.by_rank.at_least((count, time_ms))
        while rank is not None and rank[:2] == (count, time_ms):
            yield rank
            rank = self.by_rank.at_least((*rank[:3], rank[3] + 1))

    def use(self, use: Use, most: int) -> None:
        """Counts a use; a further value counts only while there are fewer than `most`."""
        old = self.rank(use[3])
        if old is not None:
            self.replace(old, (old[0] + 1, *max(use, old[1:], key=lambda each: each[:3])))
        elif len(self) < most:
            rank = 1, *use
            self._hashes.put(_hash(use[3]), _place(rank))
            self.by_rank.put(rank, rank[:4])

    def replace(self, old: Rank, new: Rank) -> None:
        """The rank of a value by another one."""
        self._hashes.replace(_hash(new[4]), _place(old), _place(new))
        self.by_rank.remove(old[:4])
        self.by_rank.put(new, new[:4])

    def remove(self, rank: Rank) -> None:
        self._hashes.remove(_hash(rank[4]), _place(rank))
        self.by_rank.remove(rank[:4])

    def read(self) -> Key | None:
        """The most frequent value, as it is compared."""
        return key(self.by_rank[-1][4]) if len(self.by_rank) else None

    @property
    def _hashes(self) -> Hashes:
        if self.by_value is None:
            places = ((number, _place((count, time_ms))) for number, count, time_ms in self.stored or ())
            self.by_value, self.stored = Hashes.of(places), None
        return self.by_value


_BITS = 15
MOST_COUNTED = (1 << _BITS) - 1
"""A place says no higher count: of those values there are few, and all are looked at."""


def _place(rank: Sequence[Any]) -> int:
    """Of its last use the time, and how often the value was used, in one number of 64 bits: between the years
    1 and 9999 a time in ms has 49."""
    return int(rank[1] << _BITS | min(rank[0], MOST_COUNTED))


def _hash(value: Scalar) -> int:
    """Equal for equal values, today and always, as Python's own is for numbers, but not for texts."""
    return hashed(value) if isinstance(value, str) else hash(value)
