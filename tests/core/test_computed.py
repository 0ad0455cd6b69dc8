"""Computed attributes, worked out by hand: values, conditions on them, and when the clock alone changes
them."""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import pytest

from livesegments.core.check import check
from livesegments.core.check_computed import check_computed
from livesegments.core.computed_read import Value, computed_of
from livesegments.core.definition import Computed, Node
from livesegments.core.event import Event, Transition
from livesegments.core.fact import build
from livesegments.core.plan import Plan, Segment, compile
from livesegments.core.profile import Profile, decode, encode
from livesegments.core.step import Why, on_clock, on_event, on_leave
from tests.core.story import Story
from tests.core.test_conditions_page import rows

NOON_MS = 1_709_294_400_000  # 2024-03-01T12:00Z
DAY_MS = 86_400_000
VALUES = [
    (measure, values if values != ["none"] else [], value)
    for (measure,), values, (value,) in rows("measure | events with x, a minute apart | value")
]


def plan(**definitions: dict[str, Any]) -> Plan:
    made = []
    for id_, document in definitions.items():
        node, faults = check_computed(document)
        assert node is not None, faults
        made.append(Segment(f"computed:{id_}", 1, 1, node))
    return compile("w", "UTC", made, 1)


def after(of: Plan, events: list[Event]) -> Profile:
    profile: Profile | None = None
    for event in events:
        profile = decode(encode(on_event(of, profile, event, NOON_MS + 3_600_000).profile))
    return profile or Profile(plan=of.revision)


def asked(of: Any, op: str, value: Any = None, window: Any = None, **more: Any) -> dict[str, Any]:
    """A condition as it is stored."""
    measure = {"of": of} if of in ("count", "first_at", "last_at") else {"of": of, "property": "x"}
    condition = {"type": "attribute", "name": "computed:c", "op": op, "value": value, **more}
    found: dict[str, Any] = {"type": "computed", "name": "a", "measure": measure, "asked": condition}
    return found if window is None else {**found, "window": {"last": window}}


@pytest.mark.parametrize(("measure", "values", "value"), VALUES, ids=str)
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("window", [{}, {"window": {"last": "1d"}}])
def test_each_measure_comes_to_what_the_page_says(
    measure: Any, values: list[Any], value: Any, late: bool, window: dict[str, Any]
) -> None:
    made = plan(c={"name": "a", "measure": measure, **window})
    events = [
        Event(f"e{at}", "w", "p", "a", NOON_MS + at * 60_000, {"x": each}) for at, each in enumerate(values)
    ]
    found = computed_of(made, after(made, events[::-1] if late else events), NOON_MS + 3_600_000)["c"]
    assert found.value == value and type(found.value) is type(value)
    moves = window and values and value is not None
    assert (found.moves_ms is not None) == bool(moves)


def test_a_value_says_when_the_clock_alone_changes_it() -> None:
    made = plan(
        spent={"name": "a", "window": {"last": "1d"}, "measure": {"of": "sum", "property": "x"}},
        visits={"name": "a", "window": {"last": "1d"}, "measure": {"of": "count"}},
        favourite={"name": "a", "window": {"last": "1d"}, "measure": {"of": "mode", "property": "x"}},
    )
    events = [Event(f"e{at}", "w", "p", "a", NOON_MS + at, {"x": at}) for at in range(3)]
    profile = after(made, events)
    first = NOON_MS + DAY_MS
    assert computed_of(made, profile, first - 1) == {
        "favourite": Value(2, first), "spent": Value(3, first), "visits": Value(3, first),
    }  # fmt: skip
    assert computed_of(made, profile, first + 1) == {
        "favourite": Value(2, first + 2), "spent": Value(2, first + 2), "visits": Value(1, first + 2),
    }  # fmt: skip
    assert computed_of(made, profile, first + 2)["favourite"] == Value(None, None)


def test_it_shares_the_fact_of_an_equal_condition() -> None:
    spent: Any = {"type": "event", "name": "a", "measure": {"of": "sum", "property": "x"}, "value": 5}
    condition, faults = check(spent)
    assert condition is not None, faults
    made = plan(spent={"name": "a", "measure": {"of": "sum", "property": "x"}})
    both = compile("w", "UTC", [*made.segments.values(), Segment("s", 1, 1, condition)], 1)
    assert both.fact_ids == made.fact_ids
    computed = made.segments["computed:spent"].definition
    assert isinstance(computed, Computed) and build(computed, "UTC").id in both.fact_ids


def test_the_most_frequent_value_follows_the_window_and_what_comes_late() -> None:
    story = Story(
        "2024-01-01", tea=asked("mode", "eq", "tea", "7d"), none=asked("mode", "missing", window="7d")
    )
    story.happens("a", "2024-01-01", x="tea")
    story.happens("a", "2024-01-02", x=["coffee", "coffee", "tea"])
    assert story.members == {"tea"}  # twice each, and tea was used last
    story.happens("a", "2024-01-01T12:00", x="coffee")
    assert story.members == set()
    story.takes_back("e3", "2024-01-03")
    assert story.members == {"tea"}
    story.told()
    story.clock("2024-01-20")
    assert story.told() == [
        ("tea", "exited", "2024-01-08"), ("none", "entered", "2024-01-09"),
    ]  # fmt: skip


