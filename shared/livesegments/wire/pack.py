"""The records of topic `events`: many events of one partition, or a control record, in msgpack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct

from livesegments.core.event import Event

MAX_EVENTS = 500
MAX_BYTES = 256 * 1024
MAX_WAIT_MS = 5


class Packed(Struct, frozen=True, array_like=True, tag="e"):
    events: Sequence[Event]


class Clock(Struct, frozen=True, array_like=True, tag="c"):
    """Moves a partition's clock on to `to_ms` (mode `log`)."""

    to_ms: int


Record: TypeAlias = Packed | Clock

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Packed | Clock)


def encode(record: Record) -> bytes:
    return _encoder.encode(record)


def decode(data: bytes) -> Record:
    """Raises msgspec.DecodeError (somebody else's: only ingest and the api write this topic)."""
    return _decoder.decode(data)
