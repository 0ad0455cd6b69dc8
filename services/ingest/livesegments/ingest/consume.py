"""The inbound topic in portions, each committed once it is taken; and past what no one can read.

aiokafka raises the same error at the same record for ever when its bytes are not those of a record: the
name of a header that isn't UTF-8 is enough, and any producer can send one. It loses, too, what it had of
other partitions in that call. So all go back to where they are committed, and that one is read record by
record up to the bad one, which is told by its offset, and passed over. (So are those behind it in the same
batch of its producer: a batch is read from its beginning.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException, IllegalStateError, KafkaError

from livesegments.wire.topics import INBOUND, INBOUND_GROUP

MAX_RECORDS = 2_000
LOOK_MS = 1_000
ROUNDS, ROUND_S = 250, 0.02
"""How long an unreadable record is looked for; an error that was of the wire doesn't come again."""

_log = structlog.get_logger(__name__)


class Unreadable(Exception):
    """Of some partition, the next record is no record."""


class Taker(Protocol):
    """Both return only when the broker has what came of it."""

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
    def __init__(self, records: AIOKafkaConsumer, taker: Taker) -> None:
        self._records = records
        self._taker = taker
        self._committed: dict[TopicPartition, int] = {}

    async def run(self) -> None:
        """Never returns."""
        while True:
            try:
                await self._portion()
            except Unreadable:
                await self._pass_over()
            except IllegalStateError as error:  # a partition went to another meanwhile
                _log.info("inbound goes on without a partition", error=repr(error))

    async def _portion(
        self, *partitions: TopicPartition, look_ms: int = LOOK_MS, most: int = MAX_RECORDS
    ) -> bool:
        """Takes and commits what is there, or what comes soon. Whether anything was. Raises Unreadable."""
        try:
            found = await self._records.getmany(*partitions, timeout_ms=look_ms, max_records=most)
        except (CorruptRecordException, UnicodeDecodeError) as error:
            raise Unreadable(str(error)) from error
        # not the last records' offsets: what a transaction took back, and its end, have offsets, too
        ends = {each: await self._records.position(each) for each in partitions or self._records.assignment()}
        if found:
            await self._taker.take([record for batch in found.values() for record in batch])
        await self._commit({each: end for each, end in ends.items() if end != self._committed.get(each)})
        return bool(found)

    async def _pass_over(self) -> None:
        """Goes on, partition by partition, until it is known which of them has the unreadable record."""
        for partition in self._records.assignment():
            at = await self._records.committed(partition)
            if at is None:
                await self._records.seek_to_beginning(partition)
            else:
                self._records.seek(partition, at)
        for _ in range(ROUNDS):
            for partition in self._records.assignment():
                try:
                    await self._portion(partition, look_ms=0)
                except Unreadable:
                    await self._pass(partition)
                    return
            await asyncio.sleep(ROUND_S)

    async def _pass(self, partition: TopicPartition) -> None:
        """Up to and past this partition's unreadable record."""
        try:
            while await self._portion(partition, most=1):
                pass
        except Unreadable as error:
            at = await self._records.position(partition)
            await self._taker.unreadable(f"{partition.topic}/{partition.partition}/{at}", str(error))
            self._records.seek(partition, at + 1)
            await self._commit({partition: at + 1})

    async def _commit(self, ends: Mapping[TopicPartition, int]) -> None:
        """If it fails, the records are read again by whoever has the partitions then."""
        if not ends:
            return
        try:
            await self._records.commit(dict(ends))
        except KafkaError as error:
            _log.info("offsets not committed", error=repr(error))
        else:
            self._committed |= ends
