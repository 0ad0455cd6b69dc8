"""The lag of everything: the ends of the topics beside the offsets that are applied and announced."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from msgspec import Struct

from livesegments.runtime.groups import assigned
from livesegments.store import keys
from livesegments.store.client import Client
from livesegments.wire.topics import DEFINITIONS, EVENTS, EVENTS_GROUP, INBOUND, INBOUND_GROUP

TIMEOUT_S = 10.0
FIRST_S = 3.0
"""A read waits at most this long for the broker, once."""


class Partition(Struct, frozen=True):
    """`end` and `applied` are next offsets; `clock_ms` is None before the first event. `due` counts the
    profiles with a due time that the clock has passed and that has not fired, `recounts` those with events
    that are still to be taken back, `handing` the commits whose merged profiles still hand their history
    over, which becomes records of other partitions."""

    end: int
    applied: int
    outbox: int
    revision: int
    clock_ms: int | None
    due: int
    recounts: int
    handing: int


class Inbound(Struct, frozen=True):
    """Of every partition of `inbound`: the next offset, and the one up to which ingest has taken it."""

    ends: tuple[int, ...]
    taken: tuple[int, ...]

    @property
    def behind(self) -> int:
        """Records."""
        return sum(max(0, end - taken) for end, taken in zip(self.ends, self.taken, strict=True))


class Lag(Struct, frozen=True):
    partitions: list[Partition]
    inbound: Inbound
    revision: int
    committed: Mapping[int, int]
    """Partition of `events` → the offset up to which its evaluator told the broker that it is applied."""


class Lags:
    """Opens its clients when first asked."""

    def __init__(self, kafka: str, store: Client, partitions: int) -> None:
        self._kafka = kafka
        self._redis: Any = store
        self._partitions = range(partitions)
        self._clients: tuple[AIOKafkaConsumer, AIOKafkaAdminClient] | None = None
        self._one = asyncio.Lock()

    async def read(self) -> Lag:
        """Reads the ends first, then the applied offsets: so no record looks applied that isn't in the end
        yet.

        Raises KafkaError, TimeoutError or Away."""
        async with asyncio.timeout(TIMEOUT_S), self._one:
            try:
                ends, inbound, revision, committed = await self._topics()
            except BaseException:
                await self.close()
                raise
        pipe = self._redis.pipeline(transaction=False)
        for partition in self._partitions:
            pipe.hmget(keys.head(partition), "offset", "catalog", "clock")
            pipe.hlen(keys.recounts(partition))
            pipe.xlen(keys.handing(partition))  # after what fills it
            pipe.xlen(keys.outbox(partition))  # after what fills it
        replies = await pipe.execute()
        heads, recounts, handings, outboxes = (replies[at::4] for at in range(4))
        for partition, head in zip(self._partitions, heads, strict=True):
            pipe.zcount(keys.due(partition), "-inf", _number(head[2], "-inf"))
        partitions = [
            Partition(
                end,
                int(head[0] or 0),
                outbox,
                _number(head[1], -1),
                _number(head[2], None),
                due,
                recount,
                handed,
            )
            for end, head, outbox, due, recount, handed in zip(
                ends, heads, outboxes, await pipe.execute(), recounts, handings, strict=True
            )
        ]
        return Lag(partitions, inbound, revision, committed)

    async def committed(self) -> Mapping[int, int] | None:
        """As of `Lag`; None while the broker is away."""
        try:
            async with asyncio.timeout(FIRST_S):
                return (await self.read()).committed
        except (KafkaError, OSError, TimeoutError):
            return None

    async def owned(self) -> set[int]:
        """The partitions of `events` that evaluators have now. Raises KafkaError, TimeoutError."""
        async with asyncio.timeout(TIMEOUT_S), self._one:
            try:
                _, admin = await self._open()
                return await assigned(admin, EVENTS_GROUP, EVENTS)
            except BaseException:
                await self.close()
                raise

    async def close(self) -> None:
        if self._clients is not None:
            (consumer, admin), self._clients = self._clients, None
            await asyncio.gather(consumer.stop(), admin.close(), return_exceptions=True)

    async def _topics(self) -> tuple[list[int], Inbound, int, dict[int, int]]:
        consumer, admin = await self._open()
        events = [TopicPartition(EVENTS, p) for p in self._partitions]
        inbound = [TopicPartition(INBOUND, p) for p in self._partitions]
        catalog = TopicPartition(DEFINITIONS, 0)
        ends = await consumer.end_offsets([*events, *inbound, catalog])
        read = await admin.list_consumer_group_offsets(INBOUND_GROUP)
        taken = tuple(max(done.offset if (done := read.get(each)) else 0, 0) for each in inbound)
        applied = await admin.list_consumer_group_offsets(EVENTS_GROUP)
        committed = {
            each.partition: found.offset
            for each in events
            # one beyond the end is of a topic that is gone
            if (found := applied.get(each)) is not None and found.offset <= ends[each]
        }
        came = Inbound(tuple(ends[each] for each in inbound), taken)
        return [ends[partition] for partition in events], came, ends[catalog] - 1, committed

    async def _open(self) -> tuple[AIOKafkaConsumer, AIOKafkaAdminClient]:
        if self._clients is None:
            consumer = AIOKafkaConsumer(bootstrap_servers=self._kafka, enable_auto_commit=False)
            admin = AIOKafkaAdminClient(bootstrap_servers=self._kafka)
            self._clients = consumer, admin
            await consumer.start()
            await admin.start()
        return self._clients


def _number(data: bytes | None, missing: Any) -> Any:
    return missing if data is None else int(data)
