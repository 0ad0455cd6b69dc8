"""Filters on the items of a list: several properties of the same item."""

from __future__ import annotations

from typing import Any

import msgspec

from livesegments.core.check import check
from livesegments.core.definition import Node
from livesegments.core.event import Event
from livesegments.core.explanation import explain
from livesegments.core.names.unseen import unseen
from livesegments.core.plan import Segment, compile
from livesegments.core.profile import Profile
from livesegments.core.step import on_event
from livesegments.core.value import Values
from livesegments.core.value_list import named, referring, resolved, shown, spelled
from livesegments.core.wanted import wanted
from livesegments.core.warnings import warnings
from tests.core.names.test_unseen import NAMES
from tests.core.story import Story
from tests.core.test_buckets import plan_of
from tests.core.test_fact import key

Json = dict[str, Any]
RED: Json = {"property": "color", "op": "eq", "value": "red"}
SMALL: Json = {"property": "size", "op": "eq", "value": 1}


def ordered(*filters: Json, of: str = "item") -> Json:
    return {"type": "event", "name": "order", "where": [{"property": "products", of: list(filters)}]}


def test_the_order_of_an_items_filters_does_not_matter_and_which_of_both_it_is_does() -> None:
    assert key(ordered(RED, SMALL)) == key(ordered(SMALL, RED, RED)) != key(ordered(RED))
    assert key(ordered(RED, SMALL, of="no_item")) == key(ordered(SMALL, RED, of="no_item"))
    assert key(ordered(RED)) != key(ordered(RED, of="no_item"))
    assert key(ordered(RED)) == key(ordered(RED | {"when_missing": False, "ignore_case": False}))


def test_an_equality_of_items_leads_to_the_few_facts_that_ask_for_it() -> None:
    plan = plan_of(**{f"s{at}": ordered(RED | {"value": f"c{at}"}, SMALL) for at in range(50)})
    feeds = plan.feeds["order"]
    asked: list[Any] = []
    for by_key in feeds._hashed.values():
        asked += by_key.get("c7", ())
    assert len(asked) == 1 and not feeds._asked and not feeds._always
    products = [{"color": "c7", "size": 2}, {"color": "c8", "size": 1}]
    event = Event("e", "w", "p", "order", 1_000, {"products": products})
    assert [track.id for track in feeds.fed(event)] == [
        read.fact.id for read in plan.order[plan.positions["s8"]].reads if read.fact is not None
    ]


def test_no_more_than_the_first_thousand_items_are_looked_at() -> None:
    story = Story("2024-01-01", some=ordered(RED), none=ordered(RED, of="no_item"))
    fill: list[Any] = [{"color": "blue"}] * 999
    story.happens("order", "2024-01-01", products=[*fill, "", {"color": "red"}])
    assert story.members == {"none"}
    story.happens("order", "2024-01-01", products=[None, *fill, [{"color": "red"}]])
    assert story.members == {"none", "some"}


def test_only_what_it_reads_is_read_from_history() -> None:
    plan = plan_of(s=ordered(RED, SMALL))
    assert wanted(plan, plan.fact_ids, 0).names["order"] == ("products",)


def test_value_lists_stand_in_items_too() -> None:
    document = ordered({"property": "sku", "op": "in", "value_list": "winter"}, SMALL)
    node, faults = check(document, lists={"winter": "d1"})
    assert node is not None, faults
    assert named(node) == {"winter": "d1"} and shown(node) == document
    other = referring(node, {"winter": "d2"})
    assert named(other) == {"winter": "d2"} and other != node
    contents = Values("d2", ["a", "b"])
    written = msgspec.to_builtins(spelled(other, lambda id_, digest: contents))
    assert written["where"][0]["item"][0]["value"] == ["a", "b"]
    assert resolved(other, lambda id_, digest: contents).where[0].item[0].value is contents  # type: ignore[union-attr]
    _, faults = check(document, lists={})
    assert [(each.pointer, each.code) for each in faults] == [
        ("/where/0/item/0/value_list", "unknown_value_list")
    ]


def test_names_and_warnings_go_into_items() -> None:
    item = {"property": "products", "no_item": [{"property": "skuu", "op": "gt", "value": "10"}]}
    node = msgspec.convert({"type": "event", "name": "Order Completed", "where": [item]}, Node)
    at = "/where/0/no_item/0"
    assert [(each.pointer, each.code) for each in unseen(node, NAMES)] == [
        (f"{at}/property", "unseen_property")
    ]
    assert [(each.pointer, each.code) for each in warnings(node)] == [(f"{at}/value", "text_as_number")]


def test_an_explanation_proposes_an_event_with_such_an_item() -> None:
    nested = {"property": "parts", "item": [{"property": "kg", "op": "gt", "value": 2}]}
    without = {"property": "gifts", "no_item": [RED]}
    definition = ordered(RED, SMALL, nested)
    definition["where"].append(without)
    plan = plan_of(s=definition)
    change = explain(plan, "p", Profile(plan=plan.revision), "s", 1_000).change
    assert change is not None and change.type == "event"
    event = Event("e", "w", "p", "order", 1_000, change.properties)
    assert on_event(plan, None, event, 1_000).transitions


def test_a_sum_is_over_all_items_and_not_those_that_match() -> None:
    """A measure is over every value on its path; `where` only says which events count."""
    measured = ordered(RED) | {"measure": {"of": "sum", "property": "products.price"}, "value": 5}
    story = Story("2024-01-01", s=measured)
    story.happens("order", "2024-01-01", products=[{"color": "red", "price": 1}, {"price": 4}])
    assert story.members == {"s"}


def test_a_definition_with_items_compiles_in_any_zone() -> None:
    before = {"property": "best_before", "op": "before", "value": "2024-01-02"}
    root = msgspec.convert(ordered(before), Node)
    plan = compile("w", "America/New_York", [Segment("s", 1, 1, root)], 1)
    late = Event("e", "w", "p", "order", 1, {"products": [{"best_before": "2024-01-02T04:00Z"}]})
    assert on_event(plan, None, late, 1).transitions
