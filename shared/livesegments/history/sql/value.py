"""One JSON value against an op, in SQL: TRUE, FALSE, or NULL where it can't be compared.

Values are columns of type JSON; SQL's NULL is a missing value. `clock` ops are compared with the instant that
the question is about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import UNSET, UnsetType

from livesegments.core.definition import Attribute, Filter
from livesegments.history.sql import large, number
from livesegments.history.sql.text import json, let, text
from livesegments.history.sql.window import duration

Predicate: TypeAlias = Callable[[str], str]
"""A JSON expression (used more than once: a name) → its verdict."""

DENIED = {"neq": "eq", "not_in": "in", "not_contains": "contains", "has_none": "has_any"}
LISTS = ("has_any", "has_all", "has_none")
THERE = ("exists", "missing")
RELATIVE = (
    "in_last",
    "in_next",
    "older_than",
    "younger_than",
    "in_period",
    "anniversary",
    "anniversary_in_month",
    "anniversary_in_next",
)
"""In a filter, the event's own time is `now`."""

MACROS = [
    # values have the same key exactly when they are equal
    "CREATE OR REPLACE MACRO ls_key(j) AS CASE json_type(j)"
    " WHEN 'VARCHAR' THEN 's' || (j->>'$') WHEN 'BOOLEAN' THEN 'b' || (j->>'$')"
    " WHEN 'UBIGINT' THEN 'n' || (j->>'$') WHEN 'BIGINT' THEN 'n' || (j->>'$')"
    " WHEN 'DOUBLE' THEN CASE"
    " WHEN abs(CAST(j AS DOUBLE)) < 18446744073709551616 AND CAST(j AS DOUBLE) = trunc(CAST(j AS DOUBLE))"
    " THEN 'n' || CAST(CAST(j->>'$' AS HUGEINT) AS VARCHAR)"
    " ELSE 'd' || CAST(CAST(j AS DOUBLE) AS VARCHAR) END"
    " END",
    "CREATE OR REPLACE MACRO ls_folded_key(j) AS"
    " CASE json_type(j) WHEN 'VARCHAR' THEN 's' || ls_fold(j->>'$') ELSE ls_key(j) END",
]


def holds(test: Attribute | Filter, expression: str, now_ms: int) -> str:
    """Whether an attribute or a whole value passes the test, `when_missing` included."""
    if test.op in THERE:
        there = f"{expression} IS NOT NULL"
        return there if test.op == "exists" else f"NOT ({there})"
    verdict = let("j", expression, positive(test, now_ms)("j"))
    if test.op in DENIED:
        verdict = f"NOT {verdict}"
    return f"coalesce({verdict}, {without(test)})"


def without(test: Attribute | Filter) -> str:
    """What holds where nothing can be compared."""
    given: bool | UnsetType = test.when_missing
    return str(test.op in DENIED if given is UNSET else bool(given)).upper()


def positive(test: Attribute | Filter, now: int | str) -> Predicate:
    """The verdict of the op, or of the one that it denies; `now` is an instant, or an expression of one."""
    op, operand, folded = DENIED.get(test.op, test.op), test.value, test.ignore_case
    match op:
        case "eq" | "in":
            return _among([operand] if op == "eq" else operand, folded)
        case "has_any" | "has_all":
            return _has(op, operand, folded)
        case "gt" | "gte" | "lt" | "lte" | "between":
            first = operand[0] if op == "between" else operand
            return _text_order(op, operand, folded) if isinstance(first, str) else _number_order(op, operand)
        case "before" | "after":
            sign = "<" if op == "before" else ">="
            return _dated(lambda then: f"{then} {sign} ls_instant({text(operand)})")
    if op in RELATIVE:
        return _dated(lambda then: _relative(op, then, operand, now))
    return _texts(lambda value: _matched(test, op, value))


def key(value: str, folded: bool) -> str:
    return f"{'ls_folded_key' if folded else 'ls_key'}({value})"


def _among(operands: list[Any], folded: bool) -> Predicate:
    if not operands:
        return lambda j: "CAST(NULL AS BOOLEAN)"
    kinds = {kind for operand in operands for kind in _kinds(operand)}
    listed = ", ".join(sorted(map(text, kinds)))

    def among(j: str) -> str:
        own = key(j, folded)
        if len(operands) > large.FEW:
            found = let("k", own, large.contains(operands, folded, "k"))
        else:
            found = f"{own} IN ({', '.join(key(json(operand), folded) for operand in operands)})"
        return f"CASE WHEN json_type({j}) IN ({listed}) THEN {found} END"

    return among


