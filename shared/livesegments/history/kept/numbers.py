"""Numbers in place of profiles' ids, and codes in place of names of events.

Example: of 8 partitions, the profile at place 5 of partition 3 has the number 5 * 8 + 3. So one question
has the numbers of several partitions beside each other, and a number says the partition and the place.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from livesegments.history.kept.columns import NAME, NUMBER

MOST_NAMES = 1 << 14
"""Different names of events; with more, everything is read anew."""


class Numbers:
    """`partitions`: of the log. Codes are the same in all partitions, which may be read side by side."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self._codes: dict[str, int] = {}
        self._naming = Lock()

    @property
    def full(self) -> bool:
        """Whether there are more names than there may be: `clear`, and read everything anew."""
        return len(self._codes) > MOST_NAMES

    def clear(self) -> None:
        self._codes = {}

    def code(self, name: str) -> int:
        with self._naming:
            return self._codes.setdefault(name, len(self._codes))

    def coded(self, names: pa.ChunkedArray) -> pa.ChunkedArray:
        """Of dictionaries of names the codes."""
        chunks = []
        for chunk in names.chunks:
            codes = pa.array(map(self.code, chunk.dictionary.to_pylist()), NAME)
            chunks.append(codes.take(chunk.indices))
        return pa.chunked_array(chunks, NAME)

    def number(self, places: Any, partition: int) -> Any:
        times = pa.scalar(self.partitions, NUMBER)
        return pc.add(pc.multiply(places, times), pa.scalar(partition, NUMBER))

    def place(self, rows: pa.Table) -> pa.Array:
        """Of every row, whose column `profile` has numbers, the place of its profile in its partition."""
        return pc.divide(rows.column("profile").combine_chunks(), pa.scalar(self.partitions, NUMBER))

    def every(self, number: str, count: int) -> str:
        """In SQL, whether a profile is one of every `count`."""
        return f"{number} // {self.partitions} % {count} = 0" if count > 1 else "TRUE"

    def with_more(self, partition: int, people: pa.Table, ids: Iterable[pa.Array]) -> pa.Table:
        """`people` with those who aren't among them."""
        known = people.column("id")
        new = pc.unique(pa.chunked_array(ids, pa.string()))
        if len(known):  # the few are looked for by the many
            there = pc.unique(pc.index_in(known, value_set=new).drop_null())
            places = pa.array(range(len(new)), NUMBER)
            new = new.filter(pc.invert(pc.is_in(places, value_set=there)))
        places = pa.array(range(len(known), len(known) + len(new)), NUMBER)
        more = pa.table({"profile": self.number(places, partition), "id": new})
        return pa.concat_tables([people, more]) if len(new) else people
