"""Transitions from topic `memberships`, from now on, to whoever listens here.

One consumer for all listeners of this process; it runs only while there are any. A listener has a bounded
queue: who reads too slowly is told so and dropped, and never holds up the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from livesegments.core.event import Transition
from livesegments.runtime import metrics
from livesegments.wire.topics import MEMBERSHIPS

QUEUE = 10_000
MAX_LISTENERS = 200
BACKOFF_S = 0.5
START_S = 10.0

_decoder = msgspec.json.Decoder(Transition)
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
        self._topics = [TopicPartition(MEMBERSHIPS, partition) for partition in range(partitions)]
        self._listeners: set[Listener] = set()
        self._changing = asyncio.Lock()
        self._consumer: AIOKafkaConsumer | None = None
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
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._kafka, auto_offset_reset="latest", enable_auto_commit=False
        )
        try:
            await consumer.start()
            consumer.assign(self._topics)
            for topic, end in (await consumer.end_offsets(self._topics)).items():
                consumer.seek(topic, end)
        except BaseException:
            await consumer.stop()
            raise
        self._consumer = consumer
        self._task = asyncio.create_task(self._follow(consumer))
        self._task.add_done_callback(self._end_all)

    async def _stop(self) -> None:
        if self._task is not None and self._consumer is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._consumer.stop()
        self._task = self._consumer = None

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            try:
                batches = await consumer.getmany(timeout_ms=1_000)
            except KafkaError as error:
                _log.warning("transitions can't be read", error=repr(error))
                await asyncio.sleep(BACKOFF_S)
                continue
            for records in batches.values():
                for record in records:
                    transition = _decoder.decode(record.value)
                    for listener in self._listeners:
                        listener.offer(transition)
