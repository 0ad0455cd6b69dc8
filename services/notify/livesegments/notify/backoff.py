"""When a message is tried again: the schedule of the Standard Webhooks specification.

At once, then 5 seconds after the first failure, 5 minutes after the second, and so on; after the tenth the
message is a dead letter. Every pause is up to a tenth longer, by the message's own id, so that
messages which failed together don't all come again together.
"""

from __future__ import annotations

from zlib import crc32

SCHEDULE_S = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
LONGEST_ASKED_S = 86_400
"""A receiver's `Retry-After` counts up to this."""


def pause_ms(id_: str, failures: int, asked_s: float = 0.0) -> int | None:
    """After so many failures, at least one; None: there is no further attempt."""
    if failures >= len(SCHEDULE_S):
        return None
    planned = SCHEDULE_S[failures] * 1_000
    longer = planned * (crc32(f"{id_}/{failures}".encode()) % 1_000) // 10_000
    return max(planned + longer, round(min(asked_s, LONGEST_ASKED_S) * 1_000))
