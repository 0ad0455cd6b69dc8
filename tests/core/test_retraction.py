"""An event that is taken back counts no more, in whatever order the event and its retraction come."""

from __future__ import annotations

from typing import Any

import pytest

from livesegments.core.event import RETRACT, Event
from livesegments.core.recount import cause_of
from livesegments.core.retraction import MAX_TAKEN, MAX_WAITING, Taken, is_taken, take_back
from tests.core.story import Story, event

START = "2024-03-01T00:00"
TOTAL = {"of": "sum", "property": "total"}
LEAVES: dict[str, dict[str, Any]] = {
    "count ever": event("order"),
    "count in a window": event("order", "30d"),
    "sum ever": event("order", measure=TOTAL, op="gte", value=100),
    "sum in a window": event("order", "30d", measure=TOTAL, op="gte", value=100),
    "average": event("order", measure={**TOTAL, "of": "avg"}, op="gte", value=50),
    "greatest": event("order", "30d", measure={**TOTAL, "of": "max"}, op="gte", value=100),
    "least": event("order", measure={**TOTAL, "of": "min"}, op="gte", value=100),
    "distinct": event("order", measure={"of": "distinct", "property": "total"}),
    "days": event("order", "30d", measure={"of": "days"}),
    "first": {"type": "occurrence", "which": "first", "name": "order", "window": {"last": "30d"}},
    "last": {"type": "occurrence", "which": "last", "name": "order", "window": {"last": "30d"}},
    "sequence": {"type": "sequence", "steps": [{"name": "cart"}, {"name": "order"}], "within": "1d"},
}


@pytest.mark.parametrize("leaf", LEAVES.values(), ids=LEAVES.keys())
def test_an_order_taken_back_counts_no_more(leaf: dict[str, Any]) -> None:
    story = Story(START, s=leaf)
    story.happens("cart", "2024-03-02")
    story.happens("order", "2024-03-02T01:00", "o", total=100)
    assert story.members == {"s"}
    story.told()
    story.takes_back("o", "2024-03-03", "r")
    assert story.members == set()
    assert story.causes == [("retraction", "r")]


def test_what_ended_an_abandoned_cart_is_taken_back() -> None:
    steps = [{"name": "cart"}, {"name": "order", "absent": True}]
    story = Story(START, s={"type": "sequence", "steps": steps, "within": "1h"})
    story.happens("cart", "2024-03-02")
    story.happens("order", "2024-03-02T00:30", "o")
    story.clock("2024-03-02T02:00")
    assert story.members == set()
    story.takes_back("o", "2024-03-03")
    assert story.members == {"s"}


def test_until_it_is_carried_out_the_membership_stands() -> None:
    story = Story(START, s=event("order"))
    story.happens("order", "2024-03-02", "o")
    story.takes_back("o", "2024-03-03", at_once=False)
    assert story.members == {"s"}
    story.recount()
    assert story.members == set()


def test_a_retraction_that_comes_first_keeps_its_event_out() -> None:
    story = Story(START, s=event("order"))
    story.takes_back("o", "2024-03-02")
    story.happens("order", "2024-03-03", "o")
    assert story.members == set()
    story.happens("order", "2024-03-03", "p")
    assert story.members == {"s"}


def test_a_repeat_long_after_counts_no_more_either() -> None:
    story = Story(START, s=event("order"))
    story.happens("order", "2024-03-02", "o")
    story.takes_back("o", "2024-03-03")
    story.happens("order", "2024-04-03", "o")
    assert story.members == set()


def test_the_second_retraction_of_one_event_changes_nothing() -> None:
    story = Story(START, s=event("order", value=2, op="lt"))
    for id_ in ("o", "p"):
        story.happens("order", "2024-03-02", id_)
    story.takes_back("o", "2024-03-03")
    assert story.members == {"s"}
    story.told()
    story.takes_back("o", "2024-03-04")
    assert story.told() == []


def test_a_segment_that_is_new_never_counts_what_was_taken_back() -> None:
    story = Story(START, other=event("cart"))
    story.happens("order", "2024-03-02", "o")
    story.takes_back("o", "2024-03-03")
    story.define("s", event("order"))
    assert story.members == set()


def test_a_retraction_before_a_new_segment_has_its_history() -> None:
    story = Story(START, other=event("cart"))
    story.happens("order", "2024-03-02", "o")
    story.define("s", event("order"), filled=False)
    story.takes_back("o", "2024-03-03")
    story.fill()
    assert story.members == set()


def test_a_change_of_the_profile_is_not_taken_back() -> None:
    story = Story(START, s={"type": "attribute", "name": "plan", "op": "eq", "value": "pro"})
    story.happens("$profile", "2024-03-02", "c", attributes={"plan": "pro"})
    story.takes_back("c", "2024-03-03")
    assert story.members == {"s"}


def test_only_the_newest_retractions_are_remembered() -> None:
    taken: Taken | None = None
    for number in range(MAX_TAKEN + 1):
        retraction = Event(f"r{number}", "w", "p", RETRACT, 0, {"event_id": f"o{number}"})
        taken = take_back(taken, retraction)
    assert taken is not None
    assert not is_taken(taken, Event("o0", "w", "p", "order", 0))
    assert is_taken(taken, Event("o1", "w", "p", "order", 0))
    assert len(taken.waiting) == MAX_WAITING and taken.waiting[-1] == f"r{MAX_TAKEN}"


@pytest.mark.parametrize("properties", [{}, {"event_id": 7}, {"event_id": None}])
def test_a_retraction_that_names_no_event_is_none(properties: dict[str, Any]) -> None:
    assert take_back(None, Event("r", "w", "p", RETRACT, 0, properties)) is None


def test_transitions_name_a_retraction_that_took_something_back() -> None:
    def retract(id_: str, of: str) -> Event:
        return Event(id_, "w", "p", RETRACT, 0, {"event_id": of})

    events = [
        Event("e1", "w", "p", "a", 0, {}),
        retract("r1", "e1"),
        retract("r2", "e2"),
        Event("e2", "w", "p", "a", 0, {}),
    ]
    past = list(enumerate(events, 1))
    assert cause_of(past, ["r1", "r2"]) == "r1", "e2 never counted"
    assert cause_of(past, ["r2"]) == "r2"
