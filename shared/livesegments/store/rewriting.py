"""What was taken out of Redis is in its append-only file until that is written anew."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from livesegments.store.client import Away, Client

TRIES, AGAIN_S = 60, 1.0

_log = structlog.get_logger(__name__)


class Rewriting:
    """One rewrite after the other: one that is under way may have passed what has just been taken out."""

    def __init__(self, store: Client) -> None:
        self._redis: Any = store
        self._one = asyncio.Lock()

    async def ask(self) -> None:
        """Returns once a rewrite has begun, or can't be had."""
        async with self._one:
            for _ in range(TRIES):
                try:
                    await self._redis.bgrewriteaof()
                    return
                except Away as error:  # one is under way, or the store is away
                    why = error
                await asyncio.sleep(AGAIN_S)
        _log.warning("Redis does not write its append-only file anew", error=str(why))
