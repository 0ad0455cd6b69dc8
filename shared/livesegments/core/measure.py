"""From a measure and its window to the kind of fact that keeps it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, tzinfo
from typing import Any, assert_never

from livesegments.core import exact
from livesegments.core.bag import Bag, Ever
from livesegments.core.count import CountEver, CountSliding
from livesegments.core.definition import Measure, Scalar
from livesegments.core.event import Event
from livesegments.core.fold import Average, Each, Extreme, Of, Pick, Sum
from livesegments.core.frame import Absolute, Frame
from livesegments.core.keyed import Keys
from livesegments.core.kind import Kind
from livesegments.core.mode import ModeEver, ModeSliding
from livesegments.core.period import of_date
from livesegments.core.value import flat, key, kind, walk
from livesegments.core.valued import Valued
from livesegments.core.where import path_of
from livesegments.core.window import local_day
from livesegments.core.words import VALUES

DATED = frozenset(("days", "weeks", "sunday_weeks", "months"))
"""The measures of how many different days, weeks or months events have."""


def measure_kind(measure: Measure, frame: Frame, depth: int, zone: tzinfo) -> Kind[Any]:
    """The kind that keeps a measure over a window."""
    if measure.of == "count":
        if isinstance(frame, Absolute):
            return CountEver(frame)
        return Bag(Each(depth), frame) if frame.enter else CountSliding(frame, depth)
    if measure.of == "mode":
        values = _values(measure)
        mode = ModeEver(values, frame) if isinstance(frame, Absolute) else ModeSliding(values, frame)
        return Valued(mode, zone)
    of = _of(measure, depth, zone)
    found: Kind[Any] = Ever(of, frame) if isinstance(frame, Absolute) else Bag(of, frame)
    return Valued(found, zone) if measure.of in VALUES else found


def _of(measure: Measure, depth: int, zone: tzinfo) -> Of[Any, Any]:
    path = path_of(measure.property or "")

    def numbers(event: Event) -> list[exact.Exact]:
        if len(path) == 1 and type(event.properties.get(path[0])) in (int, float):
            return [exact.exact(event.properties[path[0]])]
        found = (item for value in walk(path, event.properties) for item in flat(value))
        return [exact.exact(item) for item in found if kind(item) == "number"]

    match measure.of:
        case "count":
            return Each(depth)
        case "days" | "weeks" | "sunday_weeks" | "months":
            key_of = key_at(measure.of, zone)
            return Keys(lambda event: [key_of(event.time_ms)], depth, int)
        case "distinct":
            return Keys(lambda event: distinct(walk(path, event.properties)), depth, str)
        case "sum":
            return Sum(numbers, path[0] if len(path) == 1 else None)
        case "avg":
            return Average(numbers)
        case "min":
            return Extreme(numbers, min)
        case "max":
            return Extreme(numbers, max)
        case "first" | "last":
            return Pick(_values(measure), last=measure.of == "last")
        case "first_at" | "last_at":
            return Extreme(lambda event: [event.time_ms], min if measure.of == "first_at" else max)
        case "mode":
            raise AssertionError("it has kinds of its own")
        case _:
            assert_never(measure.of)


def key_at(of: str, zone: tzinfo) -> Callable[[int], int]:
    """An instant → the number of its day, week or month, which a measure of `DATED` counts."""
    match of:
        case "weeks":
            return lambda t_ms: (local_day(t_ms, zone) - 1) // 7
        case "sunday_weeks":
            return lambda t_ms: local_day(t_ms, zone) // 7
        case "months":
            return lambda t_ms: _month(local_day(t_ms, zone))
    return lambda t_ms: local_day(t_ms, zone)


def _values(measure: Measure) -> Callable[[Event], list[Scalar]]:
    """The strings, numbers and booleans on the path, in order."""
    path = path_of(measure.property or "")
    return lambda event: [value for value in flat(walk(path, event.properties)) if key(value) is not None]


def _month(day: int) -> int:
    return of_date("month", date.fromordinal(day))


def distinct(values: list[Any]) -> list[str]:
    """Each scalar once, as text that is equal exactly when the values are."""
    found = (value for value in flat(values) if key(value) is not None)
    return sorted({f"{kind(value)[0]}{_text(exact.plain(value))}" for value in found})


def read(text: str) -> str | int | float | bool:
    """The scalar that a text of `distinct` stands for."""
    sort, rest = text[0], text[1:]
    if sort != "n":
        return rest if sort == "s" else rest == "True"
    try:
        return int(rest)
    except ValueError:
        return float(rest)


def _text(value: Any) -> str:
    return str(int(value)) if type(value) is float and value.is_integer() else str(value)
