"""Lanes, out of columns that are kept: of every profile, in order, the list of when it did something.

Example: "two orders in 30 days" counts in the lane of orders, which has of the profile at place 5 the list of
the instants of its orders. To count in lists takes a tenth of what it takes to group rows.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from livesegments.history.kept.columns import NUMBER, Columns
from livesegments.history.kept.numbers import Numbers
from livesegments.history.sql.relations import Lane
from livesegments.history.sql.text import text


def count(columns: Columns, name: str, numbers: Numbers) -> int:
    """Events of a name."""
    there = len(columns.times[name].values) if name in columns.times else 0
    return there + (pc.sum(pc.equal(columns.rows.column("name"), numbers.code(name))).as_py() or 0)


def times(columns: Columns, name: str, numbers: Numbers) -> pa.ListArray:
    """The plain lane of a name. That of a name that many do goes out of the rows: it takes less there, and is
    wanted again."""
    if name in columns.whole:
        return columns.times[name]
    named = pc.equal(columns.rows.column("name"), numbers.code(name))
    rows, people = columns.rows.filter(named), columns.people.num_rows
    before = columns.times.get(name)
    place, instants = numbers.place(rows), rows.column("t").combine_chunks()
    if before is not None:
        place = pa.concat_arrays([pc.list_parent_indices(before).cast(NUMBER), place])
        instants = pa.concat_arrays([before.values, instants])
    lists = _lists(place, instants, people)
    if before is not None or rows.num_rows * 2 >= people:
        columns.rows = columns.rows.filter(pc.invert(named)).combine_chunks()
        columns.times[name] = lists
        columns.whole.add(name)
    return lists


def of_cut(
    connection: duckdb.DuckDBPyConnection, cut: pa.Table, lane: Lane, people: int, numbers: Numbers
) -> pa.ListArray:
    """A lane that reads properties, of the cut of its name."""
    connection.register("lane_rows", cut)
    query = lane.rows(f"(SELECT *, {text(lane.name)} AS name FROM lane_rows)")
    rows = connection.sql(query).to_arrow_table().combine_chunks()
    names = ["t", *(name for name, _ in lane.items)]
    fields = [rows.column(name).combine_chunks() for name in names]
    values = pa.StructArray.from_arrays(fields, names) if lane.items else fields[0]
    return _lists(numbers.place(rows), values, people)


def _lists(place: pa.Array, values: pa.Array, people: int) -> pa.ListArray:
    """Of every place the list of its values. Sorted by sixteen bits at a time, because so few numbers are
    counted and not compared."""
    order = pc.sort_indices(pc.bit_wise_and(place, pa.scalar(0xFFFF, NUMBER)))
    if people > 1 << 16:
        high = pc.shift_right(place, pa.scalar(16, NUMBER)).take(order)
        order = order.take(pc.sort_indices(high))
    places = pa.array(range(people + 1), NUMBER)
    offsets = pc.search_sorted(place.take(order), places, side="left").cast(pa.int32())
    return pa.ListArray.from_arrays(offsets, values.take(order))
