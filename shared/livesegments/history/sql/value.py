"""One JSON value against an op, in SQL: TRUE, FALSE, or NULL where it can't be compared.

Values are columns of type JSON; SQL's NULL is a missing value. `clock` ops are compared with the instant that
the question is about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import UNSET, UnsetType

from livesegments.core.definition import Attribute, Filter
from livesegments.history.sql import number
from livesegments.history.sql.text import json, let, text
from livesegments.history.sql.window import duration

Predicate: TypeAlias = Callable[[str], str]
"""A JSON expression (used more than once: a name) → its verdict."""

DENIED = {"neq": "eq", "not_in": "in", "not_contains": "contains", "has_none": "has_any"}
LISTS = ("has_any", "has_all", "has_none")
THERE = ("exists", "missing")

MACROS = [
    # what is equal has the same key, and nothing else has
    "CREATE OR REPLACE TEMP MACRO ls_key(j) AS CASE json_type(j)"
    " WHEN 'VARCHAR' THEN 's' || (j->>'$') WHEN 'BOOLEAN' THEN 'b' || (j->>'$')"
    " WHEN 'UBIGINT' THEN 'n' || (j->>'$') WHEN 'BIGINT' THEN 'n' || (j->>'$')"
    " WHEN 'DOUBLE' THEN CASE"
    " WHEN abs(CAST(j AS DOUBLE)) < 18446744073709551616 AND CAST(j AS DOUBLE) = trunc(CAST(j AS DOUBLE))"
    " THEN 'n' || CAST(CAST(j->>'$' AS HUGEINT) AS VARCHAR)"
    " ELSE 'd' || CAST(CAST(j AS DOUBLE) AS VARCHAR) END"
    " END",
    "CREATE OR REPLACE TEMP MACRO ls_folded_key(j) AS"
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


def positive(test: Attribute | Filter, now_ms: int) -> Predicate:
    """The verdict of the op, or of the one that it denies."""
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
        case "in_last" | "in_next" | "anniversary_in_next":
            return _dated(lambda then: _relative(op, then, operand, now_ms))
    return _texts(lambda value: _matched(test, op, value))


def key(value: str, folded: bool) -> str:
    return f"{'ls_folded_key' if folded else 'ls_key'}({value})"


def _among(operands: list[Any], folded: bool) -> Predicate:
    kinds = {kind for operand in operands for kind in _kinds(operand)}
    known = ", ".join(key(json(operand), folded) for operand in operands)
    listed = ", ".join(sorted(map(text, kinds)))
    return lambda j: f"CASE WHEN json_type({j}) IN ({listed}) THEN {key(j, folded)} IN ({known}) END"


def _kinds(operand: Any) -> tuple[str, ...]:
    if isinstance(operand, bool):
        return ("BOOLEAN",)
    return ("VARCHAR",) if isinstance(operand, str) else ("BIGINT", "UBIGINT", "DOUBLE")


def _has(op: str, operands: list[Any], folded: bool) -> Predicate:
    known = ", ".join(key(json(operand), folded) for operand in operands)
    function = "list_has_any" if op == "has_any" else "list_has_all"

    def has(j: str) -> str:
        keys = f"list_transform(json_extract({j}, '$[*]'), lambda i: {key('i', folded)})"
        return f"CASE WHEN json_type({j}) = 'ARRAY' THEN {function}({keys}, [{known}]) END"

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


def _relative(op: str, then: str, operand: str, now_ms: int) -> str:
    months, ms = duration(operand)
    match op:
        case "in_last":
            return f"{then} <= {now_ms} AND {now_ms} < ls_months({then}, {months}) + {ms}"
        case "in_next":
            return f"ls_months({then}, -{months}) - {ms} <= {now_ms} AND {now_ms} < {then}"
    return f"CASE WHEN {then} IS NOT NULL THEN ls_in_days({then}, {months}, {ms}) END"


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