def test_dates_move_by_the_clock_and_by_the_window() -> None:
    story = Story(
        "2024-01-01",
        quiet=asked("last_at", "older_than", "30d"),
        new=asked("first_at", "in_last", "7d"),
        gone=asked("last_at", "older_than", "5d", "20d", when_missing=True),
    )
    story.happens("a", "2024-01-01")
    assert story.members == {"new"}
    story.clock("2024-01-06T01:00")
    story.happens("a", "2024-01-06T01:00", id="late")
    assert [each[:2] for each in story.told()] == [
        ("new", "entered"),
        ("gone", "entered"),
        ("gone", "exited"),
    ]
    assert story.valid_until("quiet") == "2024-02-05T01:00"
    story.clock("2024-03-01")
    assert story.members == {"quiet", "gone"}


def test_true_and_one_are_two_values() -> None:
    story = Story("2024-01-01", one=asked("last", "eq", 1), yes=asked("last", "eq", True))
    story.happens("a", "2024-01-01", x=1)
    assert story.members == {"one"}
    story.happens("a", "2024-01-02", x=True)
    assert story.members == {"yes"}


def named(id_: str, node: Any) -> Any:
    return {**node, "asked": {**node["asked"], "name": f"computed:{id_}"}}


def serving(**definitions: Any) -> Plan:
    made = [Segment(id_, 1, 1, msgspec.convert(node, Node)) for id_, node in definitions.items()]
    return compile("w", "UTC", made, 1)


def test_a_transition_carries_the_values_that_its_segment_asks_about() -> None:
    of = serving(
        rich={
            "type": "all",
            "of": [
                named("spent", asked("sum", "gt", 10, "1d")),
                {"type": "not", "of": named("seen", asked("last_at", "missing"))},
            ],
        },
        through={"type": "segment", "id": "rich"},
        plain={"type": "event", "name": "a"},
    )
    step = on_event(of, None, Event("e1", "w", "p", "a", NOON_MS, {"x": 10.5}), NOON_MS)
    seen = {"seen": "2024-03-01T12:00:00.000Z"}
    assert {each.segment: each.computed for each in step.transitions} == {
        "rich": {**seen, "spent": 10.5}, "through": None, "plain": None,
    }  # fmt: skip
    profile = decode(encode(step.profile))
    step = on_clock(of, "p", profile, NOON_MS + DAY_MS)
    assert {each.segment: each.computed for each in step.transitions} == {
        "rich": {**seen, "spent": 0}, "through": None,
    }  # fmt: skip
    on_event(of, profile, Event("e2", "w", "p", "a", NOON_MS + DAY_MS, {"x": 11}), NOON_MS + DAY_MS)
    gone = on_leave(of, profile, Why("p", NOON_MS + DAY_MS, "erasure", None))
    assert {each.segment: each.computed for each in gone} == dict.fromkeys(("plain", "rich", "through"))


def test_its_id_and_the_other_transitions_are_those_of_an_equal_condition_on_events() -> None:
    event = Event("e1", "w", "p", "a", NOON_MS, {"x": 11})
    equal = {"type": "event", "name": "a", "measure": {"of": "sum", "property": "x"}, "op": "gt", "value": 10}
    (other,) = on_event(serving(s=equal), None, event, NOON_MS).transitions
    (own,) = on_event(serving(s=asked("sum", "gt", 10)), None, event, NOON_MS).transitions
    assert own.computed == {"c": 11}
    assert msgspec.structs.replace(own, computed=None) == other
    assert b"computed" not in msgspec.json.encode(other) + msgspec.msgpack.encode(other)


@pytest.mark.parametrize(
    ("of", "given", "values"),
    [
        ("last", "a" * 256, {"c": "a" * 256}),
        ("last", "a" * 257, {}),
        ("last", (1 << 64) - 1, {"c": (1 << 64) - 1}),
        ("sum", [1.7e308, 1.7e308], {"c": sys.float_info.max}),
        ("sum", [(1 << 63) - 1, 1], {"c": float(1 << 63)}),
    ],
)
def test_every_value_of_a_transition_can_be_written(of: str, given: Any, values: dict[str, Any]) -> None:
    event = Event("e1", "w", "p", "a", NOON_MS, {"x": given})
    condition = asked(of, "exists") if of == "last" else asked(of, "gt", 1)
    (transition,) = on_event(serving(s=condition), None, event, NOON_MS).transitions
    assert transition.computed == values
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(transition), type=Transition) == transition
    assert msgspec.json.decode(msgspec.json.encode(transition), type=Transition) == transition


KNOWN = {
    "n": msgspec.convert({"type": "computed", "name": "a"}, Computed),
    "d": msgspec.convert({"type": "computed", "name": "a", "measure": {"of": "last_at"}}, Computed),
    "v": msgspec.convert(
        {"type": "computed", "name": "a", "measure": {"of": "mode", "property": "x"}}, Computed
    ),
}


@pytest.mark.parametrize(
    ("name", "rest", "faults"),
    [
        ("n", {"op": "contains", "value": "a"}, [("/op", "unknown_value")]),
        ("n", {"op": "eq", "value": "a"}, [("/value", "wrong_type")]),
        ("n", {"op": "in", "value": [1, 10_001]}, [("/value", "out_of_range")]),
        ("d", {"op": "gt", "value": 1}, [("/op", "unknown_value")]),
        ("d", {"op": "older_than", "value": "1mo"}, []),
        ("v", {"op": "has_any", "value": ["a"]}, [("/op", "unknown_value")]),
        ("v", {"op": "starts_with", "value": "a"}, []),
        ("x", {"op": "exists"}, [("/name", "unknown_computed_attribute")]),
    ],
)
def test_a_condition_compares_what_there_is(name: str, rest: Any, faults: list[tuple[str, str]]) -> None:
    document = {"type": "attribute", "name": f"computed:{name}", **rest}
    assert [(each.pointer, each.code) for each in check(document, computed=KNOWN)[1]] == faults
