"""Writes that do not come from the evaluation, but belong in a partition's commits: an archive's file, a
checkpoint.

Any task of the claim posts an errand; the one task that makes commits does it in its turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from livesegments.evaluator.commits.flight import Flight
from livesegments.evaluator.commits.partition import Partition
from livesegments.store.commit import Commit

Write: TypeAlias = Callable[[Commit], None]


class Errands:
    """`moved` is called when there is one to do; `made` commits were made for errands."""

    def __init__(self, partition: Partition, flight: Flight, moved: Callable[[], None]) -> None:
        self._partition = partition
        self._flight = flight
        self._moved = moved
        self.made = 0
        self._waiting: deque[tuple[Write, asyncio.Future[None]]] = deque()

    async def post(self, write: Write) -> None:
        """Returns when the commit with the write in it is applied. Where the claim is lost, never.

        If the caller is cancelled before that commit is made, nothing is written.
        """
        applied: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((write, applied))
        self._moved()
        await applied

    async def run(self) -> bool:
        """Makes a commit of the first that waits; False if there is none."""
        while self._waiting and self._waiting[0][1].cancelled():
            self._waiting.popleft()
        if not self._waiting:
            return False
        write, applied = self._waiting.popleft()
        self.made += 1
        reply = await self._flight.send(self._partition.seal(write))
        reply.add_done_callback(lambda done: _settle(done, applied))
        return True


def _settle(reply: asyncio.Future[bool], applied: asyncio.Future[None]) -> None:
    if not reply.cancelled() and reply.exception() is None and reply.result() and not applied.done():
        applied.set_result(None)


def nothing(commit: Commit) -> None:
    """An errand without writes: once it is done, all commits before it are applied, and the claim holds."""
