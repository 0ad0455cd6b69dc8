"""What the tests of the ingest service share."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from redis.asyncio import Redis

from livesegments.core.event import Event
from livesegments.runtime.settings import Settings
from livesegments.store import keys
from livesegments.store.catalog import digest
from livesegments.wire import catalog
from livesegments.wire.pack import Packed, decode
from livesegments.wire.topics import EVENTS, partition_of

PARTITIONS = Settings().partitions


async def write_catalog(redis_url: str) -> None:
    """One workspace, a key that may send to it and one that may not."""
    async with Redis.from_url(redis_url) as redis:
        shop = catalog.Workspace("shop", "Shop", "UTC", 0)
        await redis.set(keys.CATALOG_SEQUENCE, 1)
        await redis.hset(keys.CATALOG_WORKSPACES, "shop", catalog.encode(shop))
        for secret, scopes in (("write", ("ingest",)), ("read", ("read",))):
            key = catalog.Key(digest(secret), "shop", secret, scopes, 0)  # type: ignore[arg-type]
            await redis.hset(keys.CATALOG_KEYS, key.digest, catalog.encode(key))


async def read(kafka: str, topic: str, count: int) -> list[Any]:
    """The first records of a topic, of all its partitions: `count` of them, or more."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = PARTITIONS if topic == EVENTS else 1
        consumer.assign([TopicPartition(topic, number) for number in range(partitions)])
        found: list[Any] = []
        async with asyncio.timeout(60):
            while len(found) < count:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += records
        return found
    finally:
        await consumer.stop()


async def read_all(kafka: str, topic: str) -> list[Any]:
    """Every record that a topic has now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = PARTITIONS if topic == EVENTS else 1
        assigned = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(assigned)
        ends = await consumer.end_offsets(assigned)
        found: list[Any] = []
        async with asyncio.timeout(60):
            while any([await consumer.position(each) < ends[each] for each in assigned]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += records
        return found
    finally:
        await consumer.stop()


def events_of(records: list[Any]) -> list[Event]:
    """Checks that each lies in the partition of its profile."""
    events: list[Event] = []
    for record in records:
        packed = decode(record.value)
        assert isinstance(packed, Packed)
        assert {partition_of(e.workspace, e.profile, PARTITIONS) for e in packed.events} == {record.partition}
        events += packed.events
    return events
