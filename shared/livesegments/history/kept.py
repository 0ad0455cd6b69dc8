"""Columns of the archive that are kept between questions: who did what when, with numbers in place of ids.

Example: a marketer edits one definition many times, and every preview of it looks at all events of all
profiles. Files never change, so what was read of them is kept: 14 bytes an event, and once for every profile
its id. What is asked for becomes a *lane*: of every profile, in order, the list of when it did that. To count
in lists takes a tenth of what it takes to group rows.

- What is kept is of a partition, a workspace, and a set of files. A file that is new is added to it. Where a
  file has gone, because it was merged or because somebody was erased from it, all of the partition is read
  anew, so nothing stays of who isn't there any more.
- It is bounded by bytes. What was asked for longest ago goes first; a question that needs more than there may
  be is answered from the files.
- What a merged profile did before its `$merge` is left out. Who took anything back is left out wholly:
  `Columns.loose` says who that is.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec import Struct

from livesegments.core.event import MERGE, PROFILE, RETRACT, SEGMENT_ENTERED
from livesegments.history import schema
from livesegments.history.archive import Archive, Table
from livesegments.history.ranges import Range
from livesegments.history.sql.relations import Lane
from livesegments.history.sql.source import Part, named
from livesegments.history.sql.text import text

MOST_BYTES = 384 << 20
ROW_BYTES, READ_BYTES = 14, 60
"""Of an event that is kept; of one that is read for that."""
MOST_SIZES = 100_000
"""Files whose sizes are known; with more, all are looked at again."""
MOST_NAMES = 1 << 14
"""Different names of events; with more, everything is read anew."""
_EXACT = ("id", "commit", "place")
_NUMBER, _NAME, _INSTANT = pa.int32(), pa.int16(), pa.int64()
_TEXTS = pa.dictionary(pa.int32(), pa.string())
_NO_ROWS = pa.schema(
    [("profile", _TEXTS), ("name", _TEXTS), ("time", schema.EVENTS.field("time").type)]
).empty_table()
_NOBODY = pa.schema([("profile", _NUMBER), ("id", pa.string())]).empty_table()
_TEXT = ("workspace", "profile", "name")

Of: TypeAlias = tuple[int, str]
"""Partition and workspace."""


class Columns(Struct):
    """Of a partition and workspace.

    people     profile and id; the profile at place 5 of partition 3, of 8, has the number 5 * 8 + 3
    rows       profile (its number), name (its code), t (ms); of whom there are only transitions one row of
               those
    times      of a name what is not in `rows`: by the place of the profile the list of its instants
    whole      names that `rows` has nothing of
    lanes      of other lanes, with the zone that their dates are of, the same
    cuts       of a name: profile, t, properties, and id, commit and place where they were asked for
    merged     ids, and up to which commit they have gone into another profile
    loose      ids of profiles that took something back, which have no rows here
    latest_ms  the last instant at which one of the events was applied; of all workspaces
    """

    files: frozenset[Range]
    people: pa.Table
    rows: pa.Table
    merged: dict[str, int]
    loose: set[str]
    latest_ms: int
    cuts: dict[tuple[str, bool], pa.Table] = {}
    times: dict[str, pa.ListArray] = {}
    whole: set[str] = set()
    lanes: dict[tuple[str, Lane], pa.ListArray] = {}

    @property
    def bytes(self) -> int:
        tables, lists = (self.people, self.rows, *self.cuts.values()), (self.times, self.lanes)
        return sum(int(each.nbytes) for each in (*tables, *(one for of in lists for one in of.values())))

    @property
    def events(self) -> int:
        return int(self.rows.num_rows) + sum(len(each.values) for each in self.times.values())


class Kept:
    """`partitions`: of the log, for numbers. Blocks, as the archive does."""

    def __init__(self, archive: Archive, partitions: int, most_bytes: int = MOST_BYTES) -> None:
        self._archive, self._partitions, self._most_bytes = archive, partitions, most_bytes
        self._columns: dict[Of, Columns] = {}  # the one asked for last at the end
        self._names: list[str] = []
        self._codes: dict[str, int] = {}
        self._naming = Lock()
        self._sizes: dict[tuple[int, Range], tuple[int, int]] = {}

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
        self._sizes.clear()

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
        if len(self._names) > MOST_NAMES:
            self.forget()
            self._names, self._codes = [], {}
        expected = sum(self._size(partition, file)[0] for partition, files in parts for file in files)
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
        rows = sum(self._size(part.partition, file)[0] for file in part.files)
        if rows * ROW_BYTES * self._partitions > self._most_bytes:
            return False
        names = (PROFILE, *(lane.name for lane in lanes))
        columns = self.columns(workspace, [(part.partition, part.files)], names, lanes)
        if columns is None:
            return False
        self.cut(connection, part, workspace, PROFILE, exact=True)
        for lane in lanes:
            more = 0 if lane.plain else self._count(columns[0], lane.name) * READ_BYTES
            if (columns[0].bytes + more) * self._partitions <= self._most_bytes:
                self.lane(connection, part, workspace, zone, lane)
        return True

    def lane(
        self, connection: duckdb.DuckDBPyConnection, part: Part, workspace: str, zone: str, lane: Lane
    ) -> pa.ListArray | None:
        """Of columns that are kept already: by the place of the profile, of the first profiles.

        None where it is more than there may be."""
        columns = self._columns[part.partition, workspace]
        if lane.plain:
            return self._times(columns, lane.name)
        if (zone, lane) not in columns.lanes:
            cut = self.cut(connection, part, workspace, lane.name, exact=False)
            if cut is None:
                return None
            connection.register("lane_rows", cut)
            query = lane.rows(f"(SELECT *, {text(lane.name)} AS name FROM lane_rows)")
            rows = connection.sql(query).to_arrow_table().combine_chunks()
            fields = [rows.column(name).combine_chunks() for name in ("t", *(name for name, _ in lane.items))]
            names = ["t", *(name for name, _ in lane.items)]
            values = pa.StructArray.from_arrays(fields, names) if lane.items else fields[0]
            columns.lanes[zone, lane] = _lists(self._place(rows), values, columns.people.num_rows)
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
        if self._bytes() + self._count(columns, name) * READ_BYTES > self._most_bytes:
            return None
        more = _EXACT if exact else ("commit",) if columns.merged else ()
        read = named(connection, self._archive, part, workspace, name, more)
        rows = _standing(read, columns)
        told = {
            "profile": self._number(_places(rows, columns.people), part.partition),
            "t": rows.column("t"),
            "properties": rows.column("properties"),
        }
        columns.cuts.pop((name, False), None)
        cut = pa.table(told | {each: rows.column(each) for each in _EXACT if exact})
        columns.cuts[name, exact] = cut
        return cut

    def _count(self, columns: Columns, name: str) -> int:
        """Events of a name."""
        there = len(columns.times[name].values) if name in columns.times else 0
        return there + (pc.sum(pc.equal(columns.rows.column("name"), self._code(name))).as_py() or 0)

    def every(self, number: str, count: int) -> str:
        """In SQL, whether a profile is one of every `count`."""
        return f"{number} // {self._partitions} % {count} = 0" if count > 1 else "TRUE"

    # -- inside

    def _bytes(self) -> int:
        return sum(each.bytes for each in self._columns.values())

    def _times(self, columns: Columns, name: str) -> pa.ListArray:
        """Of a name that many do, out of the rows: it takes less there, and is wanted again."""
        if name in columns.whole:
            return columns.times[name]
        named = pc.equal(columns.rows.column("name"), self._code(name))
        rows, people = columns.rows.filter(named), columns.people.num_rows
        before = columns.times.get(name)
        place, instants = self._place(rows), rows.column("t").combine_chunks()
        if before is not None:
            place = pa.concat_arrays([pc.list_parent_indices(before).cast(_NUMBER), place])
            instants = pa.concat_arrays([before.values, instants])
        lists = _lists(place, instants, people)
        if before is not None or rows.num_rows * 2 >= people:
            columns.rows = columns.rows.filter(pc.invert(named)).combine_chunks()
            columns.times[name] = lists
            columns.whole.add(name)
        return lists

    def _place(self, rows: pa.Table) -> pa.Array:
        return pc.divide(rows.column("profile").combine_chunks(), pa.scalar(self._partitions, _NUMBER))

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
        new = files if before is None else files - before.files
        if before is not None and before.files <= files:
            found = self._extended(partition, workspace, before, new) if new else before
        else:
            found = None
        if found is None:
            found = self._read(partition, workspace, files)
        self._columns[partition, workspace] = found
        return found

    def _read(self, partition: int, workspace: str, files: frozenset[Range]) -> Columns:
        rows = self._rows(partition, workspace, files)
        merged, loose = dict[str, int](), set[str]()
        if _names(rows) & {MERGE, RETRACT}:
            rows = self._rows(partition, workspace, files, ("commit",))
            merged, loose = _special(rows)
        columns = Columns(files, _NOBODY, rows, merged, loose, self._latest_ms(partition, files))
        self._number_all(partition, workspace, columns, files)
        columns.rows = columns.rows.combine_chunks()
        return columns

    def _extended(
        self, partition: int, workspace: str, before: Columns, new: frozenset[Range]
    ) -> Columns | None:
        """None where all has to be read anew: somebody was merged or took something back, or much came."""
        rows = self._rows(partition, workspace, new)
        if _names(rows) & {MERGE, RETRACT} or rows.num_rows > before.events // 4:
            return None
        if before.merged:
            rows = self._rows(partition, workspace, new, ("commit",))
        latest_ms = max(before.latest_ms, self._latest_ms(partition, new))
        more = Columns(before.files | new, before.people, rows, before.merged, before.loose, latest_ms)
        more.times = before.times
        self._number_all(partition, workspace, more, new)
        more.rows = pa.concat_tables([before.rows, more.rows])
        return more

    def _number_all(self, partition: int, workspace: str, columns: Columns, files: Collection[Range]) -> None:
        """Puts numbers and codes in place of the ids and names in `columns.rows`, which are of `files`."""
        rows = _standing(columns.rows, columns)
        announced = self._announced(partition, workspace, columns, files)
        apart = pa.array(sorted(columns.loose), pa.string())  # none of these rows are theirs
        columns.people = self.with_more(partition, columns.people, [*_used(rows), announced, apart])
        places = _places(rows, columns.people)
        others = pc.index_in(announced, value_set=columns.people.column("id"))
        others = others.filter(pc.invert(pc.is_in(others, value_set=pc.unique(places))))
        table = {
            "profile": self._number(places, partition),
            "name": self._coded(rows.column("name")),
            "t": rows.column("time").cast(_INSTANT),
        }
        more = {
            "profile": self._number(others, partition),
            "name": pa.array([self._code(SEGMENT_ENTERED)] * len(others), _NAME),
            "t": pa.array([0] * len(others), _INSTANT),
        }
        columns.rows = pa.concat_tables([pa.table(table), pa.table(more)])

    def with_more(self, partition: int, people: pa.Table, ids: Iterable[pa.Array]) -> pa.Table:
        """`people` with those who aren't among them."""
        known = people.column("id")
        new = pc.unique(pa.chunked_array(ids, pa.string()))
        if len(known):  # the few are looked for by the many
            there = pc.unique(pc.index_in(known, value_set=new).drop_null())
            places = pa.array(range(len(new)), _NUMBER)
            new = new.filter(pc.invert(pc.is_in(places, value_set=there)))
        places = pa.array(range(len(known), len(known) + len(new)), _NUMBER)
        more = pa.table({"profile": self._number(places, partition), "id": new})
        return pa.concat_tables([people, more]) if len(new) else people

    def _number(self, places: Any, partition: int) -> Any:
        times = pa.scalar(self._partitions, _NUMBER)
        return pc.add(pc.multiply(places, times), pa.scalar(partition, _NUMBER))

    def _code(self, name: str) -> int:
        with self._naming:  # partitions are read side by side
            if name not in self._codes:
                self._codes[name] = len(self._names)
                self._names.append(name)
            return self._codes[name]

    def _coded(self, names: pa.ChunkedArray) -> pa.ChunkedArray:
        chunks = []
        for chunk in names.chunks:
            codes = pa.array(map(self._code, chunk.dictionary.to_pylist()), _NAME)
            chunks.append(codes.take(chunk.indices))
        return pa.chunked_array(chunks, _NAME)

    def _rows(
        self, partition: int, workspace: str, files: Iterable[Range], more: Sequence[str] = ()
    ) -> pa.Table:
        """Profile and name, as dictionaries, and time."""
        columns = ["profile", "name", "time", *more]
        tables = self._tables(partition, "events", files, workspace, columns)
        return pa.concat_tables([_NO_ROWS, *tables], promote_options="default")

    def _announced(
        self, partition: int, workspace: str, columns: Columns, files: Iterable[Range]
    ) -> pa.Array:
        """Ids of profiles that have transitions; one may have no events any more."""
        tables = self._tables(partition, "transitions", files, workspace, ["profile", "commit"])
        ids = [_standing(each, columns).column("profile").cast(pa.string()) for each in tables]
        return pc.unique(pa.chunked_array([chunk for each in ids for chunk in each.chunks], pa.string()))

    def _tables(
        self, partition: int, table: Table, files: Iterable[Range], workspace: str, columns: list[str]
    ) -> Iterator[pa.Table]:
        """The rows of a workspace, file by file."""
        for file in sorted(files):
            source = self._archive.open(
                partition,
                table,
                file,
                dictionaries=[each for each in _TEXT if each in ("workspace", *columns)],
            )
            found, all_groups = source.metadata, range(source.num_row_groups)
            groups = [group for group in all_groups if _may_have(found, group, workspace)]
            read = source.read_row_groups(groups, ["workspace", *columns], use_threads=False)
            rows = read.filter(pc.field("workspace") == workspace)
            yield rows.select(columns).replace_schema_metadata()

    def _size(self, partition: int, file: Range) -> tuple[int, int]:
        """How many rows a file has, and the last instant at which one of them was applied."""
        found = self._sizes.get((partition, file))
        if found is None:
            if len(self._sizes) >= MOST_SIZES:
                self._sizes.clear()
            of = self._archive.open(partition, "events", file).metadata
            found = self._sizes[partition, file] = of.num_rows, _latest_ms(of)
        return found

    def _latest_ms(self, partition: int, files: Iterable[Range]) -> int:
        return max((self._size(partition, file)[1] for file in files), default=0)


