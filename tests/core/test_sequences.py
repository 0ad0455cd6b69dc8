"""Sequences, worked out by hand."""

from __future__ import annotations

from tests.core.story import Story


def test_a_sequence_orders_equal_stamps_by_id_and_minds_the_last_instant() -> None:
    follows = {"type": "sequence", "steps": [{"name": "a"}, {"name": "b"}], "within": "1h"}
    story = Story("2024-01-01", follows=follows)
    story.happens("b", "2024-01-01", id="1")
    story.happens("a", "2024-01-01", id="2")
    assert story.members == set()
    story.happens("b", "2024-01-01T01:00:00.001", id="3")
    assert story.members == set()
    story.happens("b", "2024-01-01T01:00", id="0")
    assert story.members == {"follows"}


def test_an_absent_step_looks_at_any_chain_before_it() -> None:
    """a, b, then no c within a day of a: the b after the c makes a chain that the c doesn't end."""
    steps = [{"name": "a"}, {"name": "b"}, {"name": "c", "absent": True}]
    story = Story("2024-01-01", left={"type": "sequence", "steps": steps, "within": "1d"})
    story.happens("a", "2024-01-01T01:00")
    story.happens("b", "2024-01-01T02:00")
    story.happens("c", "2024-01-01T03:00")
    assert story.valid_until("left") is None
    story.happens("b", "2024-01-01T04:00")
    assert story.valid_until("left") == "2024-01-02T01:00"


def test_any_of_several_middle_events_may_be_the_last_before_what_stays_away() -> None:
    """a, b, c, then no d within a day of a; the second c, after the d, makes a chain that no d ends."""
    steps = [{"name": "a"}, {"name": "b"}, {"name": "c"}, {"name": "d", "absent": True}]
    story = Story("2024-01-01", left={"type": "sequence", "steps": steps, "within": "1d"})
    for name, at in (("a", "01"), ("c", "02"), ("b", "03"), ("b", "04"), ("c", "05"), ("d", "06")):
        story.happens(name, f"2024-01-01T{at}:00")
    assert story.valid_until("left") is None
    story.happens("c", "2024-01-02T01:00", id="z")  # a day after a, to the millisecond
    assert story.members == {"left"}
    story.happens("d", "2024-01-02T01:00", id="y")  # at the same time, but before it by id
    assert story.members == {"left"}
    story.happens("d", "2024-01-02T01:00", id="zz")
    assert story.members == set()


def test_one_event_is_one_step() -> None:
    twice = {"type": "sequence", "steps": [{"name": "a"}, {"name": "a"}], "within": "1h"}
    once = {"type": "sequence", "steps": [{"name": "a"}, {"name": "a", "absent": True}], "within": "1h"}
    story = Story("2024-01-01", twice=twice, once=once)
    story.happens("a", "2024-01-01", id="1")
    assert story.members == set()
    story.happens("a", "2024-01-01", id="2")
    assert story.members == {"twice"}
    story.clock("2024-01-01T01:00")
    assert story.members == {"twice", "once"}  # nothing came after the second


def test_the_first_event_lies_in_the_window_and_late_ones_take_their_place() -> None:
    follows = {
        "type": "sequence",
        "steps": [{"name": "a"}, {"name": "b"}],
        "within": "30d",
        "window": {"last": "7d"},
    }
    story = Story("2024-01-01", follows=follows)
    story.happens("a", "2024-01-01")
    story.happens("b", "2024-01-08")  # the a has just left
    assert story.members == set()
    story.happens("a", "2024-01-07")
    assert story.valid_until("follows") == "2024-01-14"
    story.happens("a", "2024-01-05")
    assert story.valid_until("follows") == "2024-01-14"


def test_a_later_step_is_kept_as_long_as_an_earlier_event_is_in_the_window() -> None:
    """31 January leaves a month's window before 30 January does: both are clipped to 28 February."""
    steps = [{"name": "a"}, {"name": "b", "absent": True}]
    story = Story(
        "2023-01-30", left={"type": "sequence", "steps": steps, "within": "2d", "window": {"last": "1mo"}}
    )
    story.happens("a", "2023-01-30T11:00")
    story.happens("b", "2023-01-31T10:00")
    story.happens("b", "2023-02-28T10:30")
    assert story.members == set()
