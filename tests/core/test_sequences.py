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
