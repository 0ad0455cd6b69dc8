"""The inbound topic in portions, each committed once it is taken; records that no one can read are passed
over.

A topic can't answer 429: what a workspace has beyond its quota of events waits here, in order, and the
records of others behind it go on. The offset that is committed is that of the first record that waits. After
a crash all behind it is read again and dropped by its ids, of which a profile remembers the newest thousand.
So at most `MAX_AHEAD` records of a partition go past one that waits, and then the whole partition waits.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from livesegments.runtime import metrics
from livesegments.runtime.portions import Found, Portions, Unread
from livesegments.wire.topics import INBOUND, INBOUND_GROUP

MAX_RECORDS = 1_000
"""Of a portion: not more than a profile remembers ids, if all of them are of one profile."""
MAX_AHEAD = 1_000
LOOK_MS = 1_000
LOOK_AGAIN_MS = 50
"""While records wait."""

_log = structlog.get_logger(__name__)


class Taker(Protocol):
    """Both return only when the broker has the events and the refusals that came of it.

    `take` returns the records that wait, in order: they come first in the next call.
    """

    async def take(self, records: Sequence[ConsumerRecord[Any, Any]]) -> list[ConsumerRecord[Any, Any]]: ...

    async def unreadable(self, source: str, why: str) -> None: ...


def consumer(kafka: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        INBOUND,
        bootstrap_servers=kafka,
        group_id=INBOUND_GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=8_000,
        max_poll_records=MAX_RECORDS,
        isolation_level="read_committed",  # what an upstream transaction took back never happened
    )


class Reader:
    def __init__(self, consumer: AIOKafkaConsumer, taker: Taker) -> None:
        self._consumer = consumer
        self._portions = Portions(consumer)
        self._taker = taker
        self._committed: dict[TopicPartition, int] = {}
        self._waiting: list[ConsumerRecord[Any, Any]] = []

    async def run(self) -> None:
        """Never returns."""
        while True:
            try:
                await self._portion()
            except IllegalStateError as error:  # a partition went to another meanwhile
                _log.info("inbound goes on without a partition", error=repr(error))

    async def _portion(self) -> None:
        """Takes and commits the records that are there, or that come soon."""
        found = await self._read()
        # not the last records' offsets: what a transaction took back, and its end, have offsets, too
        ends = {each: await self._consumer.position(each) for each in self._consumer.assignment()}
        for unread in (each for each in found if isinstance(each, Unread)):
            await self._taker.unreadable(unread.source, unread.why)
        records = [each for each in found if not isinstance(each, Unread)]
        if self._waiting:
            self._forget(records)
        if self._waiting or records:
            self._waiting = await self._taker.take([*self._waiting, *records])
        self._measure(ends)
        for record in reversed(self._waiting):
            ends[_partition(record)] = record.offset
        await self._commit({each: end for each, end in ends.items() if end != self._committed.get(each)})

    async def _read(self) -> list[Found]:
        if not self._waiting:
            return await self._portions.take(look_ms=LOOK_MS, most=MAX_RECORDS)
        ahead = {
            each: await self._consumer.position(each) - self._committed.get(each, 0)
            for each in self._consumer.assignment()
        }
        held = Counter(map(_partition, self._waiting))
        free = [each for each, records in ahead.items() if each not in held or records < MAX_AHEAD]
        if not free:
            await asyncio.sleep(LOOK_AGAIN_MS / 1_000)
            return []
        most = MAX_AHEAD - max((ahead[each] for each in free if each in held), default=0)
        return await self._portions.take(free, look_ms=LOOK_AGAIN_MS, most=most)

    def _forget(self, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        """Those that wait though their partition went to another, or is read again from before them."""
        again = {_partition(record): record.offset for record in reversed(records)}
        mine = self._consumer.assignment()
        self._waiting = [
            each
            for each in self._waiting
            if (at := _partition(each)) in mine and (at not in again or each.offset < again[at])
        ]

    def _measure(self, ends: Mapping[TopicPartition, int]) -> None:
        metrics.INGEST_INBOUND_LAG.clear()  # of partitions that went to another
        metrics.INGEST_INBOUND_WAITING.set(len(self._waiting))
        for partition, end in ends.items():
            high = self._consumer.highwater(partition)
            if high is not None:
                metrics.INGEST_INBOUND_LAG.labels(str(partition.partition)).set(max(0, high - end))

    async def _commit(self, ends: Mapping[TopicPartition, int]) -> None:
        """If it fails, the records are read again by whoever has the partitions then."""
        if not ends:
            return
        try:
            await self._consumer.commit(dict(ends))
        except KafkaError as error:
            _log.info("offsets not committed", error=repr(error))
        else:
            self._committed |= ends


def _partition(record: ConsumerRecord[Any, Any]) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)
