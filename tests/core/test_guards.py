"""A change passes over segments that something else keeps from holding, and over no others.

Core and oracle live through every order of a few happenings, and must agree after each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import msgspec
import pytest

from livesegments.core.definition import Node
from livesegments.core.edition import Edition
from livesegments.core.event import Event
from livesegments.core.plan import Segment, compile
from livesegments.core.reach import Guard, Reach
from livesegments.core.step import on_event
from tests.core.story import Story
from tests.effort import effort

OPENED: dict[str, Any] = {"type": "event", "name": "opened", "window": {"last": "5d"}}
ORDERED: dict[str, Any] = {
    "type": "event", "name": "ordered", "where": [{"property": "campaign", "op": "eq", "value": 7}]
}  # fmt: skip
GERMAN: dict[str, Any] = {"type": "attribute", "name": "country", "op": "eq", "value": "DE"}
VIP: dict[str, Any] = {"type": "tag", "name": "vip"}
BORN: dict[str, Any] = {"type": "attribute", "name": "born", "op": "anniversary_in_next", "value": "3d"}


def every(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"type": "all", "of": list(nodes)}


def some(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"type": "any", "of": list(nodes)}


def no(node: dict[str, Any]) -> dict[str, Any]:
    return {"type": "not", "of": node}


FORMS: dict[str, Any] = {
    "both": every(GERMAN, OPENED),
    "two-facts": every(GERMAN, OPENED, ORDERED),
    "either-fact": every(GERMAN, some(OPENED, ORDERED)),
    "fact-or-tag": every(GERMAN, some(OPENED, VIP)),
    "denied": every(ORDERED, no(some(GERMAN, OPENED))),
    "deep": every(some(every(GERMAN, OPENED), every(VIP, ORDERED)), some(ORDERED, every(OPENED, VIP))),
    "never": every(VIP, {**ORDERED, "op": "eq", "value": 0}),
    "same-fact": every(OPENED, {**OPENED, "op": "lt", "value": 2}, GERMAN),
    "referring": every({"type": "segment", "id": "both"}, ORDERED),
    "birthday": every(BORN, OPENED),
}
HAPPENINGS: tuple[Callable[[Story, str], None], ...] = (
    lambda story, at: story.happens("opened", at),
    lambda story, at: story.happens("ordered", at, campaign=7),
    lambda story, at: story.changes(at, attributes={"country": "DE", "born": "1990-01-08"}, tags_add=["vip"]),
    lambda story, at: story.changes(at, attributes={"country": "FR"}),
)
ORDERS = sorted(set(permutations((0, 0, 1, 2, 3))))[:: effort(4, 1)]


@pytest.mark.parametrize("order", ORDERS)
def test_whatever_comes_first(order: tuple[int, ...]) -> None:
    story = Story("2024-01-01", **FORMS)
    for day, index in enumerate(order, 1):
        HAPPENINGS[index](story, f"2024-01-{day:02}T12:00")
    story.clock("2024-01-20")


def test_a_change_costs_what_the_profile_has_done_not_how_many_segments_share_the_value() -> None:
    opened = [{**OPENED, "name": f"opened-{number}"} for number in range(500)]
    segments = [
        Segment(f"s{number}", 1, 1, msgspec.convert(every(GERMAN, node), Node))
        for number, node in enumerate(opened)
    ]
    plan = compile("w", "UTC", segments, 1)
    profile = on_event(plan, None, Event("1", "w", "p", "opened-3", 0), 0).profile
    reached: set[int] = set()
    plan.watches["country"].changed(None, "DE", 0, profile.facts, reached)
    assert reached == {plan.positions["s3"]}


def test_whoever_has_one_of_the_facts_is_reached() -> None:
    reach = Reach(Edition())
    reach.add(1, None)
    reach.add(2, Guard(frozenset([7, 8]), 0))
    cases: list[tuple[dict[int, Any], set[int]]] = [({}, {1}), ({8: []}, {1, 2}), ({9: []}, {1})]
    for facts, expected in cases:
        found: set[int] = set()
        reach.collect(facts, found)
        assert found == expected
