"""A turn that one process at a time has: who holds it dies, and another gets it after `TURN_MS`."""

from __future__ import annotations

import asyncio
from secrets import token_hex
from typing import Any

from livesegments.store.client import Client

TURN_MS = 10_000
"""A holder that died keeps the others waiting for at most this long."""
POLL_S = 0.02

OURS = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end "
RELEASE = OURS + "return redis.call('DEL', KEYS[1])"
RENEW = OURS + "return redis.call('PEXPIRE', KEYS[1], ARGV[2])"


class Turn:
    """`async with Turn(client, key)`. Everything raises Away."""

    def __init__(self, store: Client, key: str) -> None:
        self._store: Any = store
        self._key = key
        self._release, self._renew = self._store.register_script(RELEASE), self._store.register_script(RENEW)
        self._token = token_hex(8)

    async def renew(self) -> bool:
        """For another `TURN_MS`. False: it has gone to another meanwhile."""
        return bool(await self._renew(keys=[self._key], args=[self._token, TURN_MS]))

    async def __aenter__(self) -> None:
        while not await self._take():  # noqa: ASYNC110  (the turn may be another process's)
            await asyncio.sleep(POLL_S)

    async def _take(self) -> bool:
        return bool(await self._store.set(self._key, self._token, nx=True, px=TURN_MS))

    async def __aexit__(self, *_: object) -> None:
        await self._release(keys=[self._key], args=[self._token])
