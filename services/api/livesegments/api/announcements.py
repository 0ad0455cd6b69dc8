"""Transitions from topic `memberships`, from now on, to whoever listens here.

One consumer for all listeners of this process; it runs only while there are any. A listener has a bounded
queue: who reads too slowly is told so and dropped, and never holds up the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from livesegments.core.event import Transition
from livesegments.runtime import metrics
from livesegments.runtime.portions import Unread
from livesegments.runtime.reader import Reader
from livesegments.wire import memberships
from livesegments.wire.topics import MEMBERSHIPS
from livesegments.wire.unreadable import Unreadable

QUEUE = 10_000
MAX_LISTENERS = 200
START_S = 10.0

_log = structlog.get_logger(__name__)


class TooMany(Exception):
    """There are as many listeners as there may be."""


class Listener:
    """`queue` gives transitions; None: it was too slow, or the api ends, and nothing more comes."""

    def __init__(self, workspace: str, segment: str | None) -> None:
        self.workspace, self.segment = workspace, segment
        self.queue: asyncio.Queue[Transition | None] = asyncio.Queue(QUEUE + 1)
        self.dropped = False

    def offer(self, transition: Transition) -> None:
        if self.dropped or transition.workspace != self.workspace:
            return
        if self.segment not in (None, transition.segment):
            return
        if self.queue.qsize() >= QUEUE:
            self.end()
        else:
            self.queue.put_nowait(transition)

    def end(self) -> None:
        if not self.dropped:
            self.dropped = True
            self.queue.put_nowait(None)


class Announcements:
    def __init__(self, kafka: str, partitions: int) -> None:
        self._kafka = kafka
        self._partitions = partitions
        self._listeners: set[Listener] = set()
        self._changing = asyncio.Lock()
        self._reader: Reader | None = None
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listen(self, workspace: str, segment: str | None) -> AsyncIterator[Listener]:
        """From here on nothing is missed. Raises TooMany, KafkaError, TimeoutError."""
        if len(self._listeners) >= MAX_LISTENERS:
            raise TooMany
        listener = Listener(workspace, segment)
        self._listeners.add(listener)
        metrics.API_LISTENERS.inc()
        try:
            async with asyncio.timeout(START_S), self._changing:
                if self._task is None or self._task.done():
                    await self._stop()
                    await self._start()
            yield listener
        finally:
            self._listeners.discard(listener)
            metrics.API_LISTENERS.dec()
            async with self._changing:
                if not self._listeners:
                    await self._stop()

    def _end_all(self, _: object = None) -> None:
        for listener in self._listeners:
            listener.end()

    async def close(self) -> None:
        self._end_all()
        async with self._changing:
            await self._stop()

    async def _start(self) -> None:
        reader = Reader(self._kafka, MEMBERSHIPS, self._partitions)
        try:
            await reader.start("end")
        except BaseException:
            await reader.close()
            raise
        self._reader = reader
        self._task = asyncio.create_task(self._follow(reader))
        self._task.add_done_callback(self._end_all)

    async def _stop(self) -> None:
        if self._task is not None and self._reader is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._reader.close()
        self._task = self._reader = None

    async def _follow(self, reader: Reader) -> None:
        async for record in reader.follow():
            try:
                if isinstance(record, Unread):
                    raise Unreadable(record.why)
                transition = memberships.decode(record.value)
            except Unreadable as error:
                metrics.MEMBERSHIPS_UNREADABLE.inc()
                at = f"{record.topic}/{record.partition}/{record.offset}"
                _log.error("a transition can't be read", source=at, error=str(error))
                continue
            for listener in self._listeners:
                listener.offer(transition)
