"""`where`: all filters on an event's properties, compiled to one predicate; and the equality by which it
can be hashed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from itertools import islice
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, Struct

from livesegments.core.definition import Filter
from livesegments.core.exact import plain
from livesegments.core.relative import span_of
from livesegments.core.value import Key, Values, flat, key, test, walk, when_missing
from livesegments.core.words import CLOCK_OPS, LIST_OPS, PLURAL_OPS, POSITIVE, PRESENCE_OPS

MAX_ITEMS = 1_000
"""`item` and `no_item` look at this many of a list; what comes after them is none of its items."""
Properties: TypeAlias = Mapping[str, Any]
Predicate: TypeAlias = Callable[[Properties, int], bool]
"""(properties of an event, its time in ms) → whether it passes."""


class Handle(Struct, frozen=True):
    """An equality that must hold, by which events are led to the few facts they can feed."""

    path: tuple[str, ...]
    keys: frozenset[Key]


def path_of(dotted: str) -> tuple[str, ...]:
    return tuple(dotted.split("."))


def canonical(where: tuple[Filter, ...]) -> tuple[bytes, ...]:
    """The same filters in any order, once each, give the same bytes."""
    return tuple(sorted({msgspec.json.encode(_canonical(item)) for item in where}))


def _canonical(item: Filter) -> Filter:
    if item.inner:
        return msgspec.structs.replace(item, item=_unordered(item.item), no_item=_unordered(item.no_item))
    item = msgspec.structs.replace(item, when_missing=True if when_missing(item) else UNSET)
    if isinstance(item.value, Values):
        return msgspec.structs.replace(item, value={"values": item.value.digest}, value_list=None)
    if item.op in PLURAL_OPS:
        values = {msgspec.json.encode(_number(value)): _number(value) for value in item.value}
        return msgspec.structs.replace(item, value=[values[name] for name in sorted(values)])
    if item.op in CLOCK_OPS:
        return msgspec.structs.replace(item, value=_operand(item.value))
    return msgspec.structs.replace(item, value=_number(item.value))


def _unordered(where: tuple[Filter, ...]) -> tuple[Filter, ...]:
    """The same filters in any order, once each, give the same ones."""
    encoded = {msgspec.json.encode(made): made for item in where if (made := _canonical(item))}
    return tuple(encoded[name] for name in sorted(encoded))


def _operand(value: Any) -> Any:
    """Of an op that is relative to now: objects with all their fields."""
    if type(value) is not dict:
        return value
    return {"from": 0, "to": 0} | value


def _number(value: Any) -> Any:
    value = plain(value)
    return int(value) if type(value) is float and value.is_integer() and abs(value) < 1 << 63 else value


def handles(where: tuple[Filter, ...], within: tuple[str, ...] = ()) -> list[Handle]:
    """The filters that can be hashed: plain equality, false when missing. An item's are found `within` the
    path of its list."""
    found = []
    for item in where:
        path = (*within, *path_of(item.property))
        if item.item:
            found += handles(item.item, path)
        elif item.op in ("eq", "in") and not (when_missing(item) or item.ignore_case or item.value_list):
            operands = [item.value] if item.op == "eq" else item.value
            found.append(Handle(path, frozenset(map(_key, operands))))
    return found


def _key(value: Any) -> Key:
    found = key(value)
    assert found is not None, "check lets only scalars through"
    return found


def compile_where(where: tuple[Filter, ...], zone: tzinfo) -> Predicate | None:
    """One predicate for all filters; None when there are none."""
    predicates = [_compile(item, zone) for item in where]
    if not predicates:
        return None
    if len(predicates) == 1:
        return predicates[0]
    return lambda properties, time_ms: all(predicate(properties, time_ms) for predicate in predicates)


def _compile(item: Filter, zone: tzinfo) -> Predicate:
    if item.inner:
        return _of_items(item, zone)
    path, op, without = path_of(item.property), item.op, when_missing(item)
    if op in PRESENCE_OPS:
        wanted = op == "exists"
        return lambda properties, time_ms: bool(walk(path, properties)) == wanted
    if op in CLOCK_OPS:
        return _relative(item, path, zone)
    negative = op in POSITIVE
    positive = test(msgspec.structs.replace(item, op=POSITIVE.get(op, op)), zone)
    whole = op in LIST_OPS

    def holds(properties: Properties, time_ms: int) -> bool:
        values = walk(path, properties)
        if not whole:
            values = [item for value in values for item in flat(value)]
        verdicts = [verdict for value in values if (verdict := positive(value)) is not None]
        if not verdicts:
            return without
        return any(verdicts) != negative

    return holds


def _of_items(item: Filter, zone: tzinfo) -> Predicate:
    path, wanted = path_of(item.property), bool(item.item)
    passes = compile_where(item.inner, zone)
    assert passes is not None, "check lets no empty list through"

    def holds(properties: Properties, time_ms: int) -> bool:
        items = (each for value in walk(path, properties) for each in flat(value) if each is not None)
        for each in islice(items, MAX_ITEMS):
            if passes(each if type(each) is dict else {}, time_ms):
                return wanted
        return not wanted

    return holds


def _relative(item: Filter, path: tuple[str, ...], zone: tzinfo) -> Predicate:
    """A date, as it is seen from the event's own time."""
    spanned, without = span_of(item.op, item.value, zone), when_missing(item)

    def holds(properties: Properties, time_ms: int) -> bool:
        values = [each for value in walk(path, properties) for each in flat(value)]
        spans = [span for value in values if (span := spanned(value, time_ms)) is not None]
        if not spans:
            return without
        return any(start <= time_ms < end for start, end in spans)

    return holds