def _kinds(operand: Any) -> tuple[str, ...]:
    if isinstance(operand, bool):
        return ("BOOLEAN",)
    return ("VARCHAR",) if isinstance(operand, str) else ("BIGINT", "UBIGINT", "DOUBLE")


def _has(op: str, operands: list[Any], folded: bool) -> Predicate:
    function = "list_has_any" if op == "has_any" else "list_has_all"

    def has(j: str) -> str:
        keys = f"list_transform(json_extract({j}, '$[*]'), lambda i: {key('i', folded)})"
        if len(operands) > large.FEW:  # a value list, of which any is asked for
            inside = f"list_transform({keys}, lambda k: {large.contains(operands, folded, 'k')})"
            found = f"coalesce(list_contains({inside}, TRUE), FALSE)"
        elif operands:
            known = ", ".join(key(json(operand), folded) for operand in operands)
            found = f"{function}({keys}, [{known}])"
        else:
            found = "FALSE"
        return f"CASE WHEN json_type({j}) = 'ARRAY' THEN {found} END"

    return has


def _number_order(op: str, operand: Any) -> Predicate:
    return lambda j: number.of_json(j, op, operand)


def _text_order(op: str, operand: Any, folded: bool) -> Predicate:
    def at_least(bound: str, above: bool) -> str:
        value = "ls_fold(s)" if folded else "s"
        limit = f"ls_fold({text(bound)})" if folded else text(bound)
        return f"{value} {'>' if above else '>='} {limit}"

    return _texts(lambda s: let("s", s, number.compares(op, operand, at_least)))


def _dated(judge: Callable[[str], str]) -> Predicate:
    return _texts(lambda value: let("moment", f"ls_instant({value})", judge("moment")))


def relative(test: Attribute, then: str, now_ms: int) -> str:
    """Whether an instant is before, after, so long ago … as an op on dates asks."""
    if test.op in ("before", "after"):
        return f"{then} {'<' if test.op == 'before' else '>='} ls_instant({text(test.value)})"
    return _relative(test.op, then, test.value, now_ms)


def _relative(op: str, then: str, operand: Any, now: int | str) -> str:
    if isinstance(operand, dict):
        verdict = _near(op, then, operand, now)
    else:
        months, ms = duration(operand)
        match op:
            case "in_last":
                return f"{then} <= {now} AND {now} < ls_months({then}, {months}) + {ms}"
            case "in_next":
                return f"ls_months({then}, -{months}) - {ms} <= {now} AND {now} < {then}"
            case "older_than":
                return f"ls_months({then}, {months}) + {ms} <= {now}"
            case "younger_than":
                return f"{now} < ls_months({then}, {months}) + {ms}"
        verdict = f"ls_in_days({then}, {months}, {ms}, {now})"
    return f"CASE WHEN {then} IS NOT NULL THEN {verdict} END"


def _near(op: str, then: str, operand: dict[str, Any], now: int | str) -> str:
    least, most = operand.get("from", 0), operand.get("to", 0)
    if op != "in_period":
        return f"ls_near_{'day' if op == 'anniversary' else 'month'}({then}, {least}, {most}, {now})"
    first, begin = f"ls_first_{operand['period']}({then})", f"ls_begin_{operand['period']}"
    return let("f", first, f"{begin}(f, {-most}) <= {now} AND {now} < {begin}(f, {1 - least})")


def _texts(judge: Callable[[str], str]) -> Predicate:
    def texts(j: str) -> str:
        written = f"({j}->>'$')"
        return f"CASE WHEN json_type({j}) = 'VARCHAR' THEN {judge(written)} END"

    return texts


def _matched(test: Attribute | Filter, op: str, value: str) -> str:
    operand: str = test.value
    if op == "matches":
        return f"regexp_matches({value}, {text(operand)}, '{'i' if test.ignore_case else 'c'}')"
    function = {"contains": "contains", "starts_with": "starts_with", "ends_with": "ends_with"}[op]
    if test.ignore_case:
        return f"{function}(ls_fold({value}), ls_fold({text(operand)}))"
    return f"{function}({value}, {text(operand)})"


def any_of(verdicts: str, test: Filter) -> str:
    """Whether a list of verdicts, one a value on the path, lets an event pass."""
    yes, no = ("FALSE", "TRUE") if test.op in DENIED else ("TRUE", "FALSE")
    holds = let(
        "v",
        verdicts,
        f"CASE WHEN list_contains(v, TRUE) THEN {yes} WHEN list_contains(v, FALSE) THEN {no} END",
    )
    return f"coalesce({holds}, {without(test)})"
