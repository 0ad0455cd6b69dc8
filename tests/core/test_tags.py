"""Any tag at all: it is there while one is, whatever its name."""

from __future__ import annotations

from livesegments.core.concern import concern
from tests.core.story import Story
from tests.core.test_buckets import plan_of

ANY = {"type": "tag"}


def test_any_tag_holds_until_the_last_one_goes() -> None:
    story = Story("2024-01-01", tagged=ANY, bare={"type": "not", "of": ANY})
    story.changes("2024-01-01T01:00", attributes={"x": 1})
    assert story.members == {"bare"}
    story.changes("2024-01-01T02:00", tags_add=["vip", "new"])
    story.changes("2024-01-01T03:00", tags_remove=["vip"])
    assert story.members == {"tagged"}
    story.changes("2024-01-01T04:00", tags_add=["old"], tags_remove=["new", "old"])
    assert story.members == {"bare"}
    story.changes("2024-01-01T03:30", tags_add=["late", "old"])
    assert story.members == {"tagged"}


def test_a_profile_with_any_tag_is_found_when_the_segment_is_new() -> None:
    story = Story("2024-01-01")
    story.changes("2024-01-01", tags_add=["vip"])
    story.define("tagged", ANY)
    assert story.members == {"tagged"}
    found = concern(plan_of(old={"type": "tag", "name": "x"}, tagged=ANY), 1)
    assert found is None or found(b"vip")
