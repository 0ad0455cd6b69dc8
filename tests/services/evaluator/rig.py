"""An evaluator as others see it: processes, the topics they read and write, and Redis."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from redis.asyncio import Redis

from livesegments.core.definition import Computed, Node
from livesegments.core.event import Event, Transition
from livesegments.runtime.embedded.child import Child
from livesegments.runtime.embedded.ports import free_port
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys, progress
from livesegments.store.adoption import decode_stage
from livesegments.store.walk import set_bits
from livesegments.wire import catalog, pack
from livesegments.wire.topics import DEFINITIONS, EVENTS, MEMBERSHIPS, partition_of

PARTITIONS = 8
LOOK_S = 0.04


class Evaluator:
    """One worker process."""

    def __init__(self, stack: Stack, log: Path, clock: str, **settings: object) -> None:
        self.port = free_port()
        self.log = log
        given = {"kafka": stack.kafka, "redis": stack.redis, "port": self.port, "clock": clock} | settings
        given.setdefault("data", log.parent)
        environment = {f"LIVESEGMENTS_{name.upper()}": str(value) for name, value in given.items()}
        command = [sys.executable, "-m", "livesegments.evaluator.app"]
        self.child = Child("evaluator", command, log, os.environ | environment)

    async def metric(self, name: str) -> float:
        """The sum over its labels, or that of one label set; 0 if nobody answers."""
        try:
            text = (await self._get("/metrics")).text
        except httpx.TransportError:
            return 0.0
        lines = [
            line
            for line in text.splitlines()
            if name in (line.split("{")[0].split(" ")[0], line.rsplit(" ")[0])
        ]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    async def ready(self) -> bool:
        try:
            return (await self._get("/readyz")).status_code == 200
        except httpx.TransportError:
            self.child.check()
            return False

    async def _get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(timeout=5) as client:
            return await client.get(f"http://127.0.0.1:{self.port}{path}")


class Rig:
    def __init__(self, stack: Stack, folder: Path, producer: AIOKafkaProducer, redis: Any) -> None:
        self.stack = stack
        self.folder = folder
        self.producer = producer
        self.redis = redis
        self.evaluators: list[Evaluator] = []
        self.revision = -1

    def start(self, clock: str = "log", **settings: object) -> Evaluator:
        log = self.folder / f"evaluator-{len(self.evaluators)}.log"
        evaluator = Evaluator(self.stack, log, clock, **settings)
        evaluator.child.start()
        self.evaluators.append(evaluator)
        return evaluator

    async def workspace(self, id_: str = "w", timezone: str = "UTC") -> None:
        await self._define(catalog.Workspace(id_, id_, timezone, 0))

    async def segment(self, id_: str, definition: str | None, version: int = 1, workspace: str = "w") -> None:
        node = None if definition is None else msgspec.json.decode(definition, type=Node)
        await self._define(catalog.Segment(workspace, id_, id_, version, version, 0, 0, node))

    async def computed(self, id_: str, node: dict[str, Any], workspace: str = "w") -> None:
        """`node`: its stored form, `{"type": "computed", …}`."""
        made = msgspec.convert(node, Computed)
        await self._define(catalog.ComputedAttribute(workspace, id_, 1, 0, 0, made))

    async def delete_segment(self, id_: str, workspace: str = "w") -> None:
        await self._produce_definition(f"segment/{workspace}/{id_}", None)

    async def _define(self, entry: catalog.Entry) -> None:
        await self._produce_definition(catalog.key_of(entry), catalog.encode(entry))

    async def _produce_definition(self, key: str, value: bytes | None) -> None:
        sent = await self.producer.send_and_wait(DEFINITIONS, key=key.encode(), value=value)
        self.revision = sent.offset

    async def send(self, events: Iterable[Event], size: int = pack.MAX_EVENTS) -> None:
        """Packs them in their order, each into its partition; returns when all are acknowledged."""
        parts: dict[int, list[Event]] = {}
        for event in events:
            parts.setdefault(partition_of(event.workspace, event.profile, PARTITIONS), []).append(event)
        sent = []
        for partition, mine in parts.items():
            for start in range(0, len(mine), size):
                value = pack.encode(pack.Packed(mine[start : start + size]))
                sent.append(await self.producer.send(EVENTS, value, partition=partition))
        await asyncio.gather(*sent)

    async def clock(self, to_ms: int) -> None:
        value = pack.encode(pack.Clock(to_ms))
        for partition in range(PARTITIONS):
            await self.producer.send_and_wait(EVENTS, value, partition=partition)

    async def members(self, segment: str, workspace: str = "w") -> set[str]:
        found: set[str] = set()
        for partition in range(PARTITIONS):
            async with self.redis.pipeline(transaction=True) as asked:
                asked.zrange(keys.members(partition, workspace, segment), 0, -1)
                asked.get(keys.bits(partition, workspace, segment))
                asked.hgetall(keys.ids(partition, workspace))
                few, many, ids = await asked.execute()
            assert not (few and many)
            found |= {member.decode() for member in few}
            found |= {ids[b"%d" % number].decode() for number in set_bits(many or b"")}
        return found

    async def progress(self, segment: str, workspace: str = "w") -> progress.Progress:
        stored = [
            await self.redis.hget(keys.segments(partition, workspace), segment)
            for partition in range(PARTITIONS)
        ]
        parts = [None if data is None else progress.decode(data) for data in stored]
        versions = {part.definition_version for part in parts if part is not None}
        zones = {part.timezone for part in parts if part is not None}
        return progress.aggregate(parts, max(versions, default=0), max(zones, default=""))

    async def settled(self, timeout_s: float = 60) -> None:
        """Waits until everything sent is applied, all definitions are adopted and all transitions
        published."""
        ends = await self.ends(EVENTS)
        await self.until(lambda: self._settled(ends), timeout_s)

    async def _settled(self, ends: dict[int, int]) -> bool:
        async with self.redis.pipeline(transaction=False) as asked:
            for partition in range(PARTITIONS):
                asked.hmget(keys.head(partition), "offset", "catalog", "clock")
                asked.hlen(keys.recounts(partition))
                asked.xlen(keys.outbox(partition))
                asked.keys(keys.segments(partition, "*"))
                asked.hvals(keys.adopted(partition))
            found = await asked.execute()
            segments = []
            for partition in range(PARTITIONS):
                (offset, revision, clock), recounts, outbox, stored, adopted = found[5 * partition :][:5]
                if int(offset or 0) < ends[partition] or int(revision or -1) < self.revision:
                    return False
                if recounts or outbox:
                    return False
                if any(stage.walked != stage.revision for stage in map(decode_stage, adopted)):
                    return False  # who was in a deleted segment has not left it yet
                segments += stored
                asked.zcount(keys.due(partition), "-inf", clock or "-inf")
            for key in segments:
                asked.hvals(key)
            found = await asked.execute()
        progress = [each for values in found[PARTITIONS:] for each in values]
        return not any(found[:PARTITIONS]) and all(b'"ready"' in each for each in progress)

    async def until(self, holds: Callable[[], Awaitable[bool]], timeout_s: float = 60) -> None:
        async with asyncio.timeout(timeout_s):
            while not await holds():  # noqa: ASYNC110
                await asyncio.sleep(LOOK_S)

    async def ends(self, topic: str) -> dict[int, int]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.stack.kafka)
        await consumer.start()
        try:
            tps = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
            return {tp.partition: end for tp, end in (await consumer.end_offsets(tps)).items()}
        finally:
            await consumer.stop()

    async def announced(self) -> list[tuple[int, Transition]]:
        """Everything in topic `memberships`, with its partition, in order within each."""
        found = []
        for record in await self.records(MEMBERSHIPS, PARTITIONS):
            transition = msgspec.json.decode(record.value, type=Transition)
            assert record.key == transition.profile.encode()
            found.append((record.partition, transition))
        return found

    async def heard(self) -> list[Transition]:
        """The same without partitions."""
        return [each for _, each in await self.announced()]

    async def records(self, topic: str, partitions: int) -> list[Any]:
        """Everything in a topic, in order within each partition."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.stack.kafka)
        await consumer.start()
        try:
            tps = [TopicPartition(topic, partition) for partition in range(partitions)]
            ends = await consumer.end_offsets(tps)
            consumer.assign(tps)
            await consumer.seek_to_beginning(*tps)
            found: list[Any] = []
            while any([await consumer.position(tp) < ends[tp] for tp in tps]):
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    found += batch
            return found
        finally:
            await consumer.stop()


@asynccontextmanager
async def rig(stack: Stack, folder: Path) -> AsyncIterator[Rig]:
    producer = AIOKafkaProducer(bootstrap_servers=stack.kafka, enable_idempotence=True)
    await producer.start()
    redis = Redis.from_url(stack.redis)
    made = Rig(stack, folder, producer, redis)
    try:
        yield made
    finally:
        await asyncio.gather(*(evaluator.child.stop() for evaluator in made.evaluators))
        await producer.stop()
        await redis.aclose()
