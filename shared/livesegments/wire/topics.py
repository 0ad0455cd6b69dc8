"""The Kafka topics, each named once, and the one function that gives a profile its partition."""

from __future__ import annotations

from zlib import crc32

from livesegments.wire.profilekey import profile_key

INBOUND = "inbound"
"""Where upstream systems publish: plain JSON or CloudEvents, any key, any partition."""
INBOUND_GROUP = "livesegments-ingest"
"""The consumer group under which ingest commits its offsets of `inbound`."""
EVENTS = "events"
"""Packed records, by profile; read by evaluators only."""
EVENTS_GROUP = "livesegments-evaluator"
"""The consumer group of the evaluators: its members have the partitions of `events`."""
REJECTED = "rejected"
"""Events that were not accepted: reason, raw bytes, source."""
MEMBERSHIPS = "memberships"
"""One JSON record a transition, keyed by profile; the same partition number as in `events`."""
NOTIFY_GROUP = "livesegments-notify"
"""The consumer group of the notify service: its members have the partitions of `memberships`."""
DEFINITIONS = "definitions"
"""Compacted, one partition: workspaces, keys and segments. Its offsets are catalogue revisions."""

IDENTITIES = "identities"
"""Compacted, one partition: which profile was merged into which."""


def partition_of(workspace: str, profile: str, partitions: int) -> int:
    """The partition of a profile, the same everywhere: CRC-32 of `workspace NUL profile` in UTF-8."""
    return crc32(profile_key(workspace, profile).encode()) % partitions
