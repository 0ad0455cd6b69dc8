"""Instants, windows and durations, worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from livesegments.core.oracle.calendar import Calendar
from livesegments.core.window import DAY_MS, QUARTER_MS, local_day, parse_duration, plus
from tests.core.story import Story, attribute, event
from tests.effort import effort


def test_months_are_not_monotone() -> None:
    """30 January 11:00 falls out after 31 January 10:00: both are clipped to 28 February."""
    story = Story("2023-01-30", twice=event("a", "1mo", value=2), once=event("a", "1mo"))
    story.happens("a", "2023-01-30T11:00")
    story.happens("a", "2023-01-31T10:00")
    assert story.valid_until("twice") == "2023-02-28T10:00"
    assert story.valid_until("once") == "2023-02-28T11:00"


def test_a_local_time_that_is_skipped_is_read_with_the_offset_before_it() -> None:
    """29 February 02:30 in Berlin and a month is 29 March; 31 January and two are 31 March 02:30, a gap."""
    story = Story("2024-01-31", zone="Europe/Berlin", here=event("a", "2mo"))
    story.happens("a", "2024-01-31T01:30")  # 02:30 in Berlin
    assert story.valid_until("here") == "2024-03-31T01:30"  # 02:30+01:00, on the clock 03:30


def test_a_local_time_that_comes_twice_is_the_earlier() -> None:
    story = Story("2024-09-27", zone="Europe/Berlin", here=event("a", "1mo"))
    story.happens("a", "2024-09-27T00:30")  # 02:30 in Berlin, as on 27 October, twice
    assert story.valid_until("here") == "2024-10-27T00:30"  # 02:30+02:00


def test_a_skip_delays_and_the_last_ends() -> None:
    between = event("a") | {"window": {"last": "7d", "skip": "1d"}}
    story = Story("2024-01-01", between=between)
    story.happens("a", "2024-01-01")
    story.clock("2024-02-01")
    assert story.told() == [("between", "entered", "2024-01-02"), ("between", "exited", "2024-01-08")]


def test_a_calendar_window_moves_with_its_period() -> None:
    """In Berlin: yesterday, last week and this quarter, over the night of a clock change."""
    windows: dict[str, Any] = {
        "yesterday": {"period": "day", "from": -1, "to": -1},
        "last_week": {"period": "week", "from": -1, "to": -1},
        "quarter": {"period": "quarter"},
    }
    story = Story(
        "2024-03-01",
        zone="Europe/Berlin",
        **{name: event("a") | {"window": w} for name, w in windows.items()},
    )
    story.happens("a", "2024-03-30T22:59:59")  # 23:59:59 of Saturday the 30th
    story.clock("2024-05-01")
    assert sorted(story.told(), key=lambda each: each[2]) == [
        ("quarter", "entered", "2024-03-30T22:59:59"),
        ("yesterday", "entered", "2024-03-30T23:00"),
        ("yesterday", "exited", "2024-03-31T22:00"),
        ("last_week", "entered", "2024-03-31T22:00"),
        ("quarter", "exited", "2024-03-31T22:00"),
        ("last_week", "exited", "2024-04-07T22:00"),
    ]


def test_ages_and_anniversaries_by_whole_days() -> None:
    story = Story(
        "2024-01-01",
        adult=attribute("born", "older_than", "18y"),
        minor=attribute("born", "younger_than", "18y"),
        today=attribute("born", "anniversary", {}),
        after=attribute("born", "anniversary", {"from": -3, "to": -3}),
        month=attribute("born", "anniversary_in_month", {}),
    )
    story.changes("2024-01-01", attributes={"born": "2006-05-01"})
    story.clock("2024-07-01")
    assert sorted(story.told(), key=lambda each: (each[2], each[0])) == [
        ("minor", "entered", "2024-01-01"),
        ("adult", "entered", "2024-05-01"),
        ("minor", "exited", "2024-05-01"),
        ("month", "entered", "2024-05-01"),
        ("today", "entered", "2024-05-01"),
        ("today", "exited", "2024-05-02"),
        ("after", "entered", "2024-05-04"),
        ("after", "exited", "2024-05-05"),
        ("month", "exited", "2024-06-01"),
    ]


def test_in_a_filter_the_time_of_the_event_is_now() -> None:
    soon = event("booked", where=[{"property": "departure", "op": "in_next", "value": "7d"}])
    story = Story("2024-01-01", soon=soon)
    story.happens("booked", "2024-01-01", departure="2024-01-09")
    assert story.members == set()
    story.happens("booked", "2024-01-02", departure="2024-01-09")
    assert story.members == {"soon"}


def test_a_birthday_on_29_february_is_on_the_28th_in_other_years() -> None:
    story = Story("2024-12-01", zone="America/New_York", soon=attribute("born", "anniversary_in_next", "2d"))
    story.changes("2024-12-01", attributes={"born": "2000-02-29"})
    story.clock("2025-06-01")
    assert story.told() == [
        ("soon", "entered", "2025-02-26T05:00"),
        ("soon", "exited", "2025-03-01T05:00"),
    ]


def test_dates_at_the_ends_of_the_calendar_do_no_harm() -> None:
    """Such stamps stand for "never" and "always" in many systems."""
    for zone in ("Australia/Lord_Howe", "America/New_York"):
        story = Story(
            "2024-01-01",
            zone=zone,
            soon=attribute("until", "in_next", "1mo"),
            past=attribute("until", "in_last", "1mo"),
            party=attribute("until", "anniversary_in_next", "1mo"),
        )
        story.changes("2024-01-01", attributes={"until": "9999-12-31T23:59:59Z"})
        story.changes("2024-01-02", attributes={"until": "0001-01-01"})
        assert story.members <= {"party"}


def test_a_sequence_without_a_window_in_a_zone_east_of_greenwich() -> None:
    follows = {"type": "sequence", "steps": [{"name": "a"}, {"name": "b"}], "within": "1mo"}
    story = Story("2024-01-01", zone="Australia/Lord_Howe", follows=follows)
    story.happens("a", "2024-01-01")
    story.happens("b", "2024-01-02")
    assert story.members == {"follows"}


def test_skipped_months_clip_too_and_what_leaves_before_it_enters_never_counts() -> None:
    def window(last: str, skip: str) -> dict[str, Any]:
        return event("a") | {"window": {"last": last, "skip": skip}}

    story = Story("2023-01-31", second=window("2mo", "1mo"), never=window("1mo", "29d"))
    story.happens("a", "2023-01-31T12:00")
    story.clock("2023-06-01")
    assert story.told() == [
        ("second", "entered", "2023-02-28T12:00"),
        ("second", "exited", "2023-03-31T12:00"),
    ]


def test_from_an_hour_that_comes_twice_both_lead_on() -> None:
    """02:30 in Berlin on 27 October, first and second: a month later both are 02:30 of 27 November."""
    story = Story(
        "2024-10-27", zone="Europe/Berlin", here=event("a", "1mo"), twice=event("a", "1mo", value=2)
    )
    story.happens("a", "2024-10-27T00:30")
    story.happens("a", "2024-10-27T01:30")
    assert story.valid_until("twice") == story.valid_until("here") == "2024-11-27T01:30"


def test_an_absolute_window_may_lack_either_end() -> None:
    story = Story(
        "2024-01-01",
        zone="Asia/Kolkata",
        since=event("a", window={"from": "2024-01-02"}),
        until=event("a", window={"to": "2024-01-02"}),
    )
    story.happens("a", "2024-01-01T18:29:59.999")
    assert story.members == {"until"}
    story.happens("a", "2024-01-01T18:30")
    assert story.members == {"until", "since"}
    assert story.valid_until("since") is None


def test_an_anniversary_comes_again_and_not_in_the_year_of_the_date() -> None:
    story = Story("2024-12-30", zone="Asia/Kolkata", soon=attribute("x", "anniversary_in_next", "1d"))
    story.changes("2024-12-30", attributes={"x": "2024-12-31T20:00Z"})  # 1 January 2025 there
    story.clock("2027-01-02")
    assert story.told() == [
        ("soon", "entered", "2025-12-30T18:30"),
        ("soon", "exited", "2026-01-01T18:30"),
        ("soon", "entered", "2026-12-30T18:30"),
        ("soon", "exited", "2027-01-01T18:30"),
    ]


def test_a_birthday_on_29_february_is_on_the_29th_in_leap_years() -> None:
    story = Story("2027-12-01", soon=attribute("born", "anniversary_in_next", "1d"))
    story.changes("2027-12-01", attributes={"born": "2000-02-29"})
    story.clock("2028-06-01")
    assert story.told() == [("soon", "entered", "2028-02-28"), ("soon", "exited", "2028-03-01")]


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [("Africa/Monrovia", "1971-05-02T00:44:30"), ("Pacific/Kiritimati", "1975-05-02T10:40")],
)
def test_days_begin_where_a_zone_says_also_between_quarter_hours(zone: str, midnight: str) -> None:
    days = event("a", measure={"of": "days"}, op="eq", value=2)
    before = (datetime.fromisoformat(midnight) - timedelta(milliseconds=1)).isoformat()
    story = Story("1970-01-02", zone=zone, two=days)
    story.happens("a", before)
    story.happens("a", midnight)
    assert story.members == {"two"}
    quarter = datetime.fromisoformat(midnight).replace(tzinfo=UTC).timestamp() // 900 * 900_000
    same = Story("1970-01-02", zone=zone, one=event("a", measure={"of": "days"}, op="eq", value=1))
    same.happens("a", midnight)
    same.happens("a", datetime.fromtimestamp(quarter / 1_000 + 899, UTC).isoformat())
    assert same.members == {"one"}


@pytest.mark.parametrize(
    "zone", ["Africa/Monrovia", "Pacific/Kiritimati", "Pacific/Enderbury", "Asia/Kathmandu", "Europe/Dublin"]
)
def test_days_and_months_are_the_calendars_whatever_the_offset(zone: str) -> None:
    random, region, calendar = Random(7), ZoneInfo(zone), Calendar(zone)
    add = plus(parse_duration("1mo"), region)
    for _ in range(effort(200, 1_500)):
        instant = random.randrange(DAY_MS, 20 * 366 * DAY_MS)
        for t_ms in (instant, instant // QUARTER_MS * QUARTER_MS, instant // 60_000 * 60_000):
            assert local_day(t_ms, region) == calendar.day(t_ms).toordinal()
            assert add(t_ms) == calendar.add(t_ms, "1mo")
