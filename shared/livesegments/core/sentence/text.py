"""Numbers, dates, texts and lists as a sentence writes them.

What comes in is JSON that nobody has checked: whatever it is, some text comes out, of bounded length.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

MISSING = "…"
"""Stands for what an author has not said yet, or what can't be read."""
MOST_TEXT, MOST_ITEMS = 80, 5
_PLAIN = re.compile(r"[\w.:$@-]+(?: [\w.:$@-]+)*")
_DATE = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII
)
_DURATION = re.compile(r"([1-9]\d{0,8})(s|m|h|d|w|mo|y)", re.ASCII)
_UNITS = {
    "s": "second",
    "m": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "mo": "month",
    "y": "year",
}
_TURNING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_TIMES = {1: "once", 2: "twice"}


def cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"


def quoted(text: str) -> str:
    """Characters that turn round the rest of a line, and line breaks, are written as escapes."""
    return f"“{_TURNING.sub(_escape, cut(text))}”"


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def name(value: Any) -> str:
    """The name of an attribute, a property or an event: in quotes unless it reads as words."""
    if not isinstance(value, str) or not value:
        return MISSING
    return value if len(value) <= MOST_TEXT and _PLAIN.fullmatch(value) else quoted(value)


def number(value: Any) -> str:
    """1234.5 is `1,234.5`; what is no number is shown as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return scalar(value)
    if isinstance(value, int):
        return f"{value:,}" if value.bit_length() <= 64 else "a number beyond 64 bits"
    return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:,}"


def scalar(value: Any) -> str:
    """A value that an attribute or a property may have."""
    match value:
        case None | "":
            return MISSING if value is None else "“”"
        case True | False:
            return "true" if value else "false"
        case int() | float():
            return number(value)
        case str():
            return quoted(value)
        case _:
            return cut(json.dumps(value, ensure_ascii=False, default=repr))


def items(values: Sequence[str], word: str) -> str:
    """`a, b or c`; the first few, and how many others there are."""
    if not values:
        return MISSING
    shown = list(values)
    if len(values) > MOST_ITEMS + 1:
        shown = [*values[:MOST_ITEMS], f"{len(values) - MOST_ITEMS:,} others"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {word} {shown[-1]}"


def counted(amount: int | float, noun: str) -> str:
    """`1 day`, `3 days`."""
    return f"{number(amount)} {noun if amount == 1 else noun + 's'}"


def times(amount: Any) -> str:
    """`once`, `twice`, `3 times`."""
    if type(amount) is int and amount in _TIMES:
        return _TIMES[amount]
    return f"{number(amount)} times"


def duration(value: Any) -> str:
    """`30d` is `30 days`; what can't be read is shown as it is."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    return scalar(value) if found is None else counted(int(found[1]), _UNITS[found[2]])


def since(value: Any) -> str:
    """What follows `the last` or `the next`: `30 days`, `month`, `24 hours`."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return scalar(value)
    if value == "1d":
        return "24 hours"
    return _UNITS[found[2]] if found[1] == "1" else duration(value)


def whole_day(value: Any) -> date | None:
    """The date of a text that names a day and no time."""
    if not isinstance(value, str) or len(value) != 10:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def day(value: date) -> str:
    return f"{value.day} {value:%B} {value.year}"


def instant(value: Any) -> str:
    """`2024-01-30 11:00Z` is `30 January 2024, 11:00 UTC`; what can't be read is shown as it is."""
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return scalar(value)
    bare, minute, second, fraction, offset = found.groups()
    try:
        shown = day(date.fromisoformat(bare))
        if minute is not None:
            datetime.fromisoformat(f"{bare}T{minute}")
    except ValueError:
        return scalar(value)
    if minute is None:
        return shown
    exact = f":{second}" + (f".{fraction}" if fraction and fraction.strip("0") else "") if second else ""
    zone = {None: "", "Z": " UTC"}.get(offset, f" {offset}")
    return f"{shown}, {minute}{exact if exact != ':00' else ''}{zone}"


def last_day(value: Any) -> str | None:
    """The last day before a bare date, which an open end leaves out."""
    found = whole_day(value)
    return None if found is None or found == date.min else day(found - timedelta(days=1))
