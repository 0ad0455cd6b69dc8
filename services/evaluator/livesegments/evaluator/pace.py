"""How a storm of due times goes on beside live events. All owners of a worker share one pace.

200,000 profiles may come due at one instant. An event waits for its own profile's due times and for no
others, so a storm is only other work that keeps the worker, the store and the broker busy. It is fired in
chunks, one partition at a time, and the event loop does its other work between two chunks. A chunk is small
while events come, so that an event waits for a short one at most; it is large while no events come, which
costs less in all.

Three things hold a chunk back. Two chunks that the store has not applied: then a third would only wait there,
before the events. Records that wait anywhere in the worker, or were read from the broker and are on their way
to a partition: then the storm rests as long as its last chunk took, at most `REST_S`, so that neither the
events nor the storm have less than half of the worker. And a partition whose transitions wait for the broker,
which is its owner's to see.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

CALM_S = 0.1
"""Events are taken to come until none has come for this time."""
REST_S = 0.004
"""A storm rests at most this long for records that wait."""
UNDER_WAY = 2
"""At most this many chunks may be under way to the store."""


class Pace:
    """`large` is how many dues are fired in one chunk while no events come, `small` how many while they
    do."""

    def __init__(self, large: int, small: int) -> None:
        self._large = large
        self._small = small
        self._loop = asyncio.get_running_loop()
        self._heard_s = -CALM_S
        self._taken_s = 0.0
        self._free_s = 0.0
        self._taken = False
        self._under_way = 0
        self._records = 0
        self._coming = False
        self._alarm: asyncio.TimerHandle | None = None
        self._owners: dict[Callable[[], None], None] = {}

    def coming(self) -> None:
        """Records were read from the broker, and are on their way to their partitions."""
        self._coming = True
        self._heard_s = self._loop.time()

    def came(self, records: int = 1) -> None:
        """`records` more wait now, in any partition."""
        self._coming = False
        self._records += records
        self._heard_s = self._loop.time()

    def went(self, records: int = 1) -> None:
        """`records` of them wait no longer."""
        self._records -= records
        if not self._records:
            self._next()

    @property
    def chunk(self) -> int:
        """How many dues may fire in one chunk now."""
        return self._large if self._loop.time() - self._heard_s >= CALM_S else self._small

    def take(self, wake: Callable[[], None]) -> bool:
        """The turn to fire a chunk; False if others go first: `wake` is called when it may be free."""
        if self._taken or self._under_way >= UNDER_WAY or self._rests():
            self._owners[wake] = None
            return False
        self._owners.pop(wake, None)
        self._taken = True
        self._taken_s = self._loop.time()
        return True

    def give(self, reply: asyncio.Future[bool] | None = None) -> None:
        """The end of a turn, with the store's reply to come."""
        self._taken = False
        now_s = self._loop.time()
        self._free_s = now_s + min(now_s - self._taken_s, REST_S)
        if reply is not None:
            self._under_way += 1
            reply.add_done_callback(self._landed)
        self._next()

    def _landed(self, _: asyncio.Future[bool]) -> None:
        self._under_way -= 1
        self._next()

    def _rests(self) -> bool:
        """Whether records that wait go first; whoever asked is woken when that has lasted long enough."""
        if not (self._records or self._coming) or self._loop.time() >= self._free_s:
            return False
        if self._alarm is None:
            self._alarm = self._loop.call_at(self._free_s, self._rested)
        return True

    def _rested(self) -> None:
        self._alarm = None
        self._next()

    def _next(self) -> None:
        if self._taken or self._under_way >= UNDER_WAY:
            return
        for wake in self._owners:
            del self._owners[wake]
            wake()
            return
