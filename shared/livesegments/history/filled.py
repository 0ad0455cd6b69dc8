"""What a profile's new facts are filled from: the states that are made of its history, and the events."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from livesegments.core.bulk import Bulk, Made
from livesegments.core.event import Event
from livesegments.core.profile import encoded
from livesegments.history.protocol import NULL, Filled, Stretch, encode

_json = msgspec.json.Encoder()


def fill(profile: str, past: Sequence[tuple[int, Event]], bulk: Bulk | None, took_back: bool) -> Filled:
    """Of one profile; `past`: sorted by (time, id). `took_back`: whether a `$retract` is among them."""
    if bulk is None or took_back:
        return filled(profile, stretch(past), None)
    try:
        made = bulk.make(bulk.fed([event for commit, event in past if commit <= bulk.upto]))
    except Exception:  # a fault of ours: the partition, which takes the events, sets aside what meets it
        made = None
    return filled(profile, stretch(past), made)


def filled(profile: str, past: Stretch, made: Made | None) -> Filled:
    """None: the partition takes the events."""
    if made is None:
        return Filled(profile, Raw(encode(past)), NULL)
    return Filled(profile, Raw(encode(past)), Raw(encoded(made.facts)), made.dues, made.holds)


def stretch(past: Sequence[tuple[int, Event]]) -> Stretch:
    return (
        [commit for commit, _ in past],
        [event.name for _, event in past],
        [event.time_ms for _, event in past],
        [event.id for _, event in past],
        [_json.encode(event.properties).decode() for _, event in past],
    )
