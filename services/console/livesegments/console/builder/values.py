"""What somebody types, as a value of a definition; and a value, as it stands in a field. Pure.

Example: "1,000" typed as a number is 1000; "Kyiv" typed as a number stays a text, and the api says what
is wrong with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

Sort: TypeAlias = Literal["text", "number", "yes_no"]
SORTS: dict[Sort, str] = {"text": "text", "number": "number", "yes_no": "yes or no"}
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_DURATION = re.compile(r"(\d{1,9})(s|m|h|d|w|mo|y)", re.ASCII)
UNITS = {
    "m": "minutes",
    "h": "hours",
    "d": "days",
    "w": "weeks",
    "mo": "months",
    "y": "years",
    "s": "seconds",
}


def sort(value: Any) -> Sort:
    if isinstance(value, bool):
        return "yes_no"
    return "number" if isinstance(value, int | float) else "text"


def sort_of_types(types: Sequence[str]) -> Sort:
    """By the types of the values that were seen, the most frequent first."""
    for each in types:
        if each in ("number", "boolean"):
            return "number" if each == "number" else "yes_no"
        if each == "string":
            return "text"
    return "text"


def shown(value: Any) -> str:
    """As it stands in a field: `typed` makes the same value of it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return "" if value is None else str(value)


def typed(text: str | None, kind: Sort) -> Any:
    """What can't be read as its kind stays a text: nothing that was typed is lost."""
    text = text or ""
    match kind:
        case "number":
            return number(text)
        case "yes_no":
            return {"yes": True, "true": True, "no": False, "false": False}.get(text.strip().lower(), text)
    return text


def number(text: str | float | None) -> Any:
    """A whole number stays one. `1,000` and `1 000` are a thousand."""
    if not isinstance(text, str):
        return "" if text is None else text
    plain = re.sub(r"(?<=\d)[, _](?=\d{3}\b)", "", text.strip())
    if not _NUMBER.fullmatch(plain):
        return text
    if re.fullmatch(r"-?\d{1,19}", plain):
        return int(plain)
    read = float(plain)
    return read if math.isfinite(read) else text


def cast(value: Any, kind: Sort) -> Any:
    """A value as another kind, where that can be."""
    if kind == "yes_no" and not isinstance(value, bool):
        return shown(value).strip().lower() in ("yes", "true", "1")
    return typed(shown(value), kind)


def duration(value: Any) -> tuple[str, str]:
    """The number and the unit of `30d`; what is none has no unit."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    return (found[1], found[2]) if found else (shown(value), "")


def spelled(count: Any, unit: str) -> str:
    """`30` and `d`, as it is written."""
    read = number(count) if isinstance(count, str) else count
    if isinstance(read, float) and read.is_integer():
        read = int(read)
    return f"{shown(read)}{unit}"
