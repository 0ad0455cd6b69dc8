"""Definitions that come and go."""

from __future__ import annotations

from tests.core.story import Story, event


def test_a_new_condition_counts_from_its_creation_and_shares_what_is_kept() -> None:
    story = Story("2024-01-01", first=event("a", "30d"))
    story.happens("a", "2024-01-01")
    story.happens("b", "2024-01-01")
    story.define("shares", event("a", "30d"))
    story.define("fresh", event("b", "30d"))
    assert story.members == {"first", "shares"}
    story.happens("b", "2024-01-02")
    assert story.members == {"first", "shares", "fresh"}


def test_a_condition_that_was_dropped_and_comes_back_begins_afresh() -> None:
    story = Story("2024-01-01", s=event("a", "30d"))
    story.happens("a", "2024-01-01")
    story.define("s", event("b", "30d"))
    story.define("s", event("a", "30d"))
    assert story.members == set()


def test_a_condition_that_was_dropped_while_a_profile_slept_begins_afresh_for_it_too() -> None:
    story = Story("2024-01-01", s=event("a", "30d"))
    story.happens("a", "2024-01-01")
    story.define("s", event("b", "30d"), lazily=True)
    story.define("s", event("a", "30d"))
    assert story.members == set()


def test_the_deletion_of_a_segment_is_an_exit_that_others_hear() -> None:
    story = Story("2024-01-01", a=event("a", "30d"), left=event("$segment_exited", "7d"))
    story.happens("a", "2024-01-01")
    story.clock("2024-01-02")
    story.told()
    story.delete("a")
    assert story.told() == [("a", "exited", "2024-01-02"), ("left", "entered", "2024-01-02")]
