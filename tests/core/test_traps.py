"""Traps that other systems fell into, as far as they concern the core."""

from __future__ import annotations

from tests.core.story import Story


def test_two_windows_do_not_collide_under_one_state_key() -> None:
    def within(last: str) -> dict[str, object]:
        return {"type": "event", "name": "order", "window": {"last": last}}

    story = Story("2024-01-01", day=within("1d"), week=within("1w"), seven=within("7d"), month=within("1mo"))
    story.happens("order", "2024-01-01")
    story.clock("2024-03-01")
    assert sorted(story.told()[4:]) == [
        ("day", "exited", "2024-01-02"),
        ("month", "exited", "2024-02-01"),
        ("seven", "exited", "2024-01-08"),
        ("week", "exited", "2024-01-08"),
    ]


def test_an_edit_recalculates_with_its_time_window() -> None:
    order = {"type": "event", "name": "order", "window": {"last": "7d"}}
    story = Story("2024-01-01", buyers=order)
    story.happens("order", "2024-01-01")
    story.clock("2024-01-09")
    story.define("buyers", {"type": "any", "of": [order, {"type": "tag", "name": "vip"}]})
    assert story.members == set()


def test_an_event_that_fails_its_filter_does_not_remove_a_member() -> None:
    big = {"type": "event", "name": "order", "where": [{"property": "total", "op": "gte", "value": 100}]}
    story = Story("2024-01-01", big=big)
    story.happens("order", "2024-01-01", total=150)
    story.happens("order", "2024-01-02", total=5)
    assert story.members == {"big"}
    assert len(story.told()) == 1


def test_an_edit_does_not_flap() -> None:
    order = {"type": "event", "name": "order", "window": {"last": "30d"}}
    story = Story("2024-01-01", buyers=order)
    story.happens("order", "2024-01-01")
    story.told()
    story.define("buyers", {"type": "any", "of": [order, {"type": "tag", "name": "vip"}]})
    assert story.told() == [] and story.members == {"buyers"}
