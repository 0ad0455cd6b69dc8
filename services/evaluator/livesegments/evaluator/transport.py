"""Faust's Kafka transport, but for where it begins to read and what a failed commit means.

The offset lives in Redis with the state that it describes (law 2). So on assignment the consumer asks the
owners of the partitions where to read from. What is committed to Kafka is only for lag monitoring: if
that fails, nothing is lost, and it is no reason to crash.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

_log = structlog.get_logger(__name__)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        consumer = self._ensure_consumer()
        mine = self.assignment()
        try:
            await consumer.commit({tp: offset for tp, offset in offsets.items() if tp in mine})
        except KafkaError as error:
            _log.info("offsets not committed to Kafka", error=repr(error))
            return False
        return True


Begin = Callable[[Mapping[TP, int], Mapping[TP, int]], Awaitable[Mapping[TP, int]]]
"""Of the partitions assigned, the first offset and the end of the log → where to read from."""


class Unremembered(dict[Any, int | None]):
    """Of no partition is it known what was read.

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
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

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
