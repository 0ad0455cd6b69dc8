"""Timelines of profiles, read in threads from the archive's files and what is not in them yet."""

from __future__ import annotations

import asyncio

from livesegments.api.web.problems import Problem
from livesegments.history.archive import Archive
from livesegments.history.timeline import Asked, Moment, timeline
from livesegments.store import history
from livesegments.store.client import Client
from livesegments.wire.topics import partition_of

ATTEMPTS = 5
"""At most this many times the files are looked for again, because some were merged away meanwhile."""
AT_A_TIME = 2


class Timelines:
    """`archive` as in `history.archive`; it is opened when it is first needed."""

    def __init__(self, archive: str, store: Client, partitions: int) -> None:
        self._url, self._store, self._partitions = archive, store, partitions
        self._few = asyncio.Semaphore(AT_A_TIME)
        self._archive: Archive | None = None

    async def read(self, asked: Asked) -> list[Moment]:
        """Raises Problem 503 where files keep going while they are read."""
        partition = partition_of(asked.workspace, asked.profile, self._partitions)
        async with self._few:
            if self._archive is None:
                self._archive = await asyncio.to_thread(Archive, self._url)
            for _ in range(ATTEMPTS):
                known = await history.read(self._store, partition)
                try:
                    return await asyncio.to_thread(timeline, self._archive, partition, known, asked)
                except FileNotFoundError:
                    continue
        raise Problem(503, "The archive's files change just now. Try again.", headers={"Retry-After": "1"})
