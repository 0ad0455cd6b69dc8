"""A producer that is made when it is first needed, and made anew after a failure from which it can't
recover.
"""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaProducer


class Producer:
    """Idempotent, so acknowledged by all replicas; the bounds are aiokafka's where not given."""

    def __init__(
        self,
        kafka: str,
        max_batch_bytes: int = 16_384,
        max_request_bytes: int = 1_048_576,
        request_ms: int = 40_000,
    ) -> None:
        self._kafka = kafka
        self._max_batch_bytes, self._max_request_bytes = max_batch_bytes, max_request_bytes
        self._request_ms = request_ms
        self._started: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def started(self) -> AIOKafkaProducer:
        """Raises aiokafka.errors.KafkaError while the broker is away."""
        if self._started is not None:
            return self._started
        async with self._starting:
            if self._started is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._kafka,
                    enable_idempotence=True,
                    max_batch_size=self._max_batch_bytes,
                    max_request_size=self._max_request_bytes,
                    request_timeout_ms=self._request_ms,
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._started = producer
            return self._started

    async def drop(self, failed: AIOKafkaProducer | None) -> None:
        """Ends the one that failed, unless another has taken its place already."""
        if failed is not None and failed is self._started:
            await self.close()

    async def close(self) -> None:
        started, self._started = self._started, None
        if started is not None:
            await started.stop()
