"""The values of computed attributes: the truth of conditions on them, the clock's part in it, and how they
are shown.

A value is what the fact's kind gives: an exact amount, an instant (ms), or the stand-in (`value.key`) of a
string, number or boolean; None where there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from fractions import Fraction
from typing import Any, TypeAlias

from livesegments.core import attribute
from livesegments.core.computed import gives
from livesegments.core.definition import Attribute, Computed, Measure
from livesegments.core.exact import exact, finite
from livesegments.core.kind import Kind
from livesegments.core.relative import SpanOf, date_span, span_of
from livesegments.core.value import COMPARE, Flag, Values, when_missing
from livesegments.core.value import kind as kind_of
from livesegments.core.window import parse_date
from livesegments.core.words import CLOCK_OPS, POSITIVE, PRESENCE_OPS, WHOLE

Truth: TypeAlias = Callable[[Any, int], bool]
"""(value, now) → holds."""


def truth(node: Computed, zone: tzinfo) -> Truth:
    """Of a condition on a computed attribute."""
    asked = node.asked
    assert asked is not None
    match gives(node.measure):
        case "number":
            return _number(asked, Fraction if node.measure.of == "avg" else exact)
        case "date":
            return _date(asked, zone)
        case _:
            holds = attribute.truth(asked, zone)
            return lambda value, now: holds(value.on if type(value) is Flag else value, now)


def clock(node: Computed, zone: tzinfo) -> SpanOf | None:
    """Around or after now, the instants in which the condition holds for a value, if it is relative to
    now."""
    asked = node.asked
    if asked is None or asked.op not in CLOCK_OPS:
        return None
    if gives(node.measure) != "date":
        return span_of(asked.op, asked.value, zone)
    around = date_span(asked.op, asked.value, zone)
    return lambda value, now: None if value is None else around(value, now)


def numbers(asked: Attribute, form: Callable[[Any], Any]) -> list[Any]:
    """The numbers that a condition compares an amount with, exact; `form` is the amount's own."""
    plural = isinstance(asked.value, list | tuple | Values)
    operands = asked.value.items if isinstance(asked.value, Values) else asked.value
    return [form(exact(each)) for each in (operands if plural else [operands]) if kind_of(each) == "number"]


def _number(asked: Attribute, form: Callable[[Any], Any]) -> Truth:
    if asked.op in PRESENCE_OPS:
        wanted = asked.op == "exists"
        return lambda value, now: (value is not None) == wanted
    without, negative = when_missing(asked), asked.op in POSITIVE
    bounds = numbers(asked, form)
    if POSITIVE.get(asked.op, asked.op) in ("eq", "in"):
        among = frozenset(bounds)
        if not among:
            return lambda value, now: without
        return lambda value, now: without if value is None else (value in among) != negative
    compare, bound = COMPARE[asked.op], bounds if asked.op == "between" else bounds[0]
    return lambda value, now: without if value is None else compare(value, bound)


def _date(asked: Attribute, zone: tzinfo) -> Truth:
    if asked.op in PRESENCE_OPS:
        wanted = asked.op == "exists"
        return lambda value, now: (value is not None) == wanted
    without = when_missing(asked)
    if asked.op in CLOCK_OPS:
        around = date_span(asked.op, asked.value, zone)

        def holds_now(value: Any, now: int) -> bool:
            if value is None:
                return without
            start, end = around(value, now)
            return start <= now < end

        return holds_now
    bound, before = parse_date(asked.value, zone), asked.op == "before"
    assert bound is not None, "check lets no other value through"
    return lambda value, now: without if value is None else (value < bound) == before


def shown(measure: Measure, value: Any) -> Any:
    """A value as JSON has it: dates in UTC, numbers that none equals as the nearest."""
    if value is None:
        return None
    if gives(measure) == "date":
        moment = datetime.fromtimestamp(value / 1_000, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if type(value) is Flag:
        return value.on
    if type(value) in (int, float, str):
        return value
    return finite(value)


def edges_of(node: Computed, value: Any, around: SpanOf | None = None) -> list[Any]:
    """With these edges, the fact's kind says when the clock alone changes the value; or, given what the
    condition makes of it (`clock`), the answer."""
    if node.measure.of in WHOLE:
        return [value] if value else []
    return [] if around is None else [around]


def read(kind: Kind[Any], node: Computed, state: Any, now_ms: int) -> tuple[Any, int | None]:
    """The value of a computed attribute as JSON has it, and the next instant at which the clock alone changes
    it."""
    value = kind.value(state, now_ms)
    return shown(node.measure, value), kind.next_ms(state, now_ms, edges_of(node, value))
