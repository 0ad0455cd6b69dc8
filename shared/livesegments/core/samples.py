"""Values that fulfil, or break, a comparison, as an explanation proposes them.

Example: around `gte 18` lie 18, 19 and 17; the first two fulfil it, the last breaks it. A caller must
test a value before it proposes it: nothing here is promised to fulfil anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from livesegments.core.definition import Filter
from livesegments.core.value import Values, kind
from livesegments.core.where import compile_where, path_of
from livesegments.core.window import parse_date
from livesegments.core.words import CLOCK_OPS, LIST_OPS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CENT = Decimal("0.01")
LISTED = 3
"""So many values of a value list are proposed."""


def around(op: str, operand: Any, now_ms: int, zone: tzinfo) -> list[Any]:
    """Values near the border of a comparison, and some that are far from it; None stands for no value."""
    if op in CLOCK_OPS:
        ages = (365 * years + years // 4 for years in (3, 17, 18, 21, 65, 100))
        days = (0, -1, 1, 7, 31, 365, 366, -32, *ages)
        return [_date(now_ms - each * 86_400_000) for each in days] + [None]
    if op in ("before", "after"):
        bound = parse_date(operand, zone)
        assert bound is not None, "check lets no other value through"
        return [_date(bound), _date(bound - 1), None]
    if isinstance(operand, Values):
        operand = list(operand.items[:LISTED])
    values = operand if type(operand) is list else [] if operand is None else [operand]
    if op in LIST_OPS:
        return [[value] for value in values] + [list(values), ["another"], [], None]
    near = [beside for value in values for beside in _beside(value)]
    return [*values, *near, "another", True, False, 1, None]


def properties(
    where: tuple[Filter, ...], now_ms: int, zone: tzinfo, fixed: tuple[str, Any] | None = None
) -> dict[str, Any] | None:
    """The properties of an event that all filters let pass; None where none was thought of.

    `fixed`: the path of a property, and the value that it must have.
    """
    made: dict[str, Any] = {}
    for path in dict.fromkeys([item.property for item in where]):
        filters = tuple(item for item in where if item.property == path)
        values: Iterable[Any] = (value for item in filters for value in _proposed(item, now_ms, zone))
        if fixed is not None and fixed[0] == path:
            values = [fixed[1]]
        holds = compile_where(filters, zone)
        assert holds is not None
        for value in values:
            single: dict[str, Any] = {}
            _put(single, path, value)
            if holds(single, now_ms):
                break
        else:
            return None
        if not _put(made, path, value):
            return None
    if fixed is not None and not _put(made, *fixed):
        return None
    passes = compile_where(where, zone)
    return made if passes is None or passes(made, now_ms) else None


def _proposed(item: Filter, now_ms: int, zone: tzinfo) -> list[Any]:
    """Values that may let an event pass one filter; of one on items, lists."""
    if not item.inner:
        return around(item.op, item.value, now_ms, zone)
    if item.no_item:
        return [None, [{}]]
    made = properties(item.item, now_ms, zone)
    return [] if made is None else [[made]]


def _put(into: dict[str, Any], path: str, value: Any) -> bool:
    """False where something else is in the way."""
    if value is None:
        return True
    *parents, last = path_of(path)
    for name in parents:
        into = into.setdefault(name, {})
        if type(into) is not dict:
            return False
    return bool(into.setdefault(last, value) == value)


def _beside(value: Any) -> list[Any]:
    if type(value) is str:
        return [value + "0", value[:-1], ""]
    if kind(value) != "number":
        return [not value]
    step = 1 if type(value) is int else _CENT
    return [type(value)(Decimal(repr(value)) + sign * step) for sign in (1, -1)]


def _date(ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
