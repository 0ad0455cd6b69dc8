"""What a profile's new facts are filled from: the states that are made of its history, and the events."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Raw

from livesegments.core.bulk import Bulk
from livesegments.core.event import Event
from livesegments.core.profile import encoded
from livesegments.history.protocol import NULL, Filled, encode


def fill(profile: str, past: Sequence[tuple[int, Event]], bulk: Bulk | None, took_back: bool) -> Filled:
    """`past`: sorted by (time, id). `took_back`: whether a `$retract` is among them."""
    data = Raw(encode(past))
    if bulk is None or took_back:
        return Filled(profile, data, Raw(NULL))
    upto = bulk.upto
    try:
        made = bulk.make([event for commit, event in past if commit <= upto])
    except Exception:  # a fault of ours: the partition, which takes the events, sets aside what meets it
        return Filled(profile, data, Raw(NULL))
    return Filled(profile, data, Raw(encoded(made.facts)), made.dues, made.holds)
