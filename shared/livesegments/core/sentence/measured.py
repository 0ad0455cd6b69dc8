"""A condition on events: how often, how much and when. `placed an order at least 3 times`."""

from __future__ import annotations

from typing import Any, TypeAlias

from livesegments.core.sentence import compared, happenings, spans, text

Json: TypeAlias = dict[str, Any]

_OPPOSITE = {"eq": "neq", "neq": "eq", "gt": "lte", "gte": "lt", "lt": "gte", "lte": "gt"}
_DEFINED = ("count", "days", "weeks", "sunday_weeks", "months", "sum", "distinct")
"""Measures that always have a value, so that the opposite of `at least 3` is `fewer than 3`."""
_ON = {
    "days": ("on", "day", ""),
    "weeks": ("in", "week", ""),
    "sunday_weeks": ("in", "week", " (weeks begin on Sunday)"),
    "months": ("in", "month", ""),
}
_OVER = {
    "sum": "the sum of {path} over {events}",
    "avg": "the average of {path} over {events}",
    "min": "the least {path} of {events}",
    "max": "the greatest {path} of {events}",
    "distinct": "the number of different values of {path} over {events}",
    "first": "the first value of {path} in {events}",
    "last": "the last value of {path} in {events}",
    "mode": "the most frequent value of {path} in {events}",
    "first_at": "the time of the first of {events}",
    "last_at": "the time of the last of {events}",
}


def event(node: Json, denied: bool) -> str:
    measure = node.get("measure")
    of = measure.get("of", "count") if isinstance(measure, dict) else "count"
    op, value = node.get("op", "gte"), node.get("value", 1)
    if denied and of in _DEFINED and op in _OPPOSITE:
        op, denied = _OPPOSITE[op], False
    if of == "count":
        said = _often(node, op, value)
    elif of in _ON:
        said = _on(node, of, op, value)
    else:
        test = {"op": op, "value": value}
        said = compared.comparison(test, over(node))
    return f"not ({said})" if denied else said


def over(node: Json) -> str:
    """What is measured, as a noun: also of a computed attribute."""
    measure = node.get("measure")
    measure = measure if isinstance(measure, dict) else {}
    of = measure.get("of", "count")
    events = joined(happenings.noun(node), filters(node), spans.window(node.get("window")))
    if of == "count":
        return f"the number of {events}"
    if of in _ON:
        return f"the number of different {_ON[of][1]}s with {events}{_ON[of][2]}"
    said = _OVER.get(of) if isinstance(of, str) else None
    if said is None:
        return f"{text.scalar(of)} of {events}"
    return said.format(path=text.name(measure.get("property")), events=events)


def _often(node: Json, op: Any, value: Any) -> str:
    did, which = happenings.did(node), filters(node)
    when = spans.window(node.get("window"))
    if (op, value) in (("eq", 0), ("lt", 1), ("lte", 0)):
        return joined(f"never {did}", which, when)
    ever = when or "ever"
    if (op, value) in (("gte", 1), ("gt", 0), ("neq", 0)):
        return joined(did, which, when) if when else joined(f"ever {did}", which)
    together = "in total" * happenings.several(node)
    return joined(did, which, _amount(op, value), together, ever)


def _amount(op: Any, value: Any) -> str:
    if op == "between":
        low, high = compared.pair(value)
        return f"{low} to {high} times"
    said = {
        "eq": "exactly {}",
        "neq": "not exactly {}",
        "gt": "more than {}",
        "gte": "at least {}",
        "lt": "fewer than {}",
        "lte": "at most {}",
    }.get(op if isinstance(op, str) else "", f"{text.scalar(op)} {{}}")
    return said.format(text.times(value))


def _on(node: Json, of: str, op: Any, value: Any) -> str:
    preposition, noun, remark = _ON[of]
    amount = _amount(op, value).removesuffix(" times")
    if op != "between":
        amount = amount.replace("once", "1").replace("twice", "2")
    days = f"{preposition} {amount} different {noun}{'' if value == 1 else 's'}{remark}"
    return joined(happenings.did(node), filters(node), days, spans.window(node.get("window")) or "ever")


def filters(node: Json, field: str = "where") -> str:
    """What the events' properties must be, in brackets; empty where there is nothing."""
    tests = node.get(field)
    if not isinstance(tests, list) or not tests:
        return ""
    return f"(where {both(tests)})"


def both(tests: list[Any]) -> str:
    return " and ".join(_filter(each) for each in tests)


def _filter(test: Any) -> str:
    if not isinstance(test, dict):
        return text.scalar(test)
    path = text.name(test.get("property"))
    for field, some in (("item", "some"), ("no_item", "no")):
        if isinstance(test.get(field), list):
            return f"{some} item of {path} has ({both(test[field]) or text.MISSING})"
    return compared.comparison(test, path, now=False)


def joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
