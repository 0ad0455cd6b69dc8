"""Buckets: a stable random share of profiles, for tests of A against B and for groups that are left out.

Example: with the salt `spring`, the profile `ann` has the number 8,508 of 10,000, and keeps it for ever. So
it is among the 20 of 100 for which `{"type": "bucket", "salt": "spring", "from": 80, "to": 100}` holds.

A profile's state doesn't hold its id, so a program that asks for a bucket is made for an id: `Drawn`.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256

from livesegments.core.definition import Bucket

BUCKETS = 10_000


def number(salt: str, profile_id: str) -> int:
    """From 0 to 9,999: the first 8 bytes of the SHA-256 of salt, NUL and id, big-endian, modulo 10,000."""
    return int.from_bytes(sha256(f"{salt}\0{profile_id}".encode()).digest()[:8]) % BUCKETS


def hundredths(percent: float) -> int:
    """12.34 → 1234. `check` lets no third decimal through."""
    return int(Decimal(repr(percent)) * 100)


def holds(node: Bucket, profile_id: str) -> bool:
    """Whether a profile is in the bucket."""
    return hundredths(node.from_) <= number(node.salt, profile_id) < hundredths(node.to)
