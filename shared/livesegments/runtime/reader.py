"""One topic, all its partitions, for one reader: up to its end, without an end, or from where a reader
stopped.

    reader = Reader(kafka, "definitions")
    await reader.start()                      # from the first record; "end"; or {partition: offset}
    async for record in reader.to_end(): …    # all that is there by now
    async for record in reader.follow(): …    # and what comes, whatever happens to the broker

A record is a `ConsumerRecord`, or an `Unread` where the client library can't read it. No consumer group is
joined and nothing is committed: a reader that wants to resume keeps the offsets.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Literal

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from livesegments.runtime.portions import Found, Portions
from livesegments.runtime.retry import until_done

LOOK_MS = 1_000

_log = structlog.get_logger(__name__)

Start = Literal["first", "end"] | Mapping[int, int]
"""Where to begin: a mapping gives the next offset of each partition that it names, the others begin at the
end."""


class Reader:
    """`start`, then `take`, `to_end` or `follow`, one of them at a time; `close` at the end, always."""

    def __init__(self, kafka: str, topic: str, partitions: int = 1) -> None:
        self.topic = topic
        self._partitions = [TopicPartition(topic, number) for number in range(partitions)]
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False
        )
        self._portions = Portions(self._consumer)

    async def start(self, at: Start = "first") -> None:
        """Raises aiokafka.errors.KafkaError; OffsetOutOfRangeError if what `at` names is gone from the
        log, or was never there: nothing is passed over in silence."""
        await self._consumer.start()
        self._consumer.assign(self._partitions)
        if at == "first":
            await self._consumer.seek_to_beginning(*self._partitions)
            return
        begin = await self.ends()
        if at != "end":
            firsts = await self._consumer.beginning_offsets(self._partitions)
            for partition, offset in at.items():
                first = firsts[TopicPartition(self.topic, partition)]
                if not first <= offset <= begin[partition]:
                    raise OffsetOutOfRangeError(
                        f"{self.topic}/{partition} holds the offsets from {first} to {begin[partition]}, "
                        f"not {offset}"
                    )
            begin |= at
        for partition, offset in begin.items():
            self._consumer.seek(TopicPartition(self.topic, partition), offset)

    async def close(self) -> None:
        await self._consumer.stop()

    async def ends(self) -> dict[int, int]:
        """Partition → the offset after its last record, now. Raises aiokafka.errors.KafkaError."""
        ends = await self._consumer.end_offsets(self._partitions)
        return {each.partition: end for each, end in ends.items()}

    async def at_instant(self, ms: int) -> dict[int, int]:
        """Partition → the offset of its first record that is stamped so or later; its end, if there is none.
        Raises aiokafka.errors.KafkaError."""
        found = await self._consumer.offsets_for_times(dict.fromkeys(self._partitions, ms))
        ends = await self.ends()
        return {
            each.partition: ends[each.partition] if at is None else at.offset for each, at in found.items()
        }

    async def positions(self) -> dict[int, int]:
        """Partition → the offset of the record that comes next."""
        return {each.partition: await self._consumer.position(each) for each in self._partitions}

    async def take(self, look_ms: int = LOOK_MS) -> list[Found]:
        """The records that are there, or that come within `look_ms`. Raises aiokafka.errors.KafkaError."""
        return await self._portions.take(look_ms=look_ms)

    async def to_end(self) -> AsyncIterator[Found]:
        """Everything up to the end as it is now. Raises aiokafka.errors.KafkaError."""
        ends = await self.ends()
        while any(at < ends[partition] for partition, at in (await self.positions()).items()):
            for record in await self.take():
                yield record

    async def follow(self) -> AsyncIterator[Found]:
        """Never ends. Waits for a broker that is away."""
        while True:
            try:
                found = await self.take()
            except KafkaError as error:
                _log.warning("the topic can't be read now", topic=self.topic, error=repr(error))
                found = await until_done(self.take, KafkaError)
            for record in found:
                yield record
