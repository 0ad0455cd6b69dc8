"""The words of the language: every op and every measure, with the operands that it takes and compares.

The check, all evaluators but the oracle, and (by a test) the tables of docs/conditions.md follow these two.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

Operand: TypeAlias = Literal[
    "scalar",
    "scalars",
    "ordered",
    "pair",
    "text",
    "pattern",
    "date",
    "duration",
    "period",
    "days",
    "months",
    "nothing",
]
"""An op's `value`; a scalar is a string, number or boolean, a pair two numbers or two strings; a period is an
object of `period`, `from` and `to`, days and months one of `from` and `to`."""
Compared: TypeAlias = Literal["its kind", "texts", "lists", "dates", "anything"]
"""The values that an op can compare; all others give `when_missing`."""


class Op(Struct, frozen=True):
    """`denies`: the op of which it is the complement. `clock`: it is relative to now, in a filter to the
    event's own time.

    `measures`: it compares what a measure gives, too.
    """

    name: str
    operand: Operand
    compares: Compared
    denies: str | None = None
    clock: bool = False
    measures: bool = False


Given: TypeAlias = Literal["number", "date", "value"]


class Sort(Struct, frozen=True):
    """A measure. `property`: it measures the values on a path, not the events themselves.

    `whole`: it is a whole number from 0 on, and no more are kept than a condition asks about.
    `gives`: a number, a date, or a value as events have it.
    """

    name: str
    property: bool = True
    whole: bool = False
    gives: Given = "number"


OPS = {
    op.name: op
    for op in (
        Op("eq", "scalar", "its kind", measures=True),
        Op("neq", "scalar", "its kind", denies="eq", measures=True),
        Op("in", "scalars", "its kind"),
        Op("not_in", "scalars", "its kind", denies="in"),
        Op("contains", "text", "texts"),
        Op("not_contains", "text", "texts", denies="contains"),
        Op("starts_with", "text", "texts"),
        Op("ends_with", "text", "texts"),
        Op("matches", "pattern", "texts"),
        Op("gt", "ordered", "its kind", measures=True),
        Op("gte", "ordered", "its kind", measures=True),
        Op("lt", "ordered", "its kind", measures=True),
        Op("lte", "ordered", "its kind", measures=True),
        Op("between", "pair", "its kind", measures=True),
        Op("has_any", "scalars", "lists"),
        Op("has_all", "scalars", "lists"),
        Op("has_none", "scalars", "lists", denies="has_any"),
        Op("before", "date", "dates"),
        Op("after", "date", "dates"),
        Op("in_last", "duration", "dates", clock=True),
        Op("in_next", "duration", "dates", clock=True),
        Op("older_than", "duration", "dates", clock=True),
        Op("younger_than", "duration", "dates", clock=True),
        Op("in_period", "period", "dates", clock=True),
        Op("anniversary", "days", "dates", clock=True),
        Op("anniversary_in_month", "months", "dates", clock=True),
        Op("anniversary_in_next", "duration", "dates", clock=True),
        Op("exists", "nothing", "anything"),
        Op("missing", "nothing", "anything"),
    )
}
MEASURES = {
    sort.name: sort
    for sort in (
        Sort("count", property=False, whole=True),
        Sort("days", property=False, whole=True),
        Sort("weeks", property=False, whole=True),
        Sort("sunday_weeks", property=False, whole=True),
        Sort("months", property=False, whole=True),
        Sort("sum"),
        Sort("avg"),
        Sort("min"),
        Sort("max"),
        Sort("distinct", whole=True),
    )
}
VALUES = {
    sort.name: sort
    for sort in (
        Sort("first", gives="value"),
        Sort("last", gives="value"),
        Sort("mode", gives="value"),
        Sort("first_at", property=False, gives="date"),
        Sort("last_at", property=False, gives="date"),
    )
}
"""The measures that only computed attributes have."""

POSITIVE = {op.name: op.denies for op in OPS.values() if op.denies is not None}
"""Each negative op with the one that it denies."""
CLOCK_OPS = frozenset(op.name for op in OPS.values() if op.clock)
PRESENCE_OPS = frozenset(op.name for op in OPS.values() if op.operand == "nothing")
LIST_OPS = frozenset(op.name for op in OPS.values() if op.compares == "lists")
ORDER_OPS = frozenset(op.name for op in OPS.values() if op.operand in ("ordered", "pair"))
PLURAL_OPS = frozenset(op.name for op in OPS.values() if op.operand == "scalars")
LISTED_OPS = frozenset(("in", "not_in", "has_any", "has_none"))
"""Those that may name a value list of the workspace instead of their values."""
FOLDABLE = frozenset(op.name for op in OPS.values() if op.compares in ("its kind", "texts", "lists"))
"""Those that compare text, so that its case may be ignored."""
MEASURE_OPS = tuple(op.name for op in OPS.values() if op.measures)
_NUMBER_OPS = frozenset((*MEASURE_OPS, "in", "not_in", *PRESENCE_OPS))
_DATE_OPS = frozenset(op.name for op in OPS.values() if op.compares == "dates") | PRESENCE_OPS
COMPUTED_OPS: dict[Given, frozenset[str]] = {
    "number": _NUMBER_OPS,
    "date": _DATE_OPS,
    "value": frozenset(OPS) - LIST_OPS,
}
"""The ops that a computed attribute can be asked with, by what its measure gives."""
WHOLE = frozenset(sort.name for sort in MEASURES.values() if sort.whole)
