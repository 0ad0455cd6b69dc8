"""Weeks that begin on Sunday: by their own words, and where a workspace says so."""

from __future__ import annotations

from typing import Any

import msgspec

from livesegments.core.check import check
from tests.core.story import Story
from tests.core.test_fact import key

Json = dict[str, Any]


def visits(period: str, of: str = "count") -> Json:
    measure = {} if of == "count" else {"measure": {"of": of}, "value": 2}
    return {"type": "event", "name": "visit", "window": {"period": period}, **measure}


def test_a_week_begins_with_sundays_first_midnight() -> None:
    story = Story("2024-03-01", zone="Europe/Berlin", sunday=visits("sunday_week"), monday=visits("week"))
    story.happens("visit", "2024-03-30T22:59:59")  # 23:59:59 of Saturday the 30th
    story.clock("2024-04-01")
    assert story.told() == [
        ("sunday", "entered", "2024-03-30T22:59:59"),
        ("monday", "entered", "2024-03-30T22:59:59"),
        ("sunday", "exited", "2024-03-30T23:00"),
        ("monday", "exited", "2024-03-31T22:00"),
    ]


def test_a_saturday_and_a_sunday_lie_in_two_weeks() -> None:
    story = Story("2024-03-01", two=visits("month", "sunday_weeks"), one=visits("month", "weeks"))
    story.happens("visit", "2024-03-09T12:00")
    story.happens("visit", "2024-03-10T12:00")
    assert story.members == {"two"}
    assert key(visits("week")) != key(visits("sunday_week"))


def test_a_workspace_whose_weeks_begin_on_sunday_may_say_week() -> None:
    renewal = {
        "type": "attribute",
        "name": "renewal",
        "op": "in_period",
        "value": {"period": "week", "to": 1},
    }
    period = {"type": "attribute", "name": "period", "op": "eq", "value": "week"}
    document = {"type": "all", "of": [visits("week", "weeks"), renewal, period]}
    sundays = msgspec.json.decode(msgspec.json.encode(check(document, week_start="sunday")[0]))
    assert sundays["of"][0] == visits("sunday_week", "sunday_weeks")
    assert sundays["of"][1]["value"] == {"period": "sunday_week", "to": 1}
    assert sundays["of"][2] == period
    again, _ = check(sundays, week_start="sunday")
    assert msgspec.json.decode(msgspec.json.encode(again)) == sundays
    assert msgspec.json.decode(msgspec.json.encode(check(document)[0])) == document