def _lists(place: pa.Array, values: pa.Array, people: int) -> pa.ListArray:
    """Of every place the list of its values. Sorted by sixteen bits at a time, because so few numbers are
    counted and not compared."""
    order = pc.sort_indices(pc.bit_wise_and(place, pa.scalar(0xFFFF, _NUMBER)))
    if people > 1 << 16:
        high = pc.shift_right(place, pa.scalar(16, _NUMBER)).take(order)
        order = order.take(pc.sort_indices(high))
    places = pa.array(range(people + 1), _NUMBER)
    offsets = pc.search_sorted(place.take(order), places, side="left").cast(pa.int32())
    return pa.ListArray.from_arrays(offsets, values.take(order))


def _special(rows: pa.Table) -> tuple[dict[str, int], set[str]]:
    """Who was merged, up to which commit; who took something back."""
    wanted = pc.is_in(rows.column("name").cast(pa.string()), value_set=pa.array([MERGE, RETRACT]))
    merged, loose = dict[str, int](), set[str]()
    for row in rows.filter(wanted).select(["profile", "name", "commit"]).to_pylist():
        if row["name"] == MERGE:
            merged[row["profile"]] = max(merged.get(row["profile"], 0), row["commit"])
        else:
            loose.add(row["profile"])
    return merged, loose


