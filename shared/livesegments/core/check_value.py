"""Checks of ops and their operands, durations, dates and windows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import tzinfo
from decimal import Decimal
from math import isfinite
from typing import Any, assert_never

from livesegments.core.computed import gives, id_of, ops
from livesegments.core.definition import Computed
from livesegments.core.exact import INT64, plain
from livesegments.core.fault import Faults, join, kind_name, shown, storable
from livesegments.core.kind import MAX_COUNT
from livesegments.core.pattern import Patterns
from livesegments.core.value import kind
from livesegments.core.window import DAY_MS, Duration, parse_date, parse_duration
from livesegments.core.words import FOLDABLE, LISTED_OPS, OPS, PRESENCE_OPS, WHOLE, Operand

MAX_VALUES = 100
MAX_TEXT = 1_024
MAX_SLIDING_MS = (3 * 365 + 1) * DAY_MS
MAX_WITHIN_MS = 90 * DAY_MS
MAX_AGE_MS = 150 * 365 * DAY_MS
FARTHEST = {"day": 1_096, "week": 157, "sunday_week": 157, "month": 36, "quarter": 12, "year": 3}
"""How many periods a window reaches back at most: 3 years."""
FARTHEST_DATE = {
    "day": 54_787,
    "week": 7_827,
    "sunday_week": 7_827,
    "month": 1_800,
    "quarter": 600,
    "year": 150,
}
"""How many periods a date may lie before or after now: 150 years."""
FARTHEST_ANNIVERSARY = {"days": 366, "months": 12}


def comparison(
    faults: Faults,
    node: dict[str, Any],
    at: str,
    ops: Collection[str],
    zone: tzinfo,
    patterns: Patterns,
    lists: Collection[str] | None = None,
) -> None:
    """The fields op, value, value_list, when_missing and ignore_case of an attribute condition or a filter.

    `lists`: the workspace's value lists, if they are known.
    """
    for name in ("when_missing", "ignore_case"):
        if name in node:
            faults.flag(node[name], join(at, name))
    op = faults.choice(node["op"], join(at, "op"), ops) if "op" in node else None
    if op is None:
        return
    if node.get("ignore_case") is True and op not in FOLDABLE:
        faults.add(join(at, "ignore_case"), "no_meaning", f"{op!r} compares no text: no case to ignore")
    if op in PRESENCE_OPS:
        for name in ("value", "value_list"):
            if node.get(name) is not None:
                faults.add(join(at, name), "no_meaning", f"{op!r} takes no value")
        return
    if node.get("value_list") is not None:
        _listed(faults, node, at, op, lists)
        return
    if "value" not in node:
        faults.add(at, "missing_field", f"the field 'value' is missing: {op!r} needs it")
        return
    operand = OPS[op].operand
    if operand == "pattern":
        pattern(faults, node["value"], node.get("ignore_case") is True, join(at, "value"), patterns)
    else:
        compared(faults, operand, node["value"], join(at, "value"), zone)


def asked(
    faults: Faults, condition: dict[str, Any], at: str, known: Mapping[str, Computed] | None
) -> Computed | None:
    """The computed attribute that a condition names, if `known` are the workspace's. A number is compared
    with numbers only."""
    name = condition.get("name")
    id_ = id_of(name) if isinstance(name, str) else None
    if id_ is None or known is None:
        return None
    found = known.get(id_)
    if found is None:
        told = f"there is no computed attribute {shown(id_)} in this workspace"
        faults.add(join(at, "name"), "unknown_computed_attribute", told)
    elif gives(found.measure) == "number" and condition.get("op") in ops(found.measure):
        operand, where = condition.get("value"), join(at, "value")
        for item in operand if isinstance(operand, list) else [operand]:
            if kind(item) in ("string", "boolean"):
                faults.add(where, "wrong_type", f"{name!r} is a number, and compared with numbers only")
            elif isinstance(item, int | float) and found.measure.of in WHOLE and item > MAX_COUNT:
                faults.add(where, "out_of_range", f"at most {MAX_COUNT} are counted here")
    return found


def _listed(faults: Faults, node: dict[str, Any], at: str, op: str, lists: Collection[str] | None) -> None:
    where = join(at, "value_list")
    if "value" in node:
        faults.add(at, "conflict", "'value' and 'value_list' exclude each other")
    if op not in LISTED_OPS:
        faults.add(where, "no_meaning", f"{op!r} takes no list; {', '.join(sorted(LISTED_OPS))} do")
    name = faults.name(node["value_list"], where)
    if name is not None and lists is not None and name not in lists:
        told = f"there is no value list {shown(name)} in this workspace; PUT /v1/value-lists/{name} makes one"
        faults.add(where, "unknown_value_list", told)


def compared(faults: Faults, operand: Operand, value: Any, at: str, zone: tzinfo) -> None:
    """The value that an op takes; patterns have a check of their own."""
    match operand:
        case "scalar":
            scalar(faults, value, at)
        case "scalars":
            values = faults.items(value, at, 1, MAX_VALUES)
            for index, item in enumerate(values or []):
                scalar(faults, item, join(at, index))
        case "ordered":
            if scalar(faults, value, at) and kind(value) == "boolean":
                faults.add(at, "wrong_type", "must be a number or a string: booleans have no order")
        case "pair":
            between(faults, value, at)
        case "text":
            text(faults, value, at)
        case "date":
            date(faults, value, at, zone)
        case "duration":
            duration(faults, value, at, MAX_AGE_MS, "150y")
        case "period":
            periods(faults, value, at)
        case "days" | "months":
            node = faults.object(value, at, ("from", "to"))
            if node is not None:
                most = FARTHEST_ANNIVERSARY[operand]
                numbers(faults, node, at, -most, most)
        case "pattern" | "nothing":
            pass
        case _:
            assert_never(operand)


def scalar(faults: Faults, value: Any, at: str) -> bool:
    """A string, a finite number that fits, or a boolean."""
    sort = kind(value)
    if sort not in ("string", "number", "boolean"):
        faults.add(at, "wrong_type", f"must be a string, a number or a boolean, not {kind_name(value)}")
    elif sort == "number" and not number_fits(value):
        faults.add(at, "out_of_range", "must be a finite number; whole ones of at most 64 bits")
    elif sort == "string" and len(value) > MAX_TEXT:
        faults.add(at, "too_long", f"has {len(value)} characters; at most {MAX_TEXT} are allowed")
    elif sort == "string" and not storable(value):
        faults.add(at, "bad_character", "must not contain NUL or lone surrogates")
    else:
        return True
    return False


def share(faults: Faults, node: dict[str, Any], at: str) -> None:
    """`from` and `to` of a bucket: percents with at most two decimals, the first below the second."""
    sound = []
    for name in ("from", "to"):
        percent = node.get(name, 0)
        if kind(percent) != "number":
            faults.add(join(at, name), "wrong_type", f"must be a number, not {kind_name(percent)}")
        elif not 0 <= percent <= 100 or Decimal(repr(percent)) * 100 % 1:
            told = "must be a percentage between 0 and 100 with at most two decimals"
            faults.add(join(at, name), "out_of_range", told)
        elif name in node:
            sound.append(percent)
    if len(sound) == 2 and sound[0] >= sound[1]:
        faults.add(join(at, "to"), "wrong_order", "must be greater than 'from'")


def number_fits(value: int | float) -> bool:
    return isfinite(value) if isinstance(value, float) else -INT64 <= value < INT64


def between(faults: Faults, value: Any, at: str) -> None:
    pair = faults.items(value, at, 2, 2)
    if pair is None:
        return
    sound = [scalar(faults, item, join(at, index)) for index, item in enumerate(pair)]
    if not all(sound):
        return
    kinds = {kind(item) for item in pair}
    if len(kinds) > 1 or "boolean" in kinds:
        faults.add(at, "wrong_type", "must be two numbers or two strings")
    elif plain(pair[0]) > plain(pair[1]):
        faults.add(at, "wrong_order", f"the first, {shown(pair[0])}, must not exceed the second")


def text(faults: Faults, value: Any, at: str) -> None:
    if kind(value) != "string":
        faults.add(at, "wrong_type", f"must be a string, not {kind_name(value)}")
    else:
        scalar(faults, value, at)


def pattern(faults: Faults, value: Any, ignore_case: bool, at: str, patterns: Patterns) -> None:
    if kind(value) != "string":
        faults.add(at, "wrong_type", f"must be a string, not {kind_name(value)}")
        return
    refused = patterns.refused(value, ignore_case)
    if refused is not None:
        faults.add(at, *refused)


def duration(faults: Faults, value: Any, at: str, most_ms: int, most: str) -> Duration | None:
    if not isinstance(value, str):
        faults.add(at, "wrong_type", f"must be a duration such as 30d or 2mo, not {kind_name(value)}")
        return None
    try:
        read = parse_duration(value)
    except ValueError as error:
        faults.add(at, "bad_duration", str(error))
        return None
    if nominal_ms(read) > most_ms:
        faults.add(at, "too_long", f"{value} is longer than {most}, the most that is allowed")
        return None
    return read


def periods(faults: Faults, value: Any, at: str) -> None:
    """The calendar periods in which a date lies, as numbers from now: `{"period": "month", "to": 1}`."""
    node = faults.object(value, at, ("period", "from", "to"), ("period",))
    if node is None or "period" not in node:
        return
    sort = faults.choice(node["period"], join(at, "period"), FARTHEST_DATE)
    if sort is not None:
        numbers(faults, node, at, -FARTHEST_DATE[sort], FARTHEST_DATE[sort])


def numbers(faults: Faults, node: dict[str, Any], at: str, least: int, most: int) -> None:
    """`from` and `to`, whole numbers of days, months or periods from now; each is 0 where it is left out."""
    sound = True
    for name in ("from", "to"):
        number = node.get(name, 0)
        if type(number) is not int:
            faults.add(join(at, name), "wrong_type", f"must be a whole number, not {kind_name(number)}")
        elif not least <= number <= most:
            faults.add(join(at, name), "out_of_range", f"must be between {least} and {most}")
        else:
            continue
        sound = False
    if sound and node.get("from", 0) > node.get("to", 0):
        told = "must not be less than 'from' (each is 0 where it is left out)"
        faults.add(join(at, "to"), "wrong_order", told)


def nominal_ms(read: Duration) -> int:
    """A duration's usual length: a year of 365 days, else months of 30."""
    years, months = divmod(read.months, 12)
    return read.ms + (years * 365 + months * 30) * DAY_MS


