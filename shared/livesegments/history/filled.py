"""What a profile's new facts are filled from: the states that are made of its history, and the events."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Raw

from livesegments.core.bulk import Bulk
from livesegments.core.event import RETRACT, Event
from livesegments.core.profile import encoded
from livesegments.history.protocol import NULL, Filled, encode


def fill(profile: str, past: Sequence[tuple[int, Event]], bulk: Bulk | None) -> Filled:
    """`past`: sorted by (time, id)."""
    data = Raw(encode(past))
    if bulk is None or any(event.name == RETRACT for _, event in past):
        return Filled(profile, data, Raw(NULL))
    made = bulk.make([event for commit, event in past if commit <= bulk.upto])
    return Filled(profile, data, Raw(encoded(made.facts)), made.dues, made.holds)
