"""A worker's partitions. Every partition that is assigned to it has an owner and a task; the others have
none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

import structlog

from livesegments.evaluator.owner import Owner
from livesegments.runtime import metrics, tasks

_log = structlog.get_logger(__name__)


class Worker:
    """`make` makes the owner of a partition; `crash` gets a fault from which no owner could recover."""

    def __init__(self, make: Callable[[int], Owner], crash: Callable[[BaseException], None]) -> None:
        self._make = make
        self._crash = crash
        self.owners: dict[int, Owner] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._assigned = asyncio.Event()

    async def assign(self, partitions: Iterable[int]) -> None:
        """Claims all of them, whatever was owned before; returns when every claim is in the store."""
        await self.revoke(list(self.owners))
        claims = {partition: self._make(partition) for partition in sorted(partitions)}
        await asyncio.gather(*(owner.claim() for owner in claims.values()))
        self.owners = claims
        for partition, owner in claims.items():
            task = asyncio.create_task(owner.run())
            task.add_done_callback(self._ended)
            self._tasks[partition] = task
        self._assigned.set()
        metrics.PARTITIONS.set(len(claims))
        _log.info("partitions assigned", partitions=sorted(claims))

    async def revoke(self, partitions: Iterable[int]) -> None:
        self._assigned.clear()
        gone = [partition for partition in partitions if partition in self.owners]
        await tasks.cancelled([self._tasks.pop(partition) for partition in gone if partition in self._tasks])
        await asyncio.gather(*(self.owners.pop(partition).close() for partition in gone))
        metrics.PARTITIONS.set(len(self.owners))
        if gone:
            _log.info("partitions given up", partitions=gone)

    @property
    def assigned(self) -> bool:
        """Whether an assignment, be it of nothing, has been taken up."""
        return self._assigned.is_set()

    async def bound(self, firsts: Mapping[int, int], ends: Mapping[int, int]) -> dict[int, int]:
        """Partition → offset to read from, of those that are owned; waits for the claims."""
        await self._assigned.wait()
        return {
            partition: owner.bound(firsts[partition], ends[partition])
            for partition, owner in self.owners.items()
            if partition in firsts and partition in ends
        }

    def full(self, partition: int) -> bool:
        """Whether no more records of the partition are to be read now."""
        owner = self.owners.get(partition)
        return owner is not None and owner.full

    def lags(self) -> dict[int, int | None]:
        return {partition: owner.lag for partition, owner in self.owners.items()}

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._crash(error)
