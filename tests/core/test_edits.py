"""Definitions that come and go."""

from __future__ import annotations

from tests.core.story import Story, event


def test_a_new_condition_knows_what_happened_before() -> None:
    story = Story("2024-01-01", first=event("a", "30d"))
    story.happens("a", "2024-01-01")
    story.happens("b", "2024-01-01")
    story.told()
    story.define("idle", {"type": "not", "of": event("b", "30d")})
    story.define("fresh", event("b", "30d"))
    assert story.told() == [("fresh", "entered", "2024-01-01")]
    assert story.members == {"first", "fresh"}


def test_a_new_segment_holds_nobody_before_its_history_is_there() -> None:
    story = Story("2024-01-01")
    story.happens("a", "2024-01-01")
    story.define("idle", {"type": "not", "of": event("a", "30d")}, filled=False)
    story.define("refers", {"type": "not", "of": {"type": "segment", "id": "idle"}}, filled=False)
    story.happens("b", "2024-01-02")
    story.clock("2024-01-03")
    assert story.told() == [] and story.members == set()
    story.fill()
    assert story.members == {"refers"}


def test_an_edit_serves_the_old_version_until_the_new_has_its_history() -> None:
    story = Story("2024-01-01", s=event("a", "30d"))
    story.happens("a", "2024-01-01")
    story.clock("2024-01-20")
    story.told()
    story.define("s", event("a", "60d"), filled=False)
    assert story.members == {"s"} and story.told() == []
    story.clock("2024-02-10")
    assert story.told() == [("s", "exited", "2024-01-31")]
    story.fill()
    assert story.told() == [("s", "entered", "2024-02-10")]


def test_an_edit_to_a_longer_window_only_adds() -> None:
    story = Story("2024-01-01", s=event("a", "30d"))
    story.happens("a", "2024-01-01")
    story.clock("2024-01-20")
    story.told()
    story.define("s", event("a", "60d"))
    assert story.told() == [] and story.members == {"s"}
    story.clock("2024-03-02")
    assert story.told() == [("s", "exited", "2024-03-01")]


def test_a_condition_that_was_dropped_and_comes_back_is_whole_again() -> None:
    story = Story("2024-01-01", s=event("a", "30d"))
    story.happens("a", "2024-01-01")
    story.define("s", event("b", "30d"))
    assert story.members == set()
    story.define("s", event("a", "30d"))
    assert story.members == {"s"}


def test_a_deleted_segment_is_served_while_an_old_version_refers_to_it() -> None:
    story = Story("2024-01-01", c=event("c", "90d"), a={"type": "segment", "id": "c"})
    story.happens("c", "2024-01-01")
    story.happens("x", "2024-01-01")
    story.told()
    story.define("a", event("x", "60d"), filled=False)
    story.delete("c")
    assert story.members == {"a", "c"} and story.told() == []
    story.fill()
    assert story.members == {"a"} and story.told() == [("c", "exited", "2024-01-01")]


def test_old_and_new_versions_that_name_each_other_make_no_circle() -> None:
    story = Story("2024-01-01", b=event("b", "30d"), a={"type": "segment", "id": "b"})
    story.happens("x", "2024-01-01")
    story.define("a", event("x", "60d"), filled=False)
    story.define("b", {"type": "segment", "id": "a"}, filled=False)
    assert story.members == set()
    story.fill()
    assert story.members == {"a", "b"}


def test_the_deletion_of_a_segment_is_an_exit_that_others_hear() -> None:
    story = Story("2024-01-01", a=event("a", "30d"), left=event("$segment_exited", "7d"))
    story.happens("a", "2024-01-01")
    story.clock("2024-01-02")
    story.told()
    story.delete("a")
    assert story.told() == [("a", "exited", "2024-01-02"), ("left", "entered", "2024-01-02")]


def test_a_static_segment_that_is_made_anew_begins_empty() -> None:
    story = Story("2024-01-01", vips=None)
    story.changes("2024-01-01", lists_add=["vips"])
    story.told()
    story.delete("vips")
    story.define("vips", None)
    assert (story.members, story.told()) == (set(), [("vips", "exited", "2024-01-01")])
    story.changes("2024-01-02", lists_add=["vips"])
    assert story.members == {"vips"}


def test_it_does_so_for_a_profile_that_slept_meanwhile_and_after_a_dynamic_one_too() -> None:
    story = Story("2024-01-01", vips=None)
    story.changes("2024-01-01", lists_add=["vips"])
    story.told()
    story.delete("vips", lazily=True)
    story.define("vips", event("a"), lazily=True)
    story.delete("vips", lazily=True)
    story.define("vips", None)
    assert (story.members, story.told()) == (set(), [("vips", "exited", "2024-01-01")])


def test_a_member_that_was_put_in_before_the_segment_was_adopted_is_in() -> None:
    story = Story("2024-01-01", vips=None)
    story.changes("2024-01-01", lists_add=["vips", "later"])
    story.changes("2024-01-02", lists_add=["vips"], lists_versions={"vips": 2})
    story.changes("2024-01-03", lists_remove=["vips"])
    story.delete("vips")
    story.define("vips", None)
    story.define("later", None)
    assert story.members == {"vips", "later"}


def test_what_waits_for_the_next_version_is_not_lost_to_a_change_of_the_last_one() -> None:
    story = Story("2024-01-01", vips=None)
    story.changes("2024-01-01", lists_add=["other"])
    story.delete("vips")
    story.changes("2024-01-02", lists_add=["vips"])
    story.changes("2024-01-03", lists_remove=["vips"], lists_versions={"vips": 1})
    story.define("vips", None)
    assert story.members == {"vips"}