def _standing(rows: pa.Table, columns: Columns) -> pa.Table:
    """Without what a merge handed over, and without the profiles that are loose."""
    if columns.loose:
        ids = pa.array(sorted(columns.loose), pa.string())
        rows = rows.filter(pc.invert(pc.is_in(rows.column("profile").cast(pa.string()), value_set=ids)))
    if not columns.merged:
        return rows
    ids = pa.array(list(columns.merged), pa.string())
    place = pc.index_in(rows.column("profile").cast(pa.string()), value_set=ids)
    upto = pa.array(list(columns.merged.values()), _INSTANT).take(place)
    return rows.filter(pc.fill_null(pc.greater(rows.column("commit"), upto), True))


def _ids(rows: pa.Table) -> list[pa.Array]:
    """Every id in the column `profile`, of dictionaries, some of them several times."""
    return [chunk.dictionary for chunk in rows.column("profile").chunks]


def _used(rows: pa.Table) -> Iterator[pa.Array]:
    """The ids of the rows: a dictionary may have more, such as those of other workspaces."""
    for chunk in rows.column("profile").chunks:
        yield chunk.dictionary.take(pc.unique(chunk.indices).drop_null())


def _places(rows: pa.Table, people: pa.Table) -> pa.ChunkedArray:
    """Of every row where its profile is among the people."""
    known = people.column("id")
    column = rows.column("profile")
    if not pa.types.is_dictionary(column.type):
        return pc.index_in(column, value_set=known)
    found = pc.index_in(pa.chunked_array(_ids(rows), pa.string()), value_set=known).combine_chunks()
    at, places = 0, []
    for chunk in column.chunks:
        places.append(found.slice(at, len(chunk.dictionary)).take(chunk.indices))
        at += len(chunk.dictionary)
    return pa.chunked_array(places, _NUMBER)


def _names(rows: pa.Table) -> set[str]:
    return {name for chunk in rows.column("name").chunks for name in chunk.dictionary.to_pylist()}


def _may_have(of: pq.FileMetaData, group: int, workspace: str) -> bool:
    """By the statistics of the first column."""
    found = of.row_group(group).column(0).statistics
    return found is None or not found.has_min_max or found.min <= workspace <= found.max


def _latest_ms(of: pq.FileMetaData) -> int:
    column = schema.EVENTS.get_field_index("at")
    found = [of.row_group(group).column(column).statistics for group in range(of.num_row_groups)]
    return max((each.max_raw for each in found if each is not None and each.has_min_max), default=0)
