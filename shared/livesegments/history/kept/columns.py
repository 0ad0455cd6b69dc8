"""The columns that are kept of one partition and workspace, and who has no rows among them.

Example: profile a had two orders, profile b went into a segment and has no event any more. `people` has both,
a with the number of the first place; `rows` has three rows: the orders, and of b the name of a transition.

- What a merged profile did before its `$merge` is left out.
- Who took anything back is left out wholly: `Columns.loose` says who that is.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from livesegments.history.ranges import Range
from livesegments.history.sql.relations import Lane

NUMBER, NAME, INSTANT = pa.int32(), pa.int16(), pa.int64()
"""Of profiles (and of places among them), of codes of names, and of instants and commits."""
NOBODY = pa.schema([("profile", NUMBER), ("id", pa.string())]).empty_table()


class Columns(Struct):
    """Of a partition and workspace. Numbers and codes are those of `Numbers`.

    people     profile and id
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


def standing(rows: pa.Table, columns: Columns) -> pa.Table:
    """Without what a merge handed over, and without the profiles that are loose. The rows have ids in the
    column `profile`, and `commit` where anybody was merged."""
    if columns.loose:
        ids = pa.array(sorted(columns.loose), pa.string())
        rows = rows.filter(pc.invert(pc.is_in(rows.column("profile").cast(pa.string()), value_set=ids)))
    if not columns.merged:
        return rows
    ids = pa.array(list(columns.merged), pa.string())
    place = pc.index_in(rows.column("profile").cast(pa.string()), value_set=ids)
    upto = pa.array(list(columns.merged.values()), INSTANT).take(place)
    return rows.filter(pc.fill_null(pc.greater(rows.column("commit"), upto), True))


def places(rows: pa.Table, people: pa.Table) -> pa.ChunkedArray:
    """Of every row, whose column `profile` has ids, the place of its profile among the people."""
    known = people.column("id")
    column = rows.column("profile")
    if not pa.types.is_dictionary(column.type):
        return pc.index_in(column, value_set=known)
    ids = pa.chunked_array([chunk.dictionary for chunk in column.chunks], pa.string())
    found = pc.index_in(ids, value_set=known).combine_chunks()
    at, by_chunk = 0, []
    for chunk in column.chunks:
        by_chunk.append(found.slice(at, len(chunk.dictionary)).take(chunk.indices))
        at += len(chunk.dictionary)
    return pa.chunked_array(by_chunk, NUMBER)
