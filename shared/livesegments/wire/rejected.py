"""The records of topic `rejected`: events that were not accepted, with the reason and the raw bytes.
Nothing is lost.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from livesegments.core.event import Event
from livesegments.core.fault import Fault
from livesegments.wire import pack
from livesegments.wire.unreadable import Unreadable, reading

INTERNAL_FAULT = "internal_fault"
"""The code of an event that was accepted, and that a fault of ours kept from being applied.

The raw bytes of its record are a packed record (`wire.pack`) with that one event."""
PROFILE_FULL = "profile_full"
"""The code of an event that was accepted, and would have brought its profile beyond a bound (`core.bounds`).

Its raw bytes are such a packed record, too."""
TOO_MANY_PROFILES = "too_many_profiles"
"""The code of an event of a new profile, in a workspace that has its quota of profiles.

Its raw bytes are such a packed record, too."""
ACCEPTED = frozenset({INTERNAL_FAULT, PROFILE_FULL, TOO_MANY_PROFILES})
"""The codes of those whose raw bytes are a packed record."""
MAX_RAW_BYTES = 512 * 1024
"""Longer raw bytes are cut here, and the record says so; the broker takes 1 MiB a record."""


class Rejected(Struct, frozen=True):
    """`raw` are the bytes that came; `source` says from where; `index` is the place in a batch.

    `partial`: the rest of the item was accepted, and `raw` is the item with nothing but its odd parts.
    """

    workspace: str | None
    source: str
    received_ms: int
    faults: Sequence[Fault]
    raw: bytes
    index: int = 0
    partial: bool = False


class Record(Struct, frozen=True):
    """One JSON record of topic `rejected`; `raw` is base64 and was `raw_bytes` long."""

    reason: str
    faults: Sequence[Fault]
    source: str
    workspace: str | None
    received_ms: int
    raw: str
    raw_bytes: int
    truncated: bool
    partial: bool = False


_decoder = msgspec.json.Decoder(Record)


def encode(rejected: Rejected) -> bytes:
    raw = rejected.raw[:MAX_RAW_BYTES]
    record = Record(
        reason=reason(rejected.faults),
        faults=rejected.faults,
        source=rejected.source,
        workspace=rejected.workspace,
        received_ms=rejected.received_ms,
        raw=b64encode(raw).decode(),
        raw_bytes=len(rejected.raw),
        truncated=len(raw) < len(rejected.raw),
        partial=rejected.partial,
    )
    return msgspec.json.encode(record)


def decode(data: bytes | None) -> Record:
    """`data` is a record's value. Raises Unreadable."""
    with reading("a record of what was rejected"):
        return _decoder.decode(data or b"")


def event_of(record: Record) -> Event | None:
    """The one event of a packed record; None where the raw bytes are something else."""
    if not any(fault.code in ACCEPTED for fault in record.faults):
        return None
    try:
        packed = pack.decode(b64decode(record.raw))
    except (Unreadable, ValueError):
        return None
    return packed.events[0] if isinstance(packed, pack.Packed) and len(packed.events) == 1 else None


def reason(faults: Sequence[Fault]) -> str:
    """All faults as one line for people."""
    return "; ".join(f"{fault.pointer} {fault.message}".strip() for fault in faults)
