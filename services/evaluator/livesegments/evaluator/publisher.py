"""Transitions to Kafka: explicit partition, keyed by profile, idempotent, until the broker has them.

Records of `events` that are not ours go to the topic `rejected`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from livesegments.core.event import Transition
from livesegments.runtime.producer import Producer
from livesegments.runtime.retry import until_done
from livesegments.wire.rejected import Rejected, encode
from livesegments.wire.topics import MEMBERSHIPS, REJECTED

MAX_BATCH_BYTES = 256 * 1024
BACKOFF_S = 0.5

_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger(__name__)


class KafkaPublisher:
    """One producer for all partitions of a worker; after a failure that it can't mend, a new one."""

    def __init__(self, kafka: str) -> None:
        self._producer = Producer(kafka, MAX_BATCH_BYTES)

    async def publish(self, partition: int, transitions: Sequence[Transition]) -> None:
        """Batches built here, not one future a record: an order of magnitude less work."""
        start = 0
        while start < len(transitions):
            producer = None
            try:
                producer = await self._producer.started()
                batch = producer.create_batch()
                end = start
                for each in transitions[start:]:
                    if batch.append(key=each.profile.encode(), value=_encode(each), timestamp=None) is None:
                        break
                    end += 1
                assert end > start, "a transition larger than a batch"
                await (await producer.send_batch(batch, MEMBERSHIPS, partition=partition))
                start = end
            except KafkaError as error:
                await self._fail(producer, error)

    async def reject(self, rejected: Rejected) -> None:
        """Returns when the broker has it; waits for it as long as that takes."""
        value = encode(rejected)

        async def send() -> None:
            producer = await self._producer.started()
            try:
                await producer.send_and_wait(REJECTED, value)
            except KafkaError:
                await self._producer.drop(producer)
                raise

        await until_done(send, KafkaError)

    async def close(self) -> None:
        await self._producer.close()

    async def _fail(self, producer: AIOKafkaProducer | None, error: KafkaError) -> None:
        _log.warning("the broker takes nothing", error=repr(error))
        await self._producer.drop(producer)
        await asyncio.sleep(BACKOFF_S)
