"""Windows and calendar periods in words: `in the last 30 days`, `last month`, `3 to 5 days ago`."""

from __future__ import annotations

from typing import Any

from livesegments.core.sentence import text

_PERIODS = {
    "day": ("day", ""),
    "week": ("week", ""),
    "sunday_week": ("week", " (weeks begin on Sunday)"),
    "month": ("month", ""),
    "quarter": ("quarter", ""),
    "year": ("year", ""),
}
_DAYS = {-1: "yesterday", 0: "today", 1: "tomorrow"}
_NEAR = {-1: "last", 0: "this", 1: "next"}
EVER = ""


def window(value: Any) -> str:
    """Of a window of events; empty for ever."""
    if value is None:
        return EVER
    if not isinstance(value, dict):
        return f"in the window {text.scalar(value)}"
    if "last" in value:
        last, skip = value["last"], value.get("skip")
        if skip is None:
            return f"in the last {text.since(last)}"
        return _between_ago(text.duration(skip), text.duration(last))
    if "period" in value:
        return period(value)
    return _dates(value.get("from"), value.get("to"))


def _between_ago(least: str, most: str) -> str:
    low, high = least.split(" "), most.split(" ")
    if len(low) == len(high) == 2 and low[1].rstrip("s") == high[1].rstrip("s"):
        return f"between {low[0]} and {most} ago"
    return f"between {least} and {most} ago"


def _dates(begin: Any, end: Any) -> str:
    whole = text.last_day(end) if begin is None or text.whole_day(begin) else None
    if begin is None and end is None:
        return EVER
    if end is None:
        return f"since {text.instant(begin)}"
    if begin is None:
        return f"before {text.instant(end)}"
    if whole is not None and text.whole_day(begin) is not None:
        first = text.instant(begin)
        return f"on {first}" if first == whole else f"from {first} to {whole}"
    return f"from {text.instant(begin)} until before {text.instant(end)}"


def period(value: Any, now: bool = True) -> str:
    """Of `{"period": P, "from": i, "to": j}`. Where `now` is false it is relative to an event's own time."""
    if not isinstance(value, dict):
        return f"in the period {text.scalar(value)}"
    noun, weeks = _PERIODS.get(str(value.get("period")), (text.scalar(value.get("period")), ""))
    low, high = _whole(value.get("from")), _whole(value.get("to"))
    if low is None or high is None:
        return f"in the {noun}s from {text.scalar(value.get('from', 0))} to {text.scalar(value.get('to', 0))}"
    return (_of_now(noun, low, high) if now else _of_event(noun, low, high)) + weeks


def _whole(value: Any) -> int | None:
    if value is None:
        return 0
    return value if type(value) is int else None


def _of_now(noun: str, low: int, high: int) -> str:
    if low == high:
        if low in _NEAR:
            return _DAYS[low] if noun == "day" else f"{_NEAR[low]} {noun}"
        if noun == "day":
            return f"{-low} days ago" if low < 0 else f"in {low} days"
        return f"in the {noun} {abs(low)} {noun}s {'before' if low < 0 else 'after'} this one"
    this, one = ("today", "today") if noun == "day" else (f"this {noun}", "this one")
    if high == 0:
        return f"{this} or in the {_many(-low, noun)} before"
    if low == 0:
        return f"{this} or in the {_many(high, noun)} after"
    if high == -1:
        return f"in the {_many(-low, noun)} before {one}"
    if low == 1:
        return f"in the {_many(high, noun)} after {one}"
    if low < 0 < high:
        return f"from {text.counted(-low, noun)} before {one} to {text.counted(high, noun)} after it"
    near, far = sorted((abs(low), abs(high)))
    return f"{near} to {far} {noun}s {'before' if high < 0 else 'after'} {one}"


def _of_event(noun: str, low: int, high: int) -> str:
    its = f"the {noun} of the event"
    if low == high:
        return f"in {its}".replace("in the day", "on the day") if low == 0 else _side(low, noun, its)
    return f"from {_side(low, noun, its)} to {_side(high, noun, 'it' if low else f'that {noun}')}"


def _side(count: int, noun: str, of: str) -> str:
    if count == 0:
        return of
    return f"{text.counted(abs(count), noun)} {'before' if count < 0 else 'after'} {of}"


def _many(count: int, noun: str) -> str:
    return noun if count == 1 else text.counted(count, noun)
