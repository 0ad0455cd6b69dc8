"""How a storm of due times goes on beside live events. All owners of a worker share one pace.

200,000 profiles may come due at one instant. An event waits for its own profile's due times and for no
others, so a storm is only other work that keeps the worker busy. It is fired in chunks, one partition at a
time, and the event loop does its other work between two chunks. Records that wait anywhere in the worker go
first. The chunks are small while events come, so that an event waits for a short one at most; they are
large while no events come, which costs less in all.

Where so many events come that some always wait, a large chunk follows on as many events as it has dues, or on
`HELD_S` without one. So a storm does not grow, and no stream of events holds it back for longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

CALM_S = 0.1
"""Events are taken to come until none has come for this time."""
HELD_S = 0.1
"""A storm waits at most so long for events that go first."""


class Pace:
    """`large` and `small`: so many dues are fired in one chunk while no events come, and while they do."""

    def __init__(self, large: int, small: int) -> None:
        self._large = large
        self._small = small
        self._now_s = asyncio.get_running_loop().time
        self._heard_s = -CALM_S
        self._fired_s = -HELD_S
        self._taken = False
        self._records = 0
        self._ahead = 0
        self._owners: dict[Callable[[], None], None] = {}

    def came(self, records: int = 1) -> None:
        """So many records wait now that did not, in any partition."""
        self._records += records
        self._heard_s = self._now_s()

    def went(self, records: int = 1, events: int = 0) -> None:
        """So many of them wait no more; so many events were applied."""
        self._records -= records
        self._ahead += events
        if not self._records:
            self._next()

    @property
    def chunk(self) -> int:
        """So many dues may fire in one chunk now."""
        if self._enough or self._now_s() - self._heard_s >= CALM_S:
            return self._large
        return self._small

    def take(self, wake: Callable[[], None]) -> bool:
        """The turn to fire a chunk; False if others go first: `wake` is called when it may be free."""
        if self._taken or (self._records and not self._enough):
            self._owners[wake] = None
            return False
        self._owners.pop(wake, None)
        self._taken = True
        self._ahead = 0
        return True

    def give(self) -> None:
        """The end of a turn."""
        self._taken = False
        self._fired_s = self._now_s()
        self._next()

    @property
    def _enough(self) -> bool:
        """Whether events have gone first for long enough."""
        return self._ahead >= self._large or self._now_s() - self._fired_s >= HELD_S

    def _next(self) -> None:
        for wake in self._owners:
            del self._owners[wake]
            wake()
            return
