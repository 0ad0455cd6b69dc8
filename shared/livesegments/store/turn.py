"""A turn that one process has at a time: if its holder dies, another process gets it after `TURN_S`."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from redis.exceptions import LockError

from livesegments.store.client import Client

TURN_S = 10.0
"""A holder that died keeps the others waiting for at most this long."""
POLL_S = 0.02


class Turn:
    """`async with Turn(client, key)`, by the driver's own lock. Everything raises Away."""

    def __init__(self, store: Client, key: str) -> None:
        self._lock: Any = store.lock(key, timeout=TURN_S, sleep=POLL_S, thread_local=False)

    async def renew(self) -> bool:
        """For another `TURN_S`. False: it has gone to another meanwhile."""
        try:
            return bool(await self._lock.reacquire())
        except LockError:
            return False

    async def take(self) -> bool:
        """Without waiting; False where another has it."""
        return bool(await self._lock.acquire(blocking=False))

    async def give(self) -> None:
        """Whoever asks next gets it."""
        with suppress(LockError):  # it has gone to another meanwhile
            await self._lock.release()

    async def __aenter__(self) -> None:
        await self._lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        await self.give()
