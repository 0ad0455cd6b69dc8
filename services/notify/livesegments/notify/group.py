"""The consumer group: partitions come and go, and the group's offsets in Kafka are brought up.

Progress is in Redis. The offset that is committed to Kafka is that before which every subscription is done.
Where Redis was lost, the lanes begin there, and receivers hear some messages again under their ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from livesegments.notify.log import Log
from livesegments.notify.worker import Worker
from livesegments.wire.topics import MEMBERSHIPS

COMMIT_S = 2.0

_log = structlog.get_logger(__name__)


class Group(ConsumerRebalanceListener):  # type: ignore[misc]
    """`joined`: whether the group has dealt partitions out to us once."""

    def __init__(self, consumer: AIOKafkaConsumer, worker: Worker, log: Log) -> None:
        self.joined = False
        self._consumer, self._worker, self._log = consumer, worker, log
        self._committed: dict[TopicPartition, int] = {}

    def subscribe(self) -> None:
        self._consumer.subscribe([MEMBERSHIPS], listener=self)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await asyncio.gather(*(self._worker.revoke(each.partition) for each in revoked))
        for each in revoked:
            self._log.forget(each.partition)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        partitions = sorted(assigned)
        ends = await self._consumer.end_offsets(partitions) if partitions else {}
        for each in partitions:
            self._committed[each] = await self._consumer.committed(each) or 0
            self._consumer.seek(each, ends[each])
            self._log.begin(each.partition, ends[each])
            await self._worker.assign(each.partition, self._committed[each])
        self.joined = True

    async def commit(self) -> None:
        """Never returns."""
        while True:
            await asyncio.sleep(COMMIT_S)
            mine = self._consumer.assignment()
            ends = {each: self._worker.safe(each.partition) for each in mine}
            higher = {
                each: end
                for each, end in ends.items()
                if end is not None and end > self._committed.get(each, 0)
            }
            try:
                if higher:
                    await self._consumer.commit(higher)
                    self._committed |= higher
            except (KafkaError, IllegalStateError) as error:
                _log.info("offsets not committed to Kafka", error=repr(error))
