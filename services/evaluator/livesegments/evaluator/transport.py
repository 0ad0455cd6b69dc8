"""Faust's Kafka transport, except that it begins to read elsewhere, survives a failed commit, and hands on a
batch of records at once.

The offset lives in Redis with the state that it describes (law 2). So on assignment the consumer asks the
owners of the partitions where to read from. The offset that is committed to Kafka serves monitoring, and
an api that must know whether the store was taken back: if that commit fails, nothing is lost, and it is no
reason to crash.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog
import uvloop
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from livesegments.runtime.portions import Portions, Unread

_log = structlog.get_logger(__name__)


def worth_saying(record: logging.LogRecord) -> bool:
    """Not Faust's error "Has not committed TP(…)": a quiet partition commits nothing, and our offsets are in
    Redis. All else that is logged is."""
    return "Has not committed" not in str(record.msg)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    _portions: Portions | None = None
    _committed: dict[TP, int]
    _mine: frozenset[TP] = frozenset()

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Only upwards: where the store was taken back, the group's offset tells readers how far it was."""
        consumer = self._ensure_consumer()
        mine = frozenset(self.assignment())
        try:
            if mine != self._mine:  # others may have committed meanwhile
                found = {tp: await consumer.committed(TopicPartition(*tp)) for tp in mine}
                self._committed, self._mine = {tp: offset or 0 for tp, offset in found.items()}, mine
            higher = {
                tp: offset
                for tp, offset in offsets.items()
                if tp in mine and offset > self._committed.get(tp, 0)
            }
            if higher:
                await consumer.commit(higher)
                self._committed |= higher
        except KafkaError as error:
            _log.info("offsets not committed to Kafka", error=repr(error))
            return False
        return True

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109  (Faust's)
        max_records: int | None = None,
    ) -> dict[TopicPartition, list[Any]]:
        """Faust dies of a record that can't be read, and again after each start: an empty one goes in its
        place, which the owner of the partition keeps in `rejected`."""
        if not self.consumer.flow_active:
            return {}
        if self._portions is None or self._portions.consumer is not consumer:
            self._portions = Portions(consumer)
        wanted = [TopicPartition(*each) for each in active_partitions]
        try:
            found = await self._portions.take(wanted, look_ms=int((timeout or 0) * 1_000), most=max_records)
        except IllegalStateError as error:  # a partition went to another meanwhile
            _log.info("reading goes on without a partition", error=repr(error))
            return {}
        records: dict[TopicPartition, list[Any]] = {}
        for each in found:
            if isinstance(each, Unread):
                _log.error("a record can't be read", source=each.source, why=each.why)
            record = _empty(each) if isinstance(each, Unread) else each
            records.setdefault(TopicPartition(each.topic, each.partition), []).append(record)
        return records


UNREAD = "\0unread"
"""The header with the reason. A record with this very header would only be taken for unreadable itself."""


def _empty(unread: Unread) -> ConsumerRecord[None, bytes]:
    headers = ((UNREAD, unread.why.encode()),)
    return ConsumerRecord(
        unread.topic, unread.partition, unread.offset, 0, 0, None, b"", None, -1, 0, headers
    )


def reason(headers: Any) -> str:
    """Why a record came empty; "" for one that was read."""
    return next(
        ((value or b"").decode(errors="replace") for name, value in headers or () if name == UNREAD), ""
    )


Begin = Callable[[Mapping[TP, int], Mapping[TP, int]], Awaitable[Mapping[TP, int]]]
"""Of the partitions assigned, the first offset and the end of the log → where to read from."""


class Unremembered(dict[Any, int | None]):
    """No memory of which offsets of a partition were read.

    Faust drops a record below the highest offset that it has delivered. It notes that offset only when the
    record is delivered, so one in its hands while we seek back sets it up again, and all that is read once
    more would fall without a word. The owner looks at every offset itself.
    """

    def __getitem__(self, _: Any) -> None:
        return None


class Consumer(driver.Consumer):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = Unremembered()

    def _new_consumer_thread(self) -> ConsumerThread:
        """Faust would give the thread asyncio's own event loop, which is slower."""
        thread = ConsumerThread(self, loop=self.loop, thread_loop=uvloop.new_event_loop(), beacon=self.beacon)
        thread._close_thread_loop_on_stop = True
        return thread

    async def _drain_messages(self, fetcher: Any) -> None:
        """Faust makes four tasks for every record, and the next one waits for two rounds of the event loop.
        In a storm of due times a round takes milliseconds. Here a batch costs what a record costs there.
        """
        while not (self._stopped.is_set() or fetcher._stopped.is_set()):
            await self.sleep(0)
            batch = [message async for _, message in self.getmany(timeout=1.0)]
            if self._commit_every is not None and self._n_acked >= self._commit_every:
                self._n_acked = 0
                await self.commit()
            if batch:
                await self.wait_first(self._hand_on(batch), self.suspend_flow.wait())

    async def _hand_on(self, batch: Sequence[Any]) -> None:
        """What is left when the flow is suspended for a rebalance is lost here, and is read again."""
        for message in batch:
            await self.callback(message)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        assigned = self.assignment()
        firsts, ends = await self.earliest_offsets(*assigned), await self.highwaters(*assigned)
        assert isinstance(self.transport, Transport)
        offsets = await self.transport.begin(firsts, ends)
        await self.seek_wait(offsets)
        return offsets


class Transport(driver.Transport):
    Consumer = Consumer

    def __init__(self, url: Any, app: Any, begin: Begin) -> None:
        super().__init__(url, app)
        self.begin = begin