def date(faults: Faults, value: Any, at: str, zone: tzinfo) -> int | None:
    """The instant that an ISO 8601 date names."""
    if not isinstance(value, str):
        faults.add(at, "wrong_type", f"must be an ISO 8601 date, not {kind_name(value)}")
        return None
    instant = parse_date(value, zone)
    if instant is None:
        faults.add(at, "bad_date", f"{shown(value)} is not an ISO 8601 date such as 2022-07-01")
    return instant


def window(faults: Faults, value: Any, at: str, zone: tzinfo) -> None:
    """`null` is ever."""
    if value is None:
        return
    node = faults.object(value, at, ("last", "skip", "period", "from", "to"))
    if node is None:
        return
    if node.get("period") is not None:
        _calendar(faults, node, at)
        return
    given = {name for name in ("last", "skip", "from", "to") if node.get(name) is not None}
    if given & {"last", "skip"} and given & {"from", "to"}:
        faults.add(at, "conflict", "a window either slides (last, skip) or is absolute (from, to)")
    elif not given & {"last", "from", "to"}:
        faults.add(at, "missing_field", "needs 'last', 'period', 'from' or 'to', or is left out for ever")
    if "last" in given:
        last = duration(faults, node["last"], join(at, "last"), MAX_SLIDING_MS, "3y")
        if "skip" in given:
            skip = duration(faults, node["skip"], join(at, "skip"), MAX_SLIDING_MS, "3y")
            if last and skip and nominal_ms(skip) >= nominal_ms(last):
                faults.add(join(at, "skip"), "wrong_order", "must be shorter than 'last'")
    bounds = {
        name: date(faults, node[name], join(at, name), zone) for name in ("from", "to") if name in given
    }
    start, end = bounds.get("from"), bounds.get("to")
    if start is not None and end is not None and start >= end:
        faults.add(join(at, "to"), "wrong_order", "must be later than 'from'")


def _calendar(faults: Faults, node: dict[str, Any], at: str) -> None:
    if node.get("last") is not None or node.get("skip") is not None:
        faults.add(at, "conflict", "a window either slides (last, skip) or is of calendar periods (period)")
    sort = faults.choice(node["period"], join(at, "period"), FARTHEST)
    if sort is not None:
        numbers(faults, node, at, -FARTHEST[sort], 0)
