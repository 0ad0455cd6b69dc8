"""(b) The floor: aiokafka `getmany` and msgspec decode of the same events, one per record, nothing else.

`python -m bench.raw KAFKA TOPIC COUNT` prints events per second.
"""

from __future__ import annotations

import asyncio
import sys
import time

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from livesegments.core.event import Event
from livesegments.runtime.settings import Settings


async def run(kafka: str, topic: str, count: int) -> float:
    decoder = msgspec.msgpack.Decoder(Event)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(Settings().partitions)])
        seen = 0
        started = time.perf_counter()
        while seen < count:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                for record in records:
                    decoder.decode(record.value)
                seen += len(records)
        return seen / (time.perf_counter() - started)
    finally:
        await consumer.stop()


if __name__ == "__main__":
    print(asyncio.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
