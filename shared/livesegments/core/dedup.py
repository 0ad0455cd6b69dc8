"""The event ids that a profile has seen: enough of each id to drop repeats, and few bytes, because they are
written with every event.

One entry is the first 8 bytes of BLAKE2b of the id, then the partition's clock at its arrival in 6 bytes
(ms, big-endian), oldest first. They are plain bytes, so that writing them costs only a copy.
"""

from __future__ import annotations

from hashlib import blake2b

_DIGEST = 8
_CLOCK = 6
_ENTRY = _DIGEST + _CLOCK
_hashing = blake2b(digest_size=_DIGEST).copy
"""A new hash; a copy of one takes less time than the making of one."""


def remember(seen: bytes, event_id: str, now_ms: int, window_ms: int, max_ids: int) -> bytes | None:
    """`seen` with the id in it, and without those beyond the limits; None if the id is known.

    An id is known at `now_ms` if it came less than `window_ms` ago and is among the newest `max_ids`.
    """
    hashing = _hashing()
    hashing.update(event_id.encode())
    digest = hashing.digest()
    if seen:
        start = 0
        if now_ms >= window_ms:
            horizon = (now_ms - window_ms).to_bytes(_CLOCK)  # big-endian: compared as numbers are
            while start < len(seen) and seen[start + _DIGEST : start + _ENTRY] <= horizon:
                start += _ENTRY
        at = seen.find(digest, start)
        while at != -1 and at % _ENTRY:
            at = seen.find(digest, at + 1)
        if at != -1:
            return None
        if len(seen) - start >= max_ids * _ENTRY:
            start = len(seen) - (max_ids - 1) * _ENTRY
        if start:
            seen = seen[start:]
    return seen + digest + (now_ms if now_ms > 0 else 0).to_bytes(_CLOCK)


def joined(seen: bytes, other: bytes, now_ms: int, max_ids: int) -> bytes:
    """The ids that two profiles have seen, by the instants of their arrival: the newest `max_ids`.

    `other` is of another partition, whose clock may be ahead of `now_ms`: what came later came now.
    """
    both = seen + other
    entries = [both[start : start + _ENTRY] for start in range(0, len(both), _ENTRY)]
    latest = max(now_ms, 0).to_bytes(_ENTRY - _DIGEST)
    entries = [entry[:_DIGEST] + min(entry[_DIGEST:], latest) for entry in entries]
    entries.sort(key=lambda entry: entry[_DIGEST:])
    return b"".join(entries[-max_ids:])


def knows(seen: bytes, event_id: str, now_ms: int, window_ms: int, max_ids: int) -> bool:
    """Whether the id would be a repeat."""
    return remember(seen, event_id, now_ms, window_ms, max_ids) is None
