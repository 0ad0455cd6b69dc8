"""Records that any producer can send and that aiokafka can't read."""

from __future__ import annotations

from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy


class Latin(str):
    """A header's name as a producer may send it that doesn't care for UTF-8."""

    def encode(self, *_: object) -> bytes:
        return b"\xe9tat"


BAD: tuple[bytes, list[tuple[str, bytes]]] = (b"{}", [(Latin("state"), b"")])


async def send_batch(
    kafka: str,
    topic: str,
    partition: int,
    *records: tuple[bytes, list[tuple[str, bytes]]],
    key: bytes | None = None,
) -> int:
    """All in one batch; the offset of the first."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        batch = producer.create_batch()
        # the builder in Python lets `Latin` encode itself
        batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, 0, 1_000_000)
        for value, headers in records:
            assert batch.append(timestamp=None, key=key, value=value, headers=headers)
        sent: Any = await (await producer.send_batch(batch, topic, partition=partition))
        return int(sent.offset)
    finally:
        await producer.stop()
