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


async def run(records: AIOKafkaConsumer, taker: Taker) -> None:
    """Never returns."""
    while True:
        try:
            await _portion(records, taker)
        except Unreadable:
            await _pass_over(records, taker)
        except IllegalStateError as error:  # a partition went to another meanwhile
            _log.info("inbound goes on without a partition", error=repr(error))


async def _portion(
    records: AIOKafkaConsumer,
    taker: Taker,
    *partitions: TopicPartition,
    look_ms: int = LOOK_MS,
    most: int = MAX_RECORDS,
) -> bool:
    """Takes and commits what is there, or what comes soon. Whether anything was. Raises Unreadable."""
    try:
        found = await records.getmany(*partitions, timeout_ms=look_ms, max_records=most)
    except (CorruptRecordException, UnicodeDecodeError) as error:
        raise Unreadable(str(error)) from error
    # not the last record's offset: a transaction's end has one, too, and no record
    ends = {partition: await records.position(partition) for partition in found}
    if found:
        await taker.take([record for batch in found.values() for record in batch])
        await _commit(records, ends)
    return bool(found)


async def _pass_over(records: AIOKafkaConsumer, taker: Taker) -> None:
    """Goes on, partition by partition, until it is known which of them has the unreadable record."""
    for partition in records.assignment():
        at = await records.committed(partition)
        if at is None:
            await records.seek_to_beginning(partition)
        else:
            records.seek(partition, at)
    for _ in range(ROUNDS):
        for partition in records.assignment():
            try:
                await _portion(records, taker, partition, look_ms=0)
            except Unreadable:
                await _pass(records, taker, partition)
                return
        await asyncio.sleep(ROUND_S)


async def _pass(records: AIOKafkaConsumer, taker: Taker, partition: TopicPartition) -> None:
    """Up to and past this partition's unreadable record."""
    try:
        while await _portion(records, taker, partition, most=1):
            pass
    except Unreadable as error:
        at = await records.position(partition)
        await taker.unreadable(f"{partition.topic}/{partition.partition}/{at}", str(error))
        records.seek(partition, at + 1)
        await _commit(records, {partition: at + 1})


async def _commit(records: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> None:
    """If it fails, the records are read again by whoever has the partitions then."""
    try:
        await records.commit(dict(ends))
    except KafkaError as error:
        _log.info("offsets not committed", error=repr(error))
