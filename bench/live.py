"""Live traffic beside something else: events a second of stored profiles, and how long their transitions take.

A tenth of the events turn an attribute that one segment asks for, so each of these is heard of in topic
`memberships`. Records go to the broker as ingest would pack them, every 20 ms.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from statistics import quantiles
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench import harness, workload
from livesegments.core.event import PROFILE, Event
from livesegments.runtime.embedded.stack import Stack
from livesegments.wire import pack
from livesegments.wire.topics import EVENTS, MEMBERSHIPS

PULSE = workload.attribute("pulse", "eq", "on")
EVERY_S = 0.02


class _Heard(msgspec.Struct):
    event_id: str | None = None


class Traffic:
    """`p99_ms` of what was sent since it was asked for last. `sent` counts all events."""

    def __init__(self, producer: AIOKafkaProducer, per_s: int, profiles: int, from_ms: int) -> None:
        self.sent = 0
        self._producer, self._per_s, self._profiles = producer, per_s, profiles
        self._random, self._from_ms, self._begun = Random(5), from_ms, time.perf_counter()
        self._on: set[str] = set()
        self._under_way: dict[str, float] = {}
        self._took: list[float] = []

    def p99_ms(self) -> float:
        took, self._took = self._took, []
        return quantiles(took, n=100)[98] * 1_000 if len(took) > 1 else 0.0

    async def send(self) -> None:
        due = time.perf_counter()
        while True:
            due += EVERY_S
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            lanes: dict[int, list[Event]] = {}
            for _ in range(int((due - self._begun) * self._per_s) - self.sent):
                event = self._event(due)
                lanes.setdefault(harness.home(event), []).append(event)
                self.sent += 1
            for partition, lane in lanes.items():
                value = pack.encode(pack.Packed(lane))
                await self._producer.send(EVENTS, value, partition=partition, timestamp_ms=lane[-1].time_ms)

    def _event(self, due: float) -> Event:
        number, at = self.sent, self._from_ms + int((due - self._begun) * 1_000)
        profile, id_ = f"profile-{self._random.randrange(self._profiles)}", f"live-{number}"
        properties: dict[str, Any] = {"product_id": "p1"}
        name = "page" if number % 2 else "email_opened"
        if number % 10 == 0:
            name = PROFILE
            on = profile not in self._on
            (self._on.add if on else self._on.discard)(profile)
            properties = {"attributes": {"pulse": "on" if on else None}}
            self._under_way[id_] = due
        return Event(id_, workload.WORKSPACE, profile, name, at, properties)

    async def hear(self, consumer: AIOKafkaConsumer) -> None:
        decode = msgspec.json.Decoder(_Heard).decode
        while True:
            found = await consumer.getmany(timeout_ms=1_000)
            now = time.perf_counter()
            for records in found.values():
                for record in records:
                    begun = self._under_way.pop(decode(record.value).event_id or "", None)
                    if begun is not None:
                        self._took.append(now - begun)


@asynccontextmanager
async def traffic(running: Stack, per_s: int, profiles: int, from_ms: int) -> AsyncIterator[Traffic]:
    """The segment PULSE must be there."""
    consumer = AIOKafkaConsumer(bootstrap_servers=running.kafka, auto_offset_reset="latest")
    producer = AIOKafkaProducer(bootstrap_servers=running.kafka, acks="all")
    async with producer, consumer:
        consumer.assign([TopicPartition(MEMBERSHIPS, number) for number in range(harness.PARTITIONS)])
        await consumer.seek_to_end()
        made = Traffic(producer, per_s, profiles, from_ms)
        tasks = [asyncio.create_task(made.hear(consumer)), asyncio.create_task(made.send())]
        try:
            yield made
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
