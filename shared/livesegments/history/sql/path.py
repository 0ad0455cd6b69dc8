"""Values on a dotted path of an event's properties, in SQL.

Most events have a scalar there, which is looked up directly. Only where a list lies on the path is it walked:
level by level, lists in lists too, as deep as anything that is accepted can be.

Where a filter is on the items of a list, its filters are on paths within one item: an object takes the place
of the event's properties.
"""

from __future__ import annotations

from livesegments.core.definition import Filter
from livesegments.history.sql import value
from livesegments.history.sql.text import every, text

PROPERTIES = "properties"
HAS_LISTS = f"contains(CAST({PROPERTIES} AS VARCHAR), '[')"
"""Whether there may be a list anywhere in them."""
_DEEPEST = 32
"""Ingest accepts no deeper value."""
_LOOKED_AT = 1_000
"""Of a list's items."""
_SCALARS = "('VARCHAR', 'BOOLEAN', 'UBIGINT', 'BIGINT', 'DOUBLE')"


def passes(where: tuple[Filter, ...], holder: str = PROPERTIES, depth: int = 0) -> str:
    """Whether an event passes all filters; over a relation with the columns `properties` and `t`.

    `holder`: the object in which the paths begin, `depth` levels of items within the properties.
    """
    return every([_passes(each, holder, depth) for each in where])


def values(path: str) -> str:
    """Every value on the path, lists item by item, as a list of JSON."""
    names = path.split(".")
    direct = _lookup(names, PROPERTIES)
    walked = _items(_reached(names, PROPERTIES))
    return (
        f"CASE WHEN json_type({direct}) IN {_SCALARS} THEN [{direct}]"
        f" WHEN {_without_lists(PROPERTIES)} THEN []::JSON[] ELSE {walked} END"
    )


def lookup(path: str) -> str:
    """The value on the path where no list is on the way, else NULL; a list at its end is one value."""
    return _lookup(path.split("."), PROPERTIES)


def _passes(test: Filter, holder: str, depth: int) -> str:
    names = test.property.split(".")
    direct, reached = _lookup(names, holder), _reached(names, holder)
    if test.inner:
        return _of_items(test, reached, depth)
    if test.op in value.THERE:
        there = (
            f"coalesce(json_type({direct}), 'NULL') <> 'NULL'"
            f" OR (NOT ({_without_lists(holder)}) AND len({reached}) > 0)"
        )
        return f"({there})" if test.op == "exists" else f"NOT ({there})"
    judge = value.positive(test, "t")
    whole = test.op in value.LISTS
    verdicts = f"list_transform({reached if whole else _items(reached)}, lambda j: {judge('j')})"
    walked = value.any_of(verdicts, test)
    if whole:
        return walked
    single = f"coalesce({'NOT ' if test.op in value.DENIED else ''}({judge(direct)}), {value.without(test)})"
    return (
        f"CASE WHEN json_type({direct}) IN {_SCALARS} THEN {single}"
        f" WHEN {_without_lists(holder)} THEN {value.without(test)} ELSE {walked} END"
    )


def _of_items(test: Filter, reached: str, depth: int) -> str:
    item = f"item{depth}"
    there = f"list_filter({_items(reached)}, lambda h: coalesce(json_type(h), 'NULL') <> 'NULL')"
    fits = f"lambda {item}: {passes(test.inner, item, depth + 1)}"
    any_fits = f"list_contains(list_transform(({there})[:{_LOOKED_AT}], {fits}), TRUE)"
    return any_fits if test.item else f"NOT {any_fits}"


def _lookup(names: list[str], holder: str) -> str:
    """The value of names within names; NULL where a list, or nothing, is on the way."""
    return f"json_extract({holder}, {_pointer(names)})"


def _pointer(names: list[str]) -> str:
    if any(name.isdigit() or name == "-" for name in names):
        quoted = ("".join(f"\\{c}" if c in '"\\' else c for c in name) for name in names)
        return text("$" + "".join(f'."{name}"' for name in quoted))
    escaped = (name.replace("~", "~0").replace("/", "~1") for name in names)
    return text("".join(f"/{name}" for name in escaped))


def _without_lists(holder: str) -> str:
    return f"NOT contains(CAST({holder} AS VARCHAR), '[')"


def _reached(names: list[str], holder: str) -> str:
    """The values at the path's end, lists as they are; without null."""
    found = f"[CAST({holder} AS JSON)]"
    for name in names:
        found = (
            f"list_filter(list_transform({_items(found)}, lambda h: CASE WHEN json_type(h) = 'OBJECT'"
            f" THEN json_extract(h, {_pointer([name])}) END),"
            " lambda h: coalesce(json_type(h), 'NULL') <> 'NULL')"
        )
    return found


def _items(values: str) -> str:
    """Lists item by item, lists in lists too."""

    def once(these: str) -> str:
        return (
            f"flatten(list_transform({these}, lambda x:"
            " CASE WHEN json_type(x) = 'ARRAY' THEN json_extract(x, '$[*]') ELSE [x] END))"
        )

    rounds = f"list_transform(range({_DEEPEST}), lambda r: []::JSON[])"
    # lists in lists are written so, and nowhere else but in texts
    nested = f"(contains({PROPERTIES}, '[[') OR contains({PROPERTIES}, ',['))"
    needed = f"CASE WHEN {nested} THEN {rounds} ELSE [[]::JSON[]] END"
    return f"list_reduce({needed}, lambda a, b: {once('a')}, {values})"
