"""Transitions on their way to the broker: counted, looked through and made records without being decoded.

The native kernel does it; where it was not built, they are decoded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from livesegments.core.event import Transition
from livesegments.evaluator.kernel import native
from livesegments.store.told import Told

if native.BUILT:
    from livesegments.evaluator.kernel import _native

_decode = msgspec.msgpack.Decoder(Transition).decode
_encode = msgspec.json.Encoder().encode


def kinds(told: Told) -> Iterable[tuple[str, str, int]]:
    """(kind, cause, how many)."""
    if told.counts is None:
        if native.BUILT:
            told.counts = _native.kinds(told.parts)
        else:
            counts = Counter((each.kind, each.cause) for each in told)
            told.counts = [(kind, cause, count) for (kind, cause), count in counts.items()]
    return told.counts


def mentions(many: Told, few: Told) -> bool:
    """Whether a profile is in both."""
    if native.BUILT:
        return _native.mentions(many.parts, few.parts)
    return not {(each.workspace, each.profile) for each in few}.isdisjoint(
        (each.workspace, each.profile) for each in many
    )


def records(told: Told, most_bytes: int) -> Iterator[tuple[bytes, int]]:
    """Records of topic `memberships` and how many they are, so many bytes at a time at most, but one record
    at least. The key is the profile's id, the value the transition in JSON.

    Only where the native kernel was built.
    """
    announcing = _native.Announcing(told.parts, record_of)
    while (piece := announcing.next(most_bytes))[1]:
        yield piece


def record_of(transition: bytes) -> tuple[bytes, bytes]:
    """One of which the kernel can't make JSON, because numbers with a fraction are in it."""
    decoded = _decode(transition)
    return decoded.profile.encode(), _encode(decoded)
