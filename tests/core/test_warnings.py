"""Conditions that hold for everyone or for no one are named at their places, and no others are."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from livesegments.core.check import check
from livesegments.core.warnings import warnings
from tests.core.story import Story, attribute, event

Json = dict[str, Any]
TAG: Json = {"type": "tag", "name": "vip"}
CART: Json = {
    "type": "sequence",
    "steps": [{"name": "cart"}, {"name": "order", "absent": True}],
    "within": "1d",
}


def told(document: Json) -> list[tuple[str, str]]:
    node, faults = check(document)
    assert node is not None, faults
    return [(fault.pointer, fault.code) for fault in warnings(node)]


def every(*of: Json) -> Json:
    return {"type": "all", "of": list(of)}


def some(*of: Json) -> Json:
    return {"type": "any", "of": list(of)}


def no(of: Json) -> Json:
    return {"type": "not", "of": of}


ALWAYS = [
    {"type": "bucket", "salt": "a", "from": 0, "to": 100},
    event("a", value=0),
    event("a", op="gt", value=-1),
    event("a", "30d", op="neq", value=0.5),
    event("a", measure={"of": "days"}, value=0),
    no(event("a", op="lt", value=0)),
    some(TAG, no(TAG)),
    some(TAG, event("a", value=0)),
    some(attribute("x", "neq", "a"), attribute("x", "not_in", ["b", "c"])),
]
NEVER = [
    event("a", op="lt", value=0),
    event("a", op="lte", value=-1),
    event("a", op="eq", value=1.5),
    event("a", op="between", value=[-3, -1]),
    event("a", op="between", value=[1.2, 1.8]),
    event("a", measure={"of": "distinct", "property": "x"}, op="lt", value=0),
    every(TAG, no(TAG)),
    every(TAG, event("a", op="lt", value=0)),
    every(attribute("x", "eq", "a"), attribute("x", "in", ["b", "c"])),
    CART | {"window": {"last": "1d"}},
    CART | {"window": {"last": "12h"}},
]
SOUND = [
    {"type": "bucket", "salt": "a", "from": 0, "to": 99.99},
    TAG,
    event("a", op="eq", value=0),
    event("a", op="lt", value=1),
    event("a", measure={"of": "sum", "property": "x"}, op="lt", value=0),
    event("a", measure={"of": "sum", "property": "x"}, op="gte", value=0),
    every(attribute("x", "eq", "a"), attribute("y", "eq", "b")),
    every(attribute("x", "in", ["a", "b"]), attribute("x", "in", ["b", "c"])),
    every(attribute("x", "eq", "a"), attribute("x", "eq", "b", when_missing=True)),
    every(attribute("x", "neq", "a"), attribute("x", "neq", "b")),
    some(attribute("x", "eq", "a"), attribute("x", "eq", "b")),
    some(attribute("x", "neq", "a"), attribute("x", "neq", "b", when_missing=False)),
    attribute("x", "gt", 18),
    attribute("x", "gt", "b"),
    attribute("zip", "eq", "80331"),
    CART | {"window": {"last": "25h"}},
    CART | {"within": "30d", "window": {"last": "1mo"}},
    {"type": "occurrence", "which": "first", "name": "a", "window": {"last": "1d"}},
]


@pytest.mark.parametrize("document", ALWAYS, ids=str)
def test_what_holds_for_everyone(document: Json) -> None:
    assert {code for _, code in told(document)} & {"always", "never"}
    story = Story("2024-01-01", s=document)
    story.changes("2024-01-01", attributes={"y": 1})
    assert story.members == {"s"}
    story.happens("a", "2024-01-01", x=1)
    story.changes("2024-01-02", attributes={"x": "a"}, tags_add=["vip"])
    assert story.members == {"s"} and told(document)[-1][1] == "always"


def test_ranges_that_do_not_meet_and_those_that_do() -> None:
    def ages(*parts: tuple[str, Any], **more: Any) -> list[str]:
        of = [{"type": "attribute", "name": "age", "op": op, "value": value, **more} for op, value in parts]
        return [code for _, code in told(every(*of))]

    assert ages(("gt", 50), ("lt", 20)) == ["never"]
    assert (
        ages(("gt", 5), ("lt", 5)) == ages(("gt", 5), ("lte", 5)) == ages(("gt", 5), ("eq", 5)) == ["never"]
    )
    assert ages(("between", [1, 2]), ("gte", 3)) == ["never"]
    assert ages(("gte", 5), ("lte", 5)) == ages(("gt", 4.9), ("lt", 5)) == []
    assert ages(("gt", 2**60 + 1), ("eq", 2**60 + 2)) == []
    assert ages(("gt", 50), ("lt", 20), when_missing=True) == []
    count: Json = {"type": "event", "name": "order", "window": {"last": "30d"}, "value": 5}
    fewer = count | {"op": "lt", "value": 3}
    assert told(every(count, fewer)) == [("", "never")]
    assert told(every(count, fewer | {"window": {"last": "7d"}})) == []


@pytest.mark.parametrize("document", NEVER, ids=str)
def test_what_holds_for_no_one(document: Json) -> None:
    assert told(document)[-1][1] == "never"
    story = Story("2024-01-01", s=document)
    story.happens("a", "2024-01-01", x=1)
    story.happens("cart", "2024-01-01")
    story.changes("2024-01-01", attributes={"x": "a"})
    story.clock("2024-03-01")
    assert story.told() == []


@pytest.mark.parametrize("document", SOUND, ids=str)
def test_what_may_hold_for_some_is_not_warned_of(document: Json) -> None:
    assert told(document) == []


PLACES = [
    (every(TAG, event("a", value=0)), [("/of/1", "always")]),
    (some(TAG, event("a", value=0)), [("/of/1", "always"), ("", "always")]),
    ({"type": "occurrence", "which": "last", "name": "a"}, [("", "no_window")]),
    (attribute("age", "gt", "18"), [("/value", "text_as_number")]),
    (attribute("age", "between", ["18", "29,5"]), [("/value", "text_as_number")]),
    (attribute("born", "lt", "2024-01-01"), [("/value", "text_as_date")]),
    (attribute("vip", "eq", "true"), [("/value", "text_as_boolean")]),
    (attribute("x", "contains", ""), [("/value", "always")]),
    (
        event("a", where=[{"property": "x", "op": "not_contains", "value": ""}]),
        [("/where/0/value", "never")],
    ),
    (
        CART
        | {
            "steps": [
                {"name": "a", "where": [{"property": "n", "op": "gt", "value": "1"}]},
                {"name": "b"},
            ]
        },
        [("/steps/0/where/0/value", "text_as_number")],
    ),
    ({"type": "near", "attribute": "p", "lat": 1, "lon": 1, "km": 20_020}, [("/km", "always")]),
]


@pytest.mark.parametrize(("document", "expected"), PLACES, ids=str)
def test_each_warning_is_at_its_place(document: Json, expected: list[tuple[str, str]]) -> None:
    assert told(document) == expected


def test_a_warning_is_a_sentence() -> None:
    node, _ = check(attribute("age", "gt", "18"))
    assert node is not None
    (warning,) = warnings(node)
    assert warning.message.endswith("for numbers write 18")
    assert msgspec.json.encode(warning)
