"""Histories that are counted anew in pieces, between which live events go."""

from livesegments.core.backfill import Past
from livesegments.core.event import Event
from livesegments.evaluator.history.recounting import EVENTS_AT_ONCE, pieces


def test_a_piece_has_few_events_and_whole_profiles() -> None:
    past: list[Past] = [(1, Event("e", "w", "p", "a", 0, {}))]
    sizes = {"ann": 300, "bob": 600, "cid": 200, "dan": EVENTS_AT_ONCE * 5, "eve": 0, "fay": 1}
    chunk = [(id_, past * size) for id_, size in sizes.items()]
    found = list(pieces(chunk))
    assert [[id_ for id_, _ in piece] for piece in found] == [
        ["ann", "bob"],
        ["cid"],
        ["dan"],
        ["eve", "fay"],
    ]
    assert [each for piece in found for each in piece] == chunk
    assert list(pieces([])) == []
