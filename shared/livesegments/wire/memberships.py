"""The records of topic `memberships`: one transition each, in JSON, with the profile's id as the key."""

from __future__ import annotations

import msgspec

from livesegments.core.event import Transition
from livesegments.wire.unreadable import reading

encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Transition)


def decode(data: bytes | None) -> Transition:
    """`data` is a record's value. Raises Unreadable."""
    with reading("a transition"):
        return _decoder.decode(data or b"")
