"""History with numbers in place of profiles' ids, from columns that are kept between questions (`kept`).

The relation `happened` is then of the names alone that a question reads; beside it there are

  grouped profile, and lists: one column of every lane (`relations.Lane`) that was asked for
  people  profile, id
  wide    as `happened` with ids in place of numbers, of everything: from the files, for a few profiles

Nothing here was taken back, and nothing was handed over to another profile. Of those whose tail says that it
was, and of those who ever took something back, all is read from the files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from livesegments.core.event import MERGE, RETRACT, SEGMENT_ENTERED, SEGMENT_EXITED
from livesegments.history.archive import Archive
from livesegments.history.kept.shelf import Shelf
from livesegments.history.sql.relations import GROUPED, WIDE, Lane, of_few
from livesegments.history.sql.source import Part, attach
from livesegments.history.sql.text import taken_back, text
from livesegments.store.tail import applied

_TAIL = pa.schema(
    [
        ("profile", pa.string()), ("name", pa.string()), ("t", pa.int64()), ("id", pa.string()),
        ("properties", pa.string()), ("commit", pa.int64()), ("place", pa.int32()),
    ]
)  # fmt: skip
_json = msgspec.json.Encoder().encode
MOST_LOOSE = 10_000
"""Profiles that are read from the files; of more, everything is."""


def attach_numbered(
    connection: duckdb.DuckDBPyConnection,
    archive: Archive,
    kept: Shelf,
    parts: Sequence[Part],
    workspace: str,
    now_ms: int | None,
    reads: Mapping[str, bool],
    lanes: Collection[Lane],
    zone: str,
    most: int | None = None,
) -> pa.Table | None:
    """Makes the relations, and returns the lists that `grouped` reads as `kept_lists`; None where `attach`
    has to, because of who asks for what or how much there is.

    `reads` and `lanes` as of the module `reads`; `zone` is the workspace's.

    `most`: of more profiles, about so many are drawn: every fifth, say, in the order of the files.

    Raises FileNotFoundError where a file was merged away: resolve the parts again.
    """
    if reads.keys() & {SEGMENT_ENTERED, SEGMENT_EXITED}:
        return None
    names = reads.keys() | {lane.name for lane in lanes}
    found = kept.columns(workspace, [(part.partition, part.files) for part in parts], names, lanes)
    if found is None or (now_ms is not None and any(each.latest_ms > now_ms for each in found)):
        return None
    tails = [_Tail.of(part, workspace, now_ms) for part in parts]
    loose = [columns.loose | tail.loose for columns, tail in zip(found, tails, strict=True)]
    cuts = {
        name: [kept.cut(connection, part, workspace, name, exact) for part in parts]
        for name, exact in reads.items()
    }
    lists = {
        lane: [kept.lane(connection, part, workspace, zone, lane) for part in parts]
        for lane in sorted(lanes, key=repr)
    }
    if any(each is None for of in (*cuts.values(), *lists.values()) for each in of):
        return None
    if sum(map(len, loose)) > MOST_LOOSE:
        return None
    people, rows, apart, outsiders, kept_lists = [], [], [], [], []
    by_lane = {lane: iter(each) for lane, each in lists.items()}
    for part, columns, tail, outside in zip(parts, found, tails, loose, strict=True):
        all_ = kept.numbers.with_more(part.partition, columns.people, [tail.profiles])
        people.append(all_)
        rows.append(tail.numbered(all_, outside))
        apart.append(_numbers(all_, pa.array(sorted(outside - columns.loose), pa.string())))
        outsiders.append(_numbers(all_, pa.array(sorted(outside), pa.string())))
        kept_lists.append(_kept_lists(all_, {lane: next(each) for lane, each in by_lane.items()}))
    connection.register("people", pa.concat_tables(people))
    connection.register("tail_rows", pa.concat_tables(rows))
    listed = pa.concat_tables(kept_lists)
    connection.register("kept_lists", listed)
    connection.register("apart", pa.table({"profile": pa.concat_arrays(apart)}))
    connection.register("outsiders", pa.table({"profile": pa.concat_arrays(outsiders)}))
    special = {
        name
        for columns in found
        for name in ((RETRACT,) if columns.loose else ()) + ((MERGE,) if columns.merged else ())
    }
    special |= {name for tail in tails for name in tail.special}
    _wide(connection, archive, parts, workspace, now_ms, special)
    stay = " ANTI JOIN apart USING (profile)" if any(map(len, apart)) else ""
    _loose(connection, loose)
    known = sum(map(len, people))
    drawn = kept.numbers.every("profile", max(known // most, 1)) if most is not None else "TRUE"
    more = any(tail.rows.num_rows for tail in tails) or any(map(len, outsiders))
    _grouped(connection, lists, more, any(map(len, outsiders)), drawn)
    _happened(connection, cuts, stay, drawn)
    return listed


def _wide(
    connection: duckdb.DuckDBPyConnection,
    archive: Archive,
    parts: Sequence[Part],
    workspace: str,
    now_ms: int | None,
    special: Collection[str],
) -> None:
    attach(connection, archive, parts, workspace, now_ms, view="past", special=special)
    left = ""
    if RETRACT in special:
        taken = taken_back("past")
        connection.execute(f"CREATE OR REPLACE TEMP TABLE took_back AS {taken}")
        left = " ANTI JOIN took_back ON past.profile = took_back.profile AND past.id = took_back.id"
        left += " AND NOT starts_with(past.name, '$')"
    connection.execute(f"CREATE OR REPLACE TEMP VIEW wide AS SELECT * FROM past{left}")


def _loose(connection: duckdb.DuckDBPyConnection, loose: Sequence[Collection[str]]) -> None:
    ids = pa.array(sorted({id_ for each in loose for id_ in each}), pa.string())
    connection.register("loose_ids", pa.table({"id": ids}))
    among = "(SELECT profile FROM people SEMI JOIN loose_ids USING (id))"
    some = "" if len(ids) else " LIMIT 0"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE loose_rows AS SELECT * FROM {of_few(among)}{some}")


def _kept_lists(people: pa.Table, lists: Mapping[Lane, pa.ListArray]) -> pa.Table:
    """With nothing of those who came after the lists."""
    columns = {
        lane.column: pa.chunked_array([each, pa.nulls(people.num_rows - len(each), each.type)])
        for lane, each in lists.items()
    }
    return pa.table({"profile": people.column("profile"), **columns})


def _grouped(
    connection: duckdb.DuckDBPyConnection, lanes: Collection[Lane], more: bool, outsiders: bool, drawn: str
) -> None:
    """`more`: whether anybody has rows beside those kept; `outsiders`: whether some have none but those."""
    columns = [lane.column for lane in lanes]
    stay = " ANTI JOIN outsiders USING (profile)" if outsiders else ""
    kept = f"SELECT profile{''.join(f', {each}' for each in columns)} FROM kept_lists{stay} WHERE {drawn}"
    if not more:
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {GROUPED} AS {kept}")
        return
    rows = f"SELECT * FROM tail_rows WHERE {drawn} UNION ALL BY NAME SELECT * FROM loose_rows WHERE {drawn}"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE more_rows AS {rows}")
    joins = "".join(f" LEFT JOIN ({lane.lists('more_rows')}) USING (profile)" for lane in lanes)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE more AS SELECT * FROM (SELECT DISTINCT profile FROM more_rows){joins}"
    )
    whole = "CASE WHEN more.{0} IS NULL THEN kept.{0} ELSE list_concat(kept.{0}, more.{0}) END AS {0}"
    both = "".join(f", {whole.format(each)}" for each in columns)
    joined = f"SELECT profile{both} FROM ({kept}) AS kept LEFT JOIN more USING (profile)" if columns else kept
    apart = " UNION ALL BY NAME SELECT * FROM more SEMI JOIN outsiders USING (profile)" if outsiders else ""
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {GROUPED} AS {joined}{apart}")


def _happened(
    connection: duckdb.DuckDBPyConnection, cuts: Mapping[str, Sequence[pa.Table]], stay: str, drawn: str
) -> None:
    names = f"name IN ({', '.join(map(text, cuts))})" if cuts else "FALSE"
    relations = [
        f"SELECT profile, {WIDE} FROM {rows} WHERE {names} AND {drawn}"
        for rows in ("tail_rows", "loose_rows")
    ]
    for index, (name, tables) in enumerate(cuts.items()):
        table = f"cut{index}"
        connection.register(table, pa.concat_tables(tables, promote_options="default"))
        relations.append(f"SELECT *, {text(name)} AS name FROM {table}{stay} WHERE {drawn}")
    connection.execute(f"CREATE OR REPLACE TEMP VIEW happened AS {' UNION ALL BY NAME '.join(relations)}")


class _Tail(Struct):
    """What a workspace's profiles did by an instant; `loose`: who were merged, took something back, or are
    erased while files and tail have rows of theirs."""

    rows: pa.Table
    loose: set[str]
    special: set[str]

    @classmethod
    def of(cls, part: Part, workspace: str, now_ms: int | None) -> _Tail:
        rows: list[tuple[str, str, int, str, str, int, int]] = []
        for commit, entry in part.snapshot.tail:
            for each in applied(commit, entry):
                event = each.event
                if event.workspace == workspace and (now_ms is None or each.at_ms <= now_ms):
                    data = _json(event.properties).decode()
                    rows.append(
                        (event.profile, event.name, event.time_ms, event.id, data, commit, each.place)
                    )
            for told in entry.transitions:
                if told.workspace == workspace and (now_ms is None or told.at_ms <= now_ms):
                    rows.append((told.profile, SEGMENT_ENTERED, 0, "", "{}", commit, 0))
        special = [(profile, name) for profile, name, *_ in rows if name in (MERGE, RETRACT)]
        columns = zip(*rows, strict=True) if rows else ([] for _ in _TAIL)
        arrays = [pa.array(values, field.type) for values, field in zip(columns, _TAIL, strict=True)]
        table = pa.Table.from_arrays(arrays, schema=_TAIL)
        gone = {profile for own, profile in part.snapshot.gone if own == workspace}
        return cls(table, gone | {profile for profile, _ in special}, {name for _, name in special})

    @property
    def profiles(self) -> pa.Array:
        return pc.unique(self.rows.column("profile"))

    def numbered(self, people: pa.Table, outside: Collection[str]) -> pa.Table:
        """The rows of others than those, with numbers of profiles."""
        rows = self.rows.filter(
            pc.invert(pc.is_in(self.rows.column("profile"), value_set=pa.array(sorted(outside), pa.string())))
        )
        ids = pc.unique(rows.column("profile"))
        numbers = _numbers(people, ids).take(pc.index_in(rows.column("profile"), value_set=ids))
        return rows.set_column(0, "profile", numbers)


def _numbers(people: pa.Table, ids: pa.Array) -> pa.Array:
    """Of ids that are among the people, in their order: the few are looked for by the many."""
    places = pc.index_in(people.column("id"), value_set=ids)
    known = pa.table({"place": places, "number": people.column("profile")}).filter(pc.is_valid(places))
    return known.sort_by("place").column("number").combine_chunks()
