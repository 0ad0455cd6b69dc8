"""The inbound topic in portions, each committed once it is taken; records that no one can read are passed
over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from livesegments.runtime import metrics
from livesegments.runtime.portions import Portions, Unread
from livesegments.wire.topics import INBOUND, INBOUND_GROUP

MAX_RECORDS = 2_000
LOOK_MS = 1_000

_log = structlog.get_logger(__name__)


class Taker(Protocol):
    """Both return only when the broker has the events and the refusals that came of it."""

    async def take(self, records: Sequence[ConsumerRecord[Any, Any]]) -> None: ...

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

    async def run(self) -> None:
        """Never returns."""
        while True:
            try:
                await self._portion()
            except IllegalStateError as error:  # a partition went to another meanwhile
                _log.info("inbound goes on without a partition", error=repr(error))

    async def _portion(self) -> None:
        """Takes and commits the records that are there, or that come soon."""
        found = await self._portions.take(look_ms=LOOK_MS, most=MAX_RECORDS)
        # not the last records' offsets: what a transaction took back, and its end, have offsets, too
        ends = {each: await self._consumer.position(each) for each in self._consumer.assignment()}
        for unread in (each for each in found if isinstance(each, Unread)):
            await self._taker.unreadable(unread.source, unread.why)
        if records := [each for each in found if not isinstance(each, Unread)]:
            await self._taker.take(records)
        self._measure(ends)
        await self._commit({each: end for each, end in ends.items() if end != self._committed.get(each)})

    def _measure(self, ends: Mapping[TopicPartition, int]) -> None:
        metrics.INGEST_INBOUND_LAG.clear()  # of partitions that went to another
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
