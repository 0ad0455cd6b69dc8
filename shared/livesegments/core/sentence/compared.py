"""An op with its operand, as what is said of an attribute or a property: `is at least 18`.

Every op of the language has a positive and a negative form here, so that `not` needs no brackets around it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from livesegments.core.sentence import spans, text
from livesegments.core.words import LISTED_OPS, POSITIVE

Json: TypeAlias = dict[str, Any]


def comparison(test: Json, subject: str, denied: bool = False, now: bool = True) -> str:
    """What `test` says of `subject`. `denied`: the opposite. `now`: false where times are relative to an
    event's own time."""
    op = test.get("op")
    if op in ("exists", "missing"):
        return f"{subject} is {'known' if (op == 'exists') != denied else 'unknown'}"
    if not isinstance(op, str) or (op not in POSITIVE and op not in _SAID):
        return f"{'not: ' * denied}{subject} {text.MISSING if op is None else text.scalar(op)}"
    negative = op in POSITIVE
    missing = test.get("when_missing")
    holds_missing = (negative if not isinstance(missing, bool) else missing) != denied
    negative_now = negative != denied
    said = _SAID[POSITIVE.get(op, op) or op](test, negative_now, now)
    case = ", in upper or lower case" if test.get("ignore_case") is True else ""
    sentence = f"{subject} {said}{case}"
    if holds_missing == negative_now:
        return sentence
    return f"{sentence} or is unknown" if holds_missing else f"{subject} is known and {said}{case}"


Said: TypeAlias = Callable[[Json, bool, bool], str]


def _values(test: Json, word: str) -> str:
    if "value_list" in test and test.get("op") in LISTED_OPS:
        return f"the value list {text.scalar(test['value_list'])}"
    values = test.get("value")
    return (
        text.items([text.scalar(each) for each in values], word) if isinstance(values, list) else text.MISSING
    )


def _equal(test: Json, negative: bool, now: bool) -> str:
    return f"is {'not ' * negative}{text.scalar(test.get('value'))}"


def _in(test: Json, negative: bool, now: bool) -> str:
    if "value_list" in test:
        return f"is {'not ' * negative}in {_values(test, 'or')}"
    return f"is {'none of ' * negative}{_values(test, 'and' if negative else 'or')}"


def _verb(does: str, do: str) -> Said:
    def said(test: Json, negative: bool, now: bool) -> str:
        return f"{f'does not {do}' if negative else does} {text.scalar(test.get('value'))}"

    return said


def _order(of_numbers: str, of_texts: str) -> Said:
    def said(test: Json, negative: bool, now: bool) -> str:
        value = test.get("value")
        words = of_texts if isinstance(value, str) else of_numbers
        return f"is {'not ' * negative}{words} {text.scalar(value)}"

    return said


def _between(test: Json, negative: bool, now: bool) -> str:
    low, high = pair(test.get("value"))
    order = " in alphabetical order" if isinstance(_first(test.get("value")), str) else ""
    return f"is {'not ' * negative}from {low} to {high}{order}"


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else None


def pair(value: Any) -> tuple[str, str]:
    """The two values of `between`, as they are shown."""
    if isinstance(value, list) and len(value) == 2:
        return text.scalar(value[0]), text.scalar(value[1])
    return text.MISSING, text.MISSING


def _any(test: Json, negative: bool, now: bool) -> str:
    if "value_list" in test:
        return f"includes {'none' if negative else 'some'} of {_values(test, 'or')}"
    return f"includes {'none of ' * negative}{_values(test, 'and' if negative else 'or')}"


def _every(test: Json, negative: bool, now: bool) -> str:
    return f"{'does not include' if negative else 'includes'} all of {_values(test, 'and')}"


def _date(words: str) -> Said:
    def said(test: Json, negative: bool, now: bool) -> str:
        return f"is {'not ' * negative}{words} {text.instant(test.get('value'))}"

    return said


def _clock(of_now: Callable[[Any], str], of_event: Callable[[Any], str]) -> Said:
    def said(test: Json, negative: bool, now: bool) -> str:
        return f"is {'not ' * negative}{(of_now if now else of_event)(test.get('value'))}"

    return said


def _anniversary(noun: str) -> Said:
    def said(test: Json, negative: bool, now: bool) -> str:
        value = test.get("value")
        when = spans.period({**(value if isinstance(value, dict) else {}), "period": noun}, now)
        return f"{'does not have' if negative else 'has'} its anniversary {when}"

    return said


def _anniversary_soon(test: Json, negative: bool, now: bool) -> str:
    span = text.duration(test.get("value"))
    when = f"today or within the next {span}" if now else f"on the day of the event or within {span} after it"
    return f"{'does not have' if negative else 'has'} its anniversary {when}"


_SAID: dict[str, Said] = {
    "eq": _equal,
    "in": _in,
    "contains": _verb("contains", "contain"),
    "starts_with": _verb("starts with", "start with"),
    "ends_with": _verb("ends with", "end with"),
    "matches": _verb("matches the pattern", "match the pattern"),
    "gt": _order("more than", "alphabetically after"),
    "gte": _order("at least", "alphabetically from"),
    "lt": _order("less than", "alphabetically before"),
    "lte": _order("at most", "alphabetically up to"),
    "between": _between,
    "has_any": _any,
    "has_all": _every,
    "before": _date("before"),
    "after": _date("on or after"),
    "in_last": _clock(
        lambda value: f"within the last {text.since(value)}",
        lambda value: f"within the {text.duration(value)} before the event",
    ),
    "in_next": _clock(
        lambda value: f"within the next {text.since(value)}",
        lambda value: f"within the {text.duration(value)} after the event",
    ),
    "older_than": _clock(
        lambda value: f"at least {text.duration(value)} ago",
        lambda value: f"at least {text.duration(value)} before the event",
    ),
    "younger_than": _clock(
        lambda value: f"less than {text.duration(value)} ago or still ahead",
        lambda value: f"less than {text.duration(value)} before the event or after it",
    ),
    "in_period": _clock(spans.period, lambda value: spans.period(value, now=False)),
    "anniversary": _anniversary("day"),
    "anniversary_in_month": _anniversary("month"),
    "anniversary_in_next": _anniversary_soon,
}
