"""Events of several names, counted together."""

from __future__ import annotations

from typing import Any

from livesegments.core.feed import NameFeeds
from tests.core.story import Story
from tests.core.test_buckets import plan_of
from tests.core.test_fact import key

ENGAGED: dict[str, Any] = {
    "type": "event",
    "names": ["opened", "clicked"],
    "window": {"last": "7d"},
    "value": 3,
}


def test_names_in_any_order_share_a_fact_and_one_name_is_as_ever() -> None:
    assert key(ENGAGED) == key(ENGAGED | {"names": ["clicked", "opened"]})
    one = {name: part for name, part in ENGAGED.items() if name != "names"}
    assert key(ENGAGED | {"names": ["opened", "opened"]}) == key(one | {"name": "opened"}) != key(ENGAGED)


def test_events_of_all_names_count_together_and_leave_one_by_one() -> None:
    story = Story("2024-01-01", s=ENGAGED)
    for day, name in enumerate(("opened", "clicked", "visited", "opened"), 1):
        story.happens(name, f"2024-01-0{day}")
    assert story.members == {"s"} and story.valid_until("s") == "2024-01-08"
    story.clock("2024-01-08")
    assert not story.members
    story.happens("clicked", "2024-01-05")
    assert story.members == {"s"}


def test_a_sequence_is_ended_by_any_of_several_names() -> None:
    away = {"names": ["ordered", "called"], "absent": True}
    story = Story("2024-01-01", s={"type": "sequence", "steps": [{"name": "cart"}, away], "within": "1h"})
    story.happens("cart", "2024-01-01T10:00")
    story.clock("2024-01-01T11:00")
    assert story.members == {"s"}
    story.happens("called", "2024-01-01T10:30")
    assert not story.members


def test_only_events_of_these_names_lead_to_the_fact() -> None:
    plan = plan_of(s=ENGAGED, t={"type": "event", "name": "opened"})
    assert {name: len(feeds) for name, feeds in plan.feeds.items()} == {"opened": 2, "clicked": 1}
    assert all(isinstance(feeds, NameFeeds) for feeds in plan.feeds.values())
