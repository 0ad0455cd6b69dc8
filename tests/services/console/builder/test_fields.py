"""The fields of the builder's forms: values, ops, windows and names, each from a definition and back."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesegments.client.names import SeenEvent, SeenNames, SeenPath
from livesegments.console.builder import kinds, operands, seen, values, windows
from livesegments.core.check import check
from livesegments.core.definition import Node, PeriodName
from livesegments.core.words import LISTED_OPS, MEASURE_OPS, OPS, PRESENCE_OPS
from tests.properties.definitions import SCALARS
from tests.properties.definitions import windows as some_windows


@pytest.mark.parametrize("value", SCALARS)
def test_a_value_in_a_field_and_back_is_the_same(value: Any) -> None:
    back = values.typed(values.shown(value), values.sort(value))
    assert (type(back), back) == (type(value), value)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1,000", "number", 1000),
        ("-1.50", "number", -1.5),
        ("Kyiv", "number", "Kyiv"),
        ("1e999", "number", "1e999"),
        ("9" * 30, "number", 1e30),
        ("1,00", "number", "1,00"),
        ("Yes", "yes_no", True),
        ("no", "yes_no", False),
        ("maybe", "yes_no", "maybe"),
        (None, "text", ""),
    ],
)
def test_what_is_typed(text: str | None, kind: values.Sort, value: Any) -> None:
    assert values.typed(text, kind) == value
    assert type(values.typed(text, kind)) is type(value)


def test_durations() -> None:
    assert values.duration("30d") == ("30", "d")
    assert values.duration("2mo") == ("2", "mo")
    assert values.duration("soon") == ("soon", "")
    assert values.spelled("30", "d") == values.spelled(30.0, "d") == "30d"


def test_the_forms_know_the_language_whole() -> None:
    assert operands.LABELS.keys() == OPS.keys()
    assert operands.AMOUNTS.keys() == set(MEASURE_OPS)
    assert windows.PERIODS.keys() == set(get_args(PeriodName))
    written = {kind.__struct_config__.tag: kind for kind in get_args(Node)}
    for tag in written.keys() - {"computed", "not"}:
        fields = set(written[tag].__struct_encode_fields__)
        assert fields == set(kinds.KINDS[str(tag)].fields), tag


@pytest.mark.parametrize("before", OPS)
def test_turning_to_any_op_leaves_a_test_that_can_be_completed(before: str) -> None:
    start = operands.with_op({"type": "attribute", "name": "x", "op": "eq", "value": "a"}, before)
    for op in OPS:
        made = operands.with_op(start, op)
        assert made["op"] == op
        if op in PRESENCE_OPS:
            assert "value" not in made
        elif OPS[op].operand != "scalar":  # of a scalar, an empty text would be one
            assert "value" in made
        _, faults = check(made, timezone="UTC", others={}, segment_id="s")
        assert {fault.pointer for fault in faults if fault.code != "missing_field"} <= {"/value"}


def test_what_another_op_takes_is_kept() -> None:
    test = {"property": "x", "op": "eq", "value": "a", "ignore_case": True, "when_missing": True}
    assert operands.with_op(test, "neq") == {**test, "op": "neq"}
    assert operands.with_op(test, "in")["value"] == ["a"]
    assert operands.with_op(operands.with_op(test, "in"), "has_any")["value"] == ["a"]
    assert operands.with_op(test, "exists") == {"property": "x", "op": "exists"}
    assert "ignore_case" not in operands.with_op(test, "before")
    listed = {"property": "x", "op": "in", "value_list": "winter"}
    for op in LISTED_OPS:
        assert operands.with_op(listed, op) == {**listed, "op": op}
    assert "value_list" not in operands.with_op(listed, "eq")
    event = {"type": "event", "name": "x"}
    assert operands.with_amount(event, "between")["value"] == [1, 1]
    assert operands.with_amount({**event, "value": [2, 3]}, "gte")["value"] == 2


def test_ops_are_offered_by_what_was_seen() -> None:
    assert "has_any" not in operands.fitting(["number"], "eq")
    assert "has_any" in operands.fitting(["number"], "has_any")
    assert operands.fitting([], "eq") == operands.LABELS
    assert {"has_all", "exists"} <= operands.fitting(["list"], "eq").keys()
    assert "contains" not in operands.fitting_computed("number", "eq")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(some_windows())
def test_every_window_has_its_form(window: dict[str, Any]) -> None:
    kind = windows.kind(window.get("window"))
    assert kind in windows.KINDS
    node = {"type": "event", "name": "x", **window}
    assert windows.with_window(node, window.get("window")) == node


@given(st.sampled_from([*windows.KINDS]), st.sampled_from([*windows.KINDS]))
def test_turning_to_another_window_gives_one_of_that_kind(before: windows.Kind, to: windows.Kind) -> None:
    assert windows.kind(windows.turned(windows.turned(None, before), to)) == to


def test_windows_that_have_no_form_are_json() -> None:
    for window in (7, {}, {"last": "1d", "from": "2024-01-01"}, {"days": 3}):
        assert windows.kind(window) == "json"
    assert windows.turned({"last": "90d", "skip": "1d"}, "last") == {"last": "90d"}
    assert windows.preset({"period": "day", "from": 0}) == "today"
    assert windows.preset({"period": "day", "from": -9}) == windows.OTHER
    assert windows.preset({"period": "day", "from": 1, "to": 1}, ahead=True) == "tomorrow"


def test_names_that_were_seen_are_offered_with_their_values() -> None:
    path = SeenPath(name="total", types=["number"], last_seen=None, values=[1, True, [2]])
    order = SeenEvent(name="order", derived=False, last_seen=None, complete=True, properties=[path])
    known = seen.of_names(
        SeenNames(events=[order], attributes=[], attributes_complete=True), segments={"a": "A"}
    )
    assert known.properties(["order", None, "none"]) == {"total": seen.Path(("number",), (1, True, [2]))}
    assert seen.offered(known.events["order"]["total"].values) == ["1", "yes"]
    event = {"type": "event", "name": "a", "value": 2}
    assert list(seen.with_names(event, ["a", "b"])) == ["type", "names", "value"]
    assert seen.with_names(seen.with_names(event, ["a", "b"]), ["a"]) == event
    assert seen.called({"names": ["a", "b"]}) == ["a", "b"]
    assert seen.called(None) == []


def test_a_new_comparison_says_nothing_yet_rather_than_an_empty_text() -> None:
    attribute = kinds.new("attribute")
    assert "value" not in attribute
    for op in operands.LABELS:
        made = operands.with_op(operands.with_op(attribute, op), "eq")
        assert "value" not in made, op
