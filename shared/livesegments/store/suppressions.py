"""Who is kept out after an erasure, as ingest and the api know it: the digests of all partitions.

They are read again when a partition says that they have changed, at most once in a second by `run`. Where
nobody was ever erased, `nobody` is all that a caller looks at.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from livesegments.store import keys
from livesegments.store.client import Client
from livesegments.store.erasures import CHANGED, decode_suppressed
from livesegments.wire.suppressed import digest, names_any

LOOK_S = 1.0

_log = structlog.get_logger(__name__)


class Suppressions:
    """`key` is the installation's (`LIVESEGMENTS_ERASURE_KEY`)."""

    def __init__(self, store: Client, partitions: int, key: str) -> None:
        self._redis: Any = store
        self._key = key
        self._changed: list[bytes | None] = [None] * partitions
        self._found: list[dict[str, str]] = [{} for _ in range(partitions)]
        self._digests: dict[str, str] = {}
        self._away = False

    @property
    def nobody(self) -> bool:
        """Whether no profile is kept out."""
        return not self._digests

    def changed(self, partition: int) -> bytes | None:
        """Another value whenever the partition keeps out others than before."""
        return self._changed[partition]

    def has(self, workspace: str, profile: str) -> bool:
        """Whether the profile is kept out, as far as known."""
        return bool(self._digests) and digest(self._key, workspace, profile) in self._digests

    def named_in(self, workspace: str | None, raw: bytes) -> bool:
        """Whether foreign bytes name a profile that is kept out; of None it may be any workspace's."""
        workspaces = {workspace} if workspace is not None else set(self._digests.values())
        return names_any(raw, self._key, workspaces, self._digests)

    async def refresh(self) -> None:
        """Raises Away."""
        numbers = range(len(self._changed))
        async with self._redis.pipeline(transaction=False) as pipe:
            for number in numbers:
                pipe.hget(keys.suppressed(number), CHANGED)
            changed: list[bytes | None] = await pipe.execute()
        stale = [number for number in numbers if changed[number] != self._changed[number]]
        if not stale:
            return
        async with self._redis.pipeline(transaction=False) as pipe:
            for number in stale:
                pipe.hgetall(keys.suppressed(number))
            for number, fields in zip(stale, await pipe.execute(), strict=True):
                self._changed[number] = fields.pop(CHANGED.encode(), None)
                self._found[number] = {
                    name.decode(): decode_suppressed(data).workspace for name, data in fields.items()
                }
        self._digests = {name: workspace for each in self._found for name, workspace in each.items()}

    async def run(self) -> None:
        """Never returns. While the store is away, what was known counts."""
        while True:
            try:
                await self.refresh()
                self._away = False
            except OSError as error:
                if not self._away:
                    self._away = True
                    _log.warning("who was erased can't be read", error=repr(error))
            await asyncio.sleep(LOOK_S)
