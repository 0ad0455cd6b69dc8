"""Windows in words, as an author chooses them. Pure.

A window is one of: the last so long, between two times ago, a calendar period, dates, ever. Whoever
turns from one to another gets a start of it; what can't be read as any of them is edited as JSON.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from livesegments.console.builder.pointer import Json

Kind: TypeAlias = Literal["ever", "last", "between", "period", "dates", "json"]
KINDS: dict[Kind, str] = {
    "last": "in the last",
    "between": "between two times ago",
    "period": "in a calendar period",
    "dates": "between dates",
    "ever": "ever",
}
PERIODS = {
    "day": "days",
    "week": "weeks from Monday",
    "sunday_week": "weeks from Sunday",
    "month": "months",
    "quarter": "quarters",
    "year": "years",
}
PRESETS: dict[str, tuple[str, Json]] = {
    "today": ("today", {"period": "day"}),
    "yesterday": ("yesterday", {"period": "day", "from": -1, "to": -1}),
    "this_week": ("this week", {"period": "week"}),
    "last_week": ("last week", {"period": "week", "from": -1, "to": -1}),
    "this_month": ("this month", {"period": "month"}),
    "last_month": ("last month", {"period": "month", "from": -1, "to": -1}),
    "this_quarter": ("this quarter", {"period": "quarter"}),
    "last_quarter": ("last quarter", {"period": "quarter", "from": -1, "to": -1}),
    "this_year": ("this year", {"period": "year"}),
    "last_year": ("last year", {"period": "year", "from": -1, "to": -1}),
}
AHEAD: dict[str, tuple[str, Json]] = {
    "tomorrow": ("tomorrow", {"period": "day", "from": 1, "to": 1}),
    "next_week": ("next week", {"period": "week", "from": 1, "to": 1}),
    "next_month": ("next month", {"period": "month", "from": 1, "to": 1}),
}
"""For dates, which may lie ahead."""
OTHER = "other"
_STARTS: dict[Kind, Json | None] = {
    "ever": None,
    "last": {"last": "30d"},
    "between": {"last": "30d", "skip": "7d"},
    "period": {"period": "month"},
    "dates": {"from": ""},
}


def kind(window: Any) -> Kind:
    if window is None:
        return "ever"
    if not isinstance(window, dict):
        return "json"
    match frozenset(window):
        case fields if fields == {"last"}:
            return "last"
        case fields if fields == {"last", "skip"}:
            return "between"
        case fields if "period" in fields and fields <= {"period", "from", "to"}:
            return "period"
        case fields if fields and fields <= {"from", "to"}:
            return "dates"
    return "json"


def turned(window: Any, to: Kind) -> Json | None:
    """Another kind of window. The longest time ago stays."""
    start = _STARTS.get(to)
    if to in ("last", "between") and isinstance(window, dict) and isinstance(window.get("last"), str):
        return {**(start or {}), "last": window["last"]}
    return dict(start) if start is not None else None


def preset(value: Any, ahead: bool = False) -> str:
    """The preset that a period is; `other` where it is none."""
    for name, (_, known) in presets(ahead).items():
        if isinstance(value, dict) and _numbers(value) == _numbers(known):
            return name
    return OTHER


def presets(ahead: bool = False) -> dict[str, tuple[str, Json]]:
    return {**PRESETS, **AHEAD} if ahead else PRESETS


def _numbers(value: Json) -> tuple[Any, Any, Any]:
    return value.get("period"), value.get("from", 0), value.get("to", 0)


def with_field(window: Json, name: str, value: Any, nothing: Any = "") -> Json:
    """The window with a field, or without it where it is empty."""
    if value == nothing:
        return {field: each for field, each in window.items() if field != name} or {"from": ""}
    return {**window, name: value}


def with_window(node: Json, window: Json | None) -> Json:
    if window is None:
        return {name: value for name, value in node.items() if name != "window"}
    return {**node, "window": window}
