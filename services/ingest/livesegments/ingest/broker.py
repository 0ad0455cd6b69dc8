"""The producer: idempotent, acknowledged by all replicas. It also says whether the broker answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer

from livesegments.runtime.producer import Producer
from livesegments.wire.rejected import Rejected, encode
from livesegments.wire.topics import EVENTS, REJECTED

MAX_RECORD_BYTES = 1024 * 1024
"""What brokers take by default, headers and all; packed records and rejections stay well below it."""
REQUEST_MS = 10_000
READY_S = 2.0


class Broker:
    def __init__(
        self,
        kafka: str,
        partitions: int,
        sieve: Callable[[Iterable[Rejected]], Iterable[Rejected]] | None = None,
    ) -> None:
        """`sieve` says which refusals are kept."""
        self._sieve = sieve
        self._one = Producer(kafka, max_request_bytes=MAX_RECORD_BYTES, request_ms=REQUEST_MS)
        self._producer: AIOKafkaProducer
        self.ends = [0] * partitions
        """The next offset of each partition of `events`, by what was acknowledged to us."""

    async def start(self) -> None:
        self._producer = await self._one.started()

    async def stop(self) -> None:
        await self._one.close()

    async def send(self, partition: int, value: bytes, timestamp_ms: int) -> asyncio.Future[object]:
        sent: asyncio.Future[object] = await self._producer.send(
            EVENTS, value, partition=partition, timestamp_ms=timestamp_ms
        )
        sent.add_done_callback(partial(self._acknowledged, partition))
        return sent

    def _acknowledged(self, partition: int, sent: asyncio.Future[Any]) -> None:
        if not sent.cancelled() and sent.exception() is None:
            self.ends[partition] = sent.result().offset + 1

    async def reject(self, rejected: Iterable[Rejected]) -> None:
        """Returns when the broker has them all."""
        if self._sieve is not None:
            rejected = self._sieve(rejected)
        sent = [await self._producer.send(REJECTED, encode(item)) for item in rejected]
        if sent:
            await asyncio.gather(*sent)

    async def ready(self) -> bool:
        """Asks the broker. Raises TimeoutError, or aiokafka.errors.KafkaError."""
        async with asyncio.timeout(READY_S):
            answered = await self._producer.client.force_metadata_update()
            return bool(answered and await self._producer.partitions_for(EVENTS))

    async def lost(self) -> None:
        """Ends only when the producer can send no more: its sequence numbers are no longer the broker's, say.
        It doesn't recover from that, a new one does."""
        # aiokafka has no public word for it, and would go on refusing all that it is given
        await asyncio.shield(self._producer._sender.sender_task)
        raise ConnectionError("the producer has ended")
