"""Columns are read from the archive's files, and columns that are kept are extended by files that are new.

Files never change. Where a file has gone, because it was merged or because somebody was erased from it, all
of the partition is read anew, so nothing stays of who isn't there any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from livesegments.core.event import MERGE, RETRACT, SEGMENT_ENTERED
from livesegments.history import schema
from livesegments.history.archive import Archive, Table
from livesegments.history.kept.columns import INSTANT, NAME, NOBODY, Columns, places, standing
from livesegments.history.kept.numbers import Numbers
from livesegments.history.ranges import Range

MOST_SIZES = 100_000
"""Files whose sizes are known; with more, all are looked at again."""
_TEXTS = pa.dictionary(pa.int32(), pa.string())
_NO_ROWS = pa.schema(
    [("profile", _TEXTS), ("name", _TEXTS), ("time", schema.EVENTS.field("time").type)]
).empty_table()
_TEXT = ("workspace", "profile", "name")


class Reader:
    """Raises FileNotFoundError where a file was merged away. Several threads may read, each its partition."""

    def __init__(self, archive: Archive, numbers: Numbers) -> None:
        self._archive, self._numbers = archive, numbers
        self._sizes: dict[tuple[int, Range], tuple[int, int]] = {}

    def forget(self) -> None:
        """The sizes of files."""
        self._sizes.clear()

    def size(self, partition: int, files: Iterable[Range]) -> int:
        """How many events the files have, of all workspaces."""
        return sum(self._size(partition, file)[0] for file in files)

    def columns(
        self, partition: int, workspace: str, files: frozenset[Range], before: Columns | None
    ) -> Columns:
        """`before`: what was kept of the partition and workspace, which is used up."""
        found = None
        if before is not None and before.files <= files:
            new = files - before.files
            found = self._extended(partition, workspace, before, new) if new else before
        return self._read(partition, workspace, files) if found is None else found

    def _read(self, partition: int, workspace: str, files: frozenset[Range]) -> Columns:
        rows = self._rows(partition, workspace, files)
        merged, loose = dict[str, int](), set[str]()
        if _names(rows) & {MERGE, RETRACT}:
            rows = self._rows(partition, workspace, files, ("commit",))
            merged, loose = _special(rows)
        columns = Columns(files, NOBODY, rows, merged, loose, self._latest_ms(partition, files))
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
        numbers = self._numbers
        rows = standing(columns.rows, columns)
        announced = self._announced(partition, workspace, columns, files)
        apart = pa.array(sorted(columns.loose), pa.string())  # none of these rows are theirs
        columns.people = numbers.with_more(partition, columns.people, [*_used(rows), announced, apart])
        own = places(rows, columns.people)
        others = pc.index_in(announced, value_set=columns.people.column("id"))
        others = others.filter(pc.invert(pc.is_in(others, value_set=pc.unique(own))))
        table = {
            "profile": numbers.number(own, partition),
            "name": numbers.coded(rows.column("name")),
            "t": rows.column("time").cast(INSTANT),
        }
        more = {
            "profile": numbers.number(others, partition),
            "name": pa.array([numbers.code(SEGMENT_ENTERED)] * len(others), NAME),
            "t": pa.array([0] * len(others), INSTANT),
        }
        columns.rows = pa.concat_tables([pa.table(table), pa.table(more)])

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
        ids = [standing(each, columns).column("profile").cast(pa.string()) for each in tables]
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


def _used(rows: pa.Table) -> Iterator[pa.Array]:
    """The ids of the rows: a dictionary may have more, such as those of other workspaces."""
    for chunk in rows.column("profile").chunks:
        yield chunk.dictionary.take(pc.unique(chunk.indices).drop_null())


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
