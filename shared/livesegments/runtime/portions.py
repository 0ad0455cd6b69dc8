"""A consumer's records in portions, past those that the client library itself can't read.

A header whose name is not UTF-8 is enough, and any producer can send one: aiokafka then raises the same
error at the same record for ever, and loses what it had of other partitions in that call. So after such an
error all partitions go back to where they were before the call; then one partition is read at a time until
it is known which has the unreadable record, and that partition record by record up to it. Its place is
handed out as an `Unread`, and reading goes on behind it. The records behind it in the same batch of its
producer are unread, too: aiokafka reads a batch from its beginning.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Collection
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from msgspec import Struct

ROUNDS, ROUND_S = 250, 0.02
"""How long an unreadable record is looked for; an error that was of the wire doesn't come again."""

CAUSES = (CorruptRecordException, UnsupportedCodecError, UnicodeDecodeError, IndexError, struct.error)
"""The errors of aiokafka at the bytes of a record, with its C extension and without it."""


class Unread(Struct, frozen=True):
    """The record at `offset` is there, but can't be read; `why` is the library's error."""

    topic: str
    partition: int
    offset: int
    why: str

    @property
    def source(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


Found: TypeAlias = ConsumerRecord[Any, Any] | Unread


class Portions:
    """Of one consumer, whose positions nobody else moves while `take` runs."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self.consumer = consumer
        self._rounds = 0
        self._only: TopicPartition | None = None

    async def take(
        self, partitions: Collection[TopicPartition] = (), *, look_ms: int, most: int | None = None
    ) -> list[Found]:
        """The records that are there, or that come soon, in order within each partition; `partitions`: these
        alone.

        Nothing, too, while an unreadable record is looked for. Raises aiokafka.errors.KafkaError.
        """
        wanted = list(partitions or self.consumer.assignment())
        if self._only in wanted and self._rounds > 0:
            return await self._up_to(self._only, look_ms)
        if self._rounds > 0:
            return await self._search(wanted, most)
        before = [(each, await self.consumer.position(each)) for each in wanted]
        try:
            found = await self.consumer.getmany(*partitions, timeout_ms=look_ms, max_records=most)
        except CAUSES:
            for partition, offset in before:
                self.consumer.seek(partition, offset)
            self._rounds, self._only = ROUNDS, None
            return []
        return [record for records in found.values() for record in records]

    async def _search(self, wanted: list[TopicPartition], most: int | None) -> list[Found]:
        """One partition at a time, until one of them raises."""
        found: list[Found] = []
        for partition in wanted:
            before = await self.consumer.position(partition)
            try:
                records = await self.consumer.getmany(partition, timeout_ms=0, max_records=most)
            except CAUSES:
                self.consumer.seek(partition, before)
                self._rounds, self._only = ROUNDS, partition
                return found
            found += [record for batch in records.values() for record in batch]
        self._rounds -= 1
        if not found:
            await asyncio.sleep(ROUND_S)
        return found

    async def _up_to(self, partition: TopicPartition, look_ms: int) -> list[Found]:
        """The next record of the partition, or its unreadable one."""
        look_ms = min(look_ms, int(ROUND_S * 1_000)) or 1
        try:
            found = await self.consumer.getmany(partition, timeout_ms=look_ms, max_records=1)
        except CAUSES as error:
            offset = await self.consumer.position(partition)
            self.consumer.seek(partition, offset + 1)
            self._rounds, self._only = 0, None
            return [Unread(partition.topic, partition.partition, offset, str(error) or repr(error))]
        if not found:
            self._rounds -= 1
        return [record for records in found.values() for record in records]
