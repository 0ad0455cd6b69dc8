"""Reads topic `definitions` from its beginning and on, and compiles what changed, for all partitions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from livesegments.core.plan import Limits, Plan
from livesegments.evaluator.definitions import Definitions
from livesegments.wire.topics import DEFINITIONS

SETTLE_S = 0.1
"""A burst of changes is compiled once: so long nothing came, or at most `MAX_SETTLE_S` after its first."""
MAX_SETTLE_S = 0.4
BACKOFF_S = 0.5

_TOPIC = TopicPartition(DEFINITIONS, 0)
_log = structlog.get_logger(__name__)


class Catalog:
    """`plans` and `revision` always belong together. `on_change` is called after both have moved."""

    def __init__(self, kafka: str, limits: Limits) -> None:
        self.plans: Mapping[str, Plan] = {}
        self.revision = -1
        self._definitions = Definitions(limits)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False
        )
        self._listeners: set[Callable[[], None]] = set()
        self._moved = asyncio.Event()
        self._position = 0

    async def start(self) -> None:
        """Returns when all that was in the topic is compiled."""
        await self._consumer.start()
        self._consumer.assign([_TOPIC])
        await self._consumer.seek_to_beginning(_TOPIC)
        end = await self._end()
        while self._position < end:
            await self._take(timeout_ms=1_000)
        await self._publish()

    async def run(self) -> None:
        """Follows the topic; never returns. Rides out a broker that is away."""
        while True:
            try:
                await self._take(timeout_ms=60_000)
                if self._definitions.revision > self.revision:
                    await self._settle()
                    await self._publish()
            except KafkaError as error:
                _log.warning("definitions can't be read", error=repr(error))
                await asyncio.sleep(BACKOFF_S)

    async def stop(self) -> None:
        await self._consumer.stop()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Returns what ends it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def refresh(self) -> None:
        """Waits until `plans` hold everything that is in the topic now."""
        end = await self._end()
        while self._position < end or self._definitions.revision > self.revision:
            await self._moved.wait()

    async def _end(self) -> int:
        while True:
            try:
                ends: dict[TopicPartition, int] = await self._consumer.end_offsets([_TOPIC])
            except KafkaError as error:
                _log.warning("definitions can't be read", error=repr(error))
                await asyncio.sleep(BACKOFF_S)
            else:
                return ends[_TOPIC]

    async def _settle(self) -> None:
        deadline = asyncio.get_running_loop().time() + MAX_SETTLE_S
        while asyncio.get_running_loop().time() < deadline:
            if not await self._take(timeout_ms=int(SETTLE_S * 1_000)):
                return

    async def _take(self, timeout_ms: int) -> bool:
        batch = await self._consumer.getmany(_TOPIC, timeout_ms=timeout_ms)
        for record in batch.get(_TOPIC, []):
            self._definitions.take(record.key.decode(), record.value, record.offset)
        self._position = await self._consumer.position(_TOPIC)
        return bool(batch)

    async def _publish(self) -> None:
        """In a thread: a plan of ten thousand segments takes a third of a second; events go on meanwhile."""
        await asyncio.to_thread(self._definitions.compile)
        self.plans = dict(self._definitions.plans)
        self.revision = self._definitions.revision
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        for listener in list(self._listeners):
            listener()
