"""Faust's Kafka transport, except that it begins to read elsewhere, reads in the worker's own event loop,
survives a failed commit, and hands on a batch of records at once.

The offset lives in Redis with the state that it describes (law 2). So on assignment the consumer asks the
owners of the partitions where to read from. The offset that is committed to Kafka serves monitoring, and
an api that must know whether the store was taken back: if that commit fails, nothing is lost, and it is no
reason to crash.

Faust has a consumer in a thread of its own. It is the member of the group, and nothing that is computed here
keeps it from telling the broker that we live. But it reads nothing: a thread that reads
wants the interpreter's lock several times for every record, and in a storm of due times it would wait for it,
and then for a core, each time. A second consumer, which is in no group, reads in our loop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog
import uvloop
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from livesegments.runtime.portions import Portions, Unread

_log = structlog.get_logger(__name__)

NOTHING_S = 0.1
"""While no partition is ours, it is looked again after this time."""
FULL_S = 0.001
"""While a partition has no room, it is looked so often whether it has, and what came for the others. What is
read at once lasts for longer."""


class ConsumerThread(driver.AIOKafkaConsumerThread):
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

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self._ensure_consumer().pause(*(TopicPartition(*tp) for tp in assigned))
        await super().on_partitions_assigned(assigned, generation_id)


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


def records_of(message: Any) -> Sequence[Any]:
    """Of a partition, what was read together and came as one message, in order."""
    return [*getattr(message, "before", ()), message]


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
        self._reader: AIOKafkaConsumer | None = None
        self._portions: Portions | None = None
        self._read_s = 0.0

    def _new_consumer_thread(self) -> ConsumerThread:
        """Faust would give the thread asyncio's own event loop, which is slower."""
        thread = ConsumerThread(self, loop=self.loop, thread_loop=uvloop.new_event_loop(), beacon=self.beacon)
        thread._close_thread_loop_on_stop = True
        return thread

    async def on_stop(self) -> None:
        await super().on_stop()
        if self._reader is not None:
            await self._reader.stop()

    async def _started_reader(self) -> AIOKafkaConsumer:
        if self._reader is None:
            conf, transport = self.app.conf, self.transport
            assert isinstance(transport, Transport)
            reader = AIOKafkaConsumer(
                bootstrap_servers=driver.server_list(transport.url, transport.default_port),
                client_id=conf.broker_client_id,
                enable_auto_commit=False,
                auto_offset_reset=conf.consumer_auto_offset_reset,
                max_poll_records=conf.broker_max_poll_records,
                max_partition_fetch_bytes=conf.consumer_max_fetch_size,
                request_timeout_ms=int(conf.broker_request_timeout * 1_000),
                check_crcs=conf.broker_check_crcs,
                metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
                connections_max_idle_ms=conf.consumer_connections_max_idle_ms,
                **driver.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
            )
            try:
                await reader.start()
            except BaseException:
                await reader.stop()
                raise
            self._reader, self._portions = reader, Portions(reader)
        return self._reader

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> dict[Any, list[Any]]:  # noqa: ASYNC109  (Faust's)
        """Faust dies of a record that can't be read, and again after each start: an empty one goes in its
        place, which the owner of the partition keeps in `rejected`."""
        reader, portions = self._reader, self._portions
        if not self.flow_active or reader is None or portions is None:
            return {}
        assert isinstance(self.transport, Transport)
        ours = reader.assignment()
        mine = [each for tp in active_partitions or () if (each := TopicPartition(*tp)) in ours]
        wanted = [each for each in mine if not self.transport.full(each.partition)]
        if not wanted:
            await self.sleep(FULL_S if mine else NOTHING_S)
            return {}
        if (early_s := self._read_s + self.transport.round_s() - self.loop.time()) > 0:
            await self.sleep(early_s)
        look_ms = int(timeout * 1_000) if len(wanted) == len(mine) else 0
        most = self.app.conf.broker_max_poll_records
        try:
            found = await portions.take(wanted, look_ms=look_ms, most=most)
        except IllegalStateError as error:  # a partition went to another meanwhile
            _log.info("reading goes on without a partition", error=repr(error))
            return {}
        records: dict[TopicPartition, list[Any]] = {}
        for each in found:
            if isinstance(each, Unread):
                _log.error("a record can't be read", source=each.source, why=each.why)
            record = _empty(each) if isinstance(each, Unread) else each
            records.setdefault(TopicPartition(each.topic, each.partition), []).append(record)
        if not found and not look_ms:
            await self.sleep(FULL_S)
        self._read_s = self.loop.time()
        return records

    async def _seek(self, partition: TP, offset: int) -> None:
        (await self._started_reader()).seek(TopicPartition(*partition), offset)

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        for tp, offset in partitions.items():
            await self._seek(tp, offset)

    async def position(self, tp: TP) -> int | None:
        offset: int = await (await self._started_reader()).position(TopicPartition(*tp))
        return offset

    def highwater(self, tp: TP) -> int:
        """Raises AssertionError where the partition is not read."""
        assert self._reader is not None, "nothing is read yet"
        end: int = self._reader.highwater(TopicPartition(*tp))
        return end

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust would look whether its own consumer reads. An owner sees whether its records come."""

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
        """What is left when the flow is suspended for a rebalance is lost here, and is read again.

        A stream of Faust takes one turn of the event loop for every record, and beside a filling a turn takes
        milliseconds: 400 small records a second would wait for seconds. So the records of a partition that
        were read together are one for Faust (`records_of`).
        """
        together = dict[TP, list[Any]]()
        for message in batch:
            together.setdefault(message.tp, []).append(message)
        for messages in together.values():
            last = messages.pop()
            last.before = messages
            await self.callback(last)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        assigned = self.assignment()
        firsts, ends = await self.earliest_offsets(*assigned), await self.highwaters(*assigned)
        assert isinstance(self.transport, Transport)
        offsets = await self.transport.begin(firsts, ends)
        reader = await self._started_reader()
        if offsets:
            reader.assign([TopicPartition(*tp) for tp in offsets])
        else:
            reader.unsubscribe()
        await self.seek_wait(offsets)
        return offsets


class Transport(driver.Transport):
    Consumer = Consumer

    def __init__(
        self,
        url: Any,
        app: Any,
        begin: Begin,
        full: Callable[[int], bool],
        round_s: Callable[[], float],
    ) -> None:
        """`full`: whether no more records of a partition are to be read now, so that the others' go past.
        `round_s`: how long after records were read the next ones are, at the earliest."""
        super().__init__(url, app)
        self.begin = begin
        self.full = full
        self.round_s = round_s
