"""Topic `memberships` as the lanes of this worker read it: each from its own offset, at its own pace.

One consumer of the group reads the partitions' ends into a short memory for all lanes. A lane that is further
behind reads pages of the topic through a second consumer, one page at a time. So the topic itself is the
queue of a receiver that is slow or away, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from cachetools import LRUCache

from livesegments.core.event import Transition
from livesegments.notify.lane import Read
from livesegments.runtime import metrics
from livesegments.runtime.portions import Found, Portions, Unread
from livesegments.runtime.retry import until_done
from livesegments.wire import memberships
from livesegments.wire.topics import MEMBERSHIPS
from livesegments.wire.unreadable import Unreadable

REMEMBERED = 4_000
"""Records of a partition."""
PAGE = 2_000
PAGES = 16
"""Pages of lanes that are behind, a worker's partitions each with one of their own: fewer, and a page is read
anew whenever its lane goes on."""
LOOK_MS = 500

_log = structlog.get_logger(__name__)


class Log:
    """`arrived(partition)` is called when there is more to read of it."""

    def __init__(self, kafka: str, arrived: Callable[[int], None]) -> None:
        self._arrived = arrived
        self._recent: dict[int, deque[Read]] = {}
        self._ends: dict[int, int] = {}
        self._pages: LRUCache[tuple[int, int], Sequence[Read]] = LRUCache(PAGES)
        self._paging = asyncio.Lock()
        self._behind = AIOKafkaConsumer(
            bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        self._behind_portions = Portions(self._behind)

    async def start(self) -> None:
        await self._behind.start()

    async def close(self) -> None:
        await self._behind.stop()

    async def follow(self, consumer: AIOKafkaConsumer) -> None:
        """Never returns: keeps the ends of the consumer's partitions in memory."""
        portions = Portions(consumer)

        async def look() -> list[Found]:
            return await portions.take(look_ms=LOOK_MS)

        while True:
            try:
                found = await until_done(look, KafkaError)
            except IllegalStateError:  # a partition went to another meanwhile
                continue
            if not consumer.assignment():
                await asyncio.sleep(LOOK_MS / 1_000)
            for record in found:
                recent = self._recent.get(record.partition)
                if recent is not None:
                    recent.append(Read(record.offset, transition_of(record)))
                    self._ends[record.partition] = record.offset + 1
            for partition in {record.partition for record in found}:
                self._arrived(partition)

    def begin(self, partition: int, end: int) -> None:
        """The consumer reads the partition from offset `end` on."""
        self._recent[partition], self._ends[partition] = deque(maxlen=REMEMBERED), end
        self._arrived(partition)

    def forget(self, partition: int) -> None:
        self._recent.pop(partition, None)
        self._ends.pop(partition, None)

    def end(self, partition: int) -> int:
        """The offset up to which all is known to be there."""
        return self._ends.get(partition, 0)

    async def read(self, partition: int, at: int, most: int) -> Sequence[Read]:
        """Records from offset `at` on; none where it is at the end. Raises KafkaError."""
        recent = self._recent.get(partition)
        if recent is None or at >= self._ends[partition]:
            return ()
        if recent and recent[0].offset <= at:
            first = _position(recent, at)
            return list(islice(recent, first, first + most))
        page = await self._page(partition, at)
        start = _position(page, at)
        return page[start : start + most]

    async def _page(self, partition: int, at: int) -> Sequence[Read]:
        async with self._paging:
            for (of, _), page in list(self._pages.items()):
                if of == partition and page and page[0].offset <= at <= page[-1].offset:
                    return page
            tp = TopicPartition(MEMBERSHIPS, partition)
            self._behind.assign([tp])
            self._behind.seek(tp, at)
            found = await self._behind_portions.take(look_ms=LOOK_MS, most=PAGE)
            page = [Read(record.offset, transition_of(record)) for record in found]
            if page:
                if page[0].offset > at:
                    metrics.NOTIFY_LOST.inc(page[0].offset - at)
                    _log.error("the topic does not hold these any more", partition=partition, at=at)
                self._pages[partition, at] = page
            return page


def _position(reads: Sequence[Read], at: int) -> int:
    """Of the first read at offset `at` or after it."""
    low, high = 0, len(reads)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if reads[middle].offset < at else (low, middle)
    return low


def transition_of(record: Found) -> Transition | None:
    """None, counted and logged, where it is none."""
    try:
        if isinstance(record, Unread):
            raise Unreadable(record.why)
        return memberships.decode(record.value)
    except Unreadable as error:
        metrics.NOTIFY_UNREADABLE.inc()
        at = f"{record.topic}/{record.partition}/{record.offset}"
        _log.error("a transition can't be read", source=at, error=str(error))
        return None
