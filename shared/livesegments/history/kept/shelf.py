"""What is kept between questions: who did what when, as columns with numbers in place of ids.

Example: a marketer edits one definition many times, and every preview of it looks at all events of all
profiles. Files never change, so what was read of them is kept: 14 bytes an event, and once for every profile
its id. What is asked for becomes a *lane* (`lanes`): of every profile, in order, the list of when it did
that.

- What is kept is of a partition, a workspace, and a set of files (`reading`).
- It is bounded by bytes. What was asked for longest ago goes first; a question that needs more than there may
  be is answered from the files.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import duckdb
import pyarrow as pa

from livesegments.core.event import PROFILE
from livesegments.history.archive import Archive
from livesegments.history.kept.columns import Columns, places, standing
from livesegments.history.kept.lanes import count, of_cut, times
from livesegments.history.kept.numbers import Numbers
from livesegments.history.kept.reading import Reader
from livesegments.history.ranges import Range
from livesegments.history.sql.relations import Lane
from livesegments.history.sql.source import Part, named

MOST_BYTES = 384 << 20
ROW_BYTES, READ_BYTES = 14, 60
"""Of an event that is kept; of one whose properties are read for a cut."""
_EXACT = ("id", "commit", "place")

Of: TypeAlias = tuple[int, str]
"""Partition and workspace."""


class Shelf:
    """`partitions`: of the log, for `numbers`. Blocks, as the archive does."""

    def __init__(self, archive: Archive, partitions: int, most_bytes: int = MOST_BYTES) -> None:
        self.numbers = Numbers(partitions)
        self._archive, self._most_bytes = archive, most_bytes
        self._reader = Reader(archive, self.numbers)
        self._columns: dict[Of, Columns] = {}  # the one asked for last at the end

    @property
    def partitions(self) -> list[int]:
        """Those of which something is kept."""
        return sorted({partition for partition, _ in self._columns})

    @property
    def known(self) -> int:
        """Profiles, at most."""
        return sum(int(each.people.num_rows) for each in self._columns.values())

    def only(self, part: Part, erasing: Collection[str]) -> None:
        """Drops what is kept of a partition where a file has gone, or somebody of the workspace is being
        erased."""
        for of in [each for each in self._columns if each[0] == part.partition]:
            if of[1] in erasing or not self._columns[of].files <= set(part.files):
                del self._columns[of]

    def forget(self) -> None:
        self._columns.clear()
        self._reader.forget()

    def columns(
        self,
        workspace: str,
        parts: Sequence[tuple[int, Collection[Range]]],
        names: Collection[str] = (),
        lanes: Collection[Lane] = (),
    ) -> list[Columns] | None:
        """Of (partition, its files) in order; None where that is more than there may be. `names`: whose cuts
        will be asked for; and `lanes`.

        Raises FileNotFoundError where a file was merged away: resolve the ranges again.
        """
        if self.numbers.full:
            self.forget()
            self.numbers.clear()
        expected = sum(self._reader.size(partition, files) for partition, files in parts)
        if expected * ROW_BYTES > self._most_bytes:
            return None
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = list(pool.map(lambda part: self._of(part[0], workspace, frozenset(part[1])), parts))
        self._evict({(partition, workspace) for partition, _ in parts}, names, lanes)
        return found if self._bytes() <= self._most_bytes else None

    def prepare(
        self,
        connection: duckdb.DuckDBPyConnection,
        part: Part,
        workspace: str,
        zone: str,
        lanes: Sequence[Lane] = (),
    ) -> bool:
        """Reads what every question needs of a partition, and the changes of profiles, which most ask for;
        then lanes, as far as there is room.

        False where the partitions, if all are like this one, have more than may be kept."""
        partitions = self.numbers.partitions
        if self._reader.size(part.partition, part.files) * ROW_BYTES * partitions > self._most_bytes:
            return False
        names = (PROFILE, *(lane.name for lane in lanes))
        columns = self.columns(workspace, [(part.partition, part.files)], names, lanes)
        if columns is None:
            return False
        self.cut(connection, part, workspace, PROFILE, exact=True)
        for lane in lanes:
            more = 0 if lane.plain else count(columns[0], lane.name, self.numbers) * READ_BYTES
            if (columns[0].bytes + more) * partitions <= self._most_bytes:
                self.lane(connection, part, workspace, zone, lane)
        return True

    def lane(
        self, connection: duckdb.DuckDBPyConnection, part: Part, workspace: str, zone: str, lane: Lane
    ) -> pa.ListArray | None:
        """Of columns that are kept already: by the place of the profile, of the first profiles.

        None where it is more than there may be."""
        columns = self._columns[part.partition, workspace]
        if lane.plain:
            return times(columns, lane.name, self.numbers)
        if (zone, lane) not in columns.lanes:
            cut = self.cut(connection, part, workspace, lane.name, exact=False)
            if cut is None:
                return None
            people = columns.people.num_rows
            columns.lanes[zone, lane] = of_cut(connection, cut, lane, people, self.numbers)
        return columns.lanes[zone, lane] if self._bytes() <= self._most_bytes else None

    def cut(
        self, connection: duckdb.DuckDBPyConnection, part: Part, workspace: str, name: str, exact: bool
    ) -> pa.Table | None:
        """The events of a name, of columns that are kept already; `exact`: with id, commit and place.

        None where they are more than there may be."""
        columns = self._columns[part.partition, workspace]
        for each in (exact, True):
            if (name, each) in columns.cuts:
                return columns.cuts[name, each]
        if self._bytes() + count(columns, name, self.numbers) * READ_BYTES > self._most_bytes:
            return None
        more = _EXACT if exact else ("commit",) if columns.merged else ()
        rows = standing(named(connection, self._archive, part, workspace, name, more), columns)
        told = {
            "profile": self.numbers.number(places(rows, columns.people), part.partition),
            "t": rows.column("t"),
            "properties": rows.column("properties"),
        }
        columns.cuts.pop((name, False), None)
        cut = pa.table(told | {each: rows.column(each) for each in _EXACT if exact})
        columns.cuts[name, exact] = cut
        return cut

    # -- inside

    def _bytes(self) -> int:
        return sum(each.bytes for each in self._columns.values())

    def _evict(self, needed: Collection[Of], names: Collection[str], lanes: Collection[Lane]) -> None:
        """What the question doesn't need goes first, then what it may not need."""
        for of in [each for each in self._columns if each not in needed]:
            if self._bytes() <= self._most_bytes:
                return
            del self._columns[of]
        if self._bytes() > self._most_bytes // 2:
            for of in needed:
                cuts = self._columns[of].cuts
                self._columns[of].cuts = {each: cut for each, cut in cuts.items() if each[0] in names}
                made = self._columns[of].lanes
                self._columns[of].lanes = {each: lane for each, lane in made.items() if each[1] in lanes}

    def _of(self, partition: int, workspace: str, files: frozenset[Range]) -> Columns:
        before = self._columns.pop((partition, workspace), None)
        found = self._reader.columns(partition, workspace, files, before)
        self._columns[partition, workspace] = found
        return found
