"""How often each of many values is used, by the value and by the rank, most of which stays bytes.

Example: `tea` was used twice, last at noon. By rank that is (2, noon, id, place, `stea`), by value the hash
of `stea`, 2 and noon, which lead there. The most frequent value is the last one by rank. A rank has the value
as a text (`value.ordered`), so that ranks have one order whatever kinds of values there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Any, TypeAlias

from msgspec import Struct

from livesegments.core.chunks import Chunks
from livesegments.core.definition import Scalar
from livesegments.core.hashes import Hashes, hashed
from livesegments.core.value import Key, from_ordered, key, ordered

Use: TypeAlias = tuple[int, str, int, Scalar]
"""Time and id of an event, the place of a value among its values, and that value."""
UseRank: TypeAlias = tuple[int, str, int, str]
"""The same with the value as a text."""
Rank: TypeAlias = tuple[int, int, str, int, str]
"""How often a value was used; of its last use the time, the event's id and the place; the value as a text."""


class Ranks(Struct, array_like=True):
    """`by_value` has where a rank is found (`_place`), by the hash of its value."""

    by_rank: Chunks[Rank]
    by_value: Hashes

    @classmethod
    def of(cls, ranks: Iterable[Rank]) -> Ranks:
        """Of different values."""
        ascending = sorted(ranks)
        by_value = Hashes.of((hashed(rank[4]), _place(rank)) for rank in ascending)
        return cls(Chunks.of(ascending), by_value)

    def __len__(self) -> int:
        """How many values."""
        return len(self.by_rank)

    def rank(self, value: Scalar) -> Rank | None:
        wanted = ordered(value)
        for place in self.by_value.found(hashed(wanted)):
            for rank in self._at(place):
                if rank[4] == wanted:
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
            rank = self.by_rank.at_least((*rank, ""))

    def use(self, use: Use, most: int) -> None:
        """Counts a use; a further value counts only while there are fewer than `most`."""
        old = self.rank(use[3])
        if old is not None:
            self.replace(old, (old[0] + 1, *max(use_rank(use), old[1:])))
        elif len(self) < most:
            rank = 1, *use_rank(use)
            self.by_value.put(hashed(rank[4]), _place(rank))
            self.by_rank.put(rank, rank)

    def replace(self, old: Rank, new: Rank) -> None:
        """The rank of a value by another one."""
        self.by_value.replace(hashed(new[4]), _place(old), _place(new))
        self.by_rank.remove(old)
        self.by_rank.put(new, new)

    def remove(self, rank: Rank) -> None:
        self.by_value.remove(hashed(rank[4]), _place(rank))
        self.by_rank.remove(rank)

    def read(self) -> Key | None:
        """The most frequent value, as it is compared."""
        return key(from_ordered(self.by_rank[-1][4])) if len(self.by_rank) else None


_BITS = 15
MOST_COUNTED = (1 << _BITS) - 1
"""A place says no higher count: of those values there are few, and all are looked at."""


def _place(rank: Sequence[Any]) -> int:
    """Of its last use the time, and how often the value was used, in one number of 64 bits: between the years
    1 and 9999 a time in ms has 49."""
    return int(rank[1] << _BITS | min(rank[0], MOST_COUNTED))


def use_rank(use: Use) -> UseRank:
    time_ms, id_, place, value = use
    return time_ms, id_, place, ordered(value)
