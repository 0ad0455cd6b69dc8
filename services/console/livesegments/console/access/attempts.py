"""How often somebody may try to sign in in vain. Example: ten wrong keys from one address within a minute;
the next try is answered 429 until the first of them is a minute old.

Keys are too long to be guessed; the bound keeps a machine that tries all the same from asking the api at
its pace.
"""

from __future__ import annotations

from collections import OrderedDict, deque

from livesegments.runtime.clock import Clock

MOST_FAILED = 10
WITHIN_MS = 60_000
ADDRESSES = 10_000


class Attempts:
    """Failed attempts by address. At most `ADDRESSES` addresses are remembered, those that failed last."""

    def __init__(self, now_ms: Clock) -> None:
        self._now_ms = now_ms
        self._failed: OrderedDict[str, deque[int]] = OrderedDict()

    def wait_s(self, address: str) -> int:
        """Seconds until this address may try; 0: now."""
        failed = self._failed.get(address)
        if failed is None or len(failed) < MOST_FAILED:
            return 0
        left_ms = failed[0] + WITHIN_MS - self._now_ms()
        return -(-left_ms // 1_000) if left_ms > 0 else 0

    def failed(self, address: str) -> None:
        self._failed.setdefault(address, deque(maxlen=MOST_FAILED)).append(self._now_ms())
        self._failed.move_to_end(address)
        while len(self._failed) > ADDRESSES:
            self._failed.popitem(last=False)

    def succeeded(self, address: str) -> None:
        self._failed.pop(address, None)
