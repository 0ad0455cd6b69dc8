"""The ops as an author chooses among them, and what happens to an operand when another op is chosen. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from livesegments.console.builder import values
from livesegments.console.builder.pointer import Json
from livesegments.core.words import COMPUTED_OPS, FOLDABLE, LISTED_OPS, OPS, PRESENCE_OPS, Operand

LABELS = {
    "eq": "is",
    "neq": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "contains": "contains",
    "not_contains": "does not contain",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "matches": "matches the pattern",
    "gt": "is more than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
    "between": "is between",
    "has_any": "has any of",
    "has_all": "has all of",
    "has_none": "has none of",
    "before": "is before the date",
    "after": "is on or after the date",
    "in_last": "is in the last",
    "in_next": "is in the next",
    "older_than": "is longer ago than",
    "younger_than": "is less long ago than",
    "in_period": "is in the calendar period",
    "anniversary": "has its anniversary, in days",
    "anniversary_in_month": "has its anniversary, in months",
    "anniversary_in_next": "has its anniversary within the next",
    "exists": "is known",
    "missing": "is unknown",
}
"""Op → what it is called; a test holds it against the language."""
AMOUNTS = {
    "gte": "at least",
    "gt": "more than",
    "eq": "exactly",
    "lte": "at most",
    "lt": "fewer than",
    "between": "between",
    "neq": "not exactly",
}
"""The ops of a measure."""
_TYPES = {
    "string": ("its kind", "texts", "dates", "anything"),
    "number": ("its kind", "anything"),
    "boolean": ("its kind", "anything"),
    "list": ("lists", "anything"),
    "point": ("anything",),
}


def fitting(types: Sequence[str], chosen: Any) -> dict[str, str]:
    """The ops that can compare values of these types, by name; all of them where no type was seen. The
    chosen one is always among them."""
    compared = {each for kind in types for each in _TYPES.get(kind, ())}
    return {
        op: label
        for op, label in LABELS.items()
        if not compared or OPS[op].compares in compared or op == chosen
    }


def fitting_computed(given: Any, chosen: Any) -> dict[str, str]:
    """The ops of a computed attribute, by what its measure gives."""
    allowed = COMPUTED_OPS.get(given, frozenset(OPS))
    return {op: label for op, label in LABELS.items() if op in allowed or op == chosen}


def operand(op: Any) -> Operand | None:
    return OPS[op].operand if isinstance(op, str) and op in OPS else None


_STARTS: dict[Operand, Any] = {
    "date": "",
    "duration": "30d",
    "period": {"period": "month"},
    "days": {},
    "months": {},
}


def with_op(test: Json, op: str) -> Json:
    """The test with another op: the operand stays where the new op takes such a one."""
    old, new = operand(test.get("op")), OPS[op].operand
    made = {**test, "op": op}
    if op not in LISTED_OPS:
        made.pop("value_list", None)
    if op not in FOLDABLE:
        made.pop("ignore_case", None)
    if op in PRESENCE_OPS:
        for name in ("value", "when_missing"):
            made.pop(name, None)
    elif old != new and "value_list" not in made:
        made["value"] = _carried(test.get("value"), old, new)
        if (
            new == "scalar" and made["value"] == ""
        ):  # not an empty text, which a value may be: nothing was said yet
            del made["value"]
    return made


def _carried(value: Any, old: Operand | None, new: Operand) -> Any:
    if new in _STARTS:
        start = _STARTS[new]
        return dict(start) if isinstance(start, dict) else start
    if old in _STARTS:
        value = None
    several = value if isinstance(value, list) else [] if value in (None, "") else [value]
    first = several[0] if several else ""
    match new:
        case "scalars":
            return several
        case "pair":
            return [first, several[1] if len(several) > 1 else first]
        case "text" | "pattern":
            return values.shown(first)
        case "ordered":
            return values.number(first) if isinstance(first, str) else first
    return first


def with_amount(node: Json, op: str) -> Json:
    """A condition on events whose measure is compared otherwise."""
    value = node.get("value", 1)
    if op == "between" and not isinstance(value, list):
        value = [value, value]
    elif op != "between" and isinstance(value, list):
        value = value[0] if value else 1
    return {**node, "op": op, "value": value}
