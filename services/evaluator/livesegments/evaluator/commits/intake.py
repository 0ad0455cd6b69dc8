"""The records of a partition that wait to be applied, and where its log is read on.

The intake lives as long as its owner: the loss of a claim takes nothing out of it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from livesegments.evaluator.ports import Log, Received
from livesegments.runtime import metrics

SEEK_AGAIN_S = 5.0
"""The log is asked to go back to the same offset at most once in this time."""


class Forgotten(Exception):
    """The log no longer has the next record: a checkpoint must help, or the records are lost."""


class Intake:
    """`next` is the offset of the record that will come next. No more are read while it is `full`: while
    `limit` records wait, or more, as those of a batch that was read at once are all taken.

    `first` is the first offset that the log still has, as far as known.
    """

    def __init__(self, number: int, log: Log, limit: int, wake: Callable[[], None]) -> None:
        self.records: deque[Received] = deque()
        self.next = 0
        self.first = 0
        self._number = number
        self._log = log
        self._limit = limit
        self._wake = wake
        self._end = 0
        self._bounded = asyncio.Event()
        self._now_s = asyncio.get_running_loop().time
        self._came_s = self._now_s()
        self._sought: tuple[int, float] = (-1, 0.0)
        self._logger = structlog.get_logger(__name__).bind(partition=number)

    # -- from outside

    def offer(self, record: Received) -> None:
        self.records.append(record)
        self._came_s = self._now_s()
        self.next = record.offset + 1
        self._wake()

    @property
    def full(self) -> bool:
        return len(self.records) >= self._limit

    def close(self) -> None:
        self.records.clear()

    def bound(self, applied: int, first: int, end: int) -> int:
        """The offset to read from: `applied`, or what the log still has of [first, end) if that is less."""
        self.first, self._end = first, end
        self._bounded.set()
        if applied > end:
            self._logger.error("the log has lost its end", stored=applied, end=end)
        self.next = min(max(applied, first), end)
        return self.next

    # -- for the owner

    def lag(self, applied: int) -> int | None:
        """Records of the log from offset `applied` on, as far as known."""
        end = self._log.end(self._number)
        return None if end is None else max(0, end - applied)

    async def end(self) -> int:
        """The offset after the last record that is known of; once it was said what the log has."""
        await self._bounded.wait()
        return self._known_end

    def there(self, offset: int) -> int:
        """An offset that was applied once, or the log's end where that has lost it."""
        return min(offset, self._known_end) if self._bounded.is_set() else offset

    @property
    def _known_end(self) -> int:
        return max(self._end, self._log.end(self._number) or 0)

    def drop(self) -> None:
        """The first record is under way, or not wanted."""
        self.records.popleft()

    def put_back(self, records: Sequence[Received], applied: int) -> None:
        """Takes back the records that were under way when a claim was lost; those that are stored are
        acknowledged."""
        for record in records:
            if record.offset < applied:
                record.ack()
        back = [record for record in reversed(records) if record.offset >= applied]
        self.records.extendleft(back)

    def renew(self) -> None:
        """A new claim begins: the next seek is made, whatever was sought before."""
        self._sought, self._came_s = (-1, 0.0), self._now_s()

    def past(self, applied: int) -> bool:
        """Whether the record at `applied` will not come by itself."""
        return applied < (self.records[0].offset if self.records else self.next)

    def overdue(self, applied: int) -> bool:
        """Whether the log has more, but nothing has come for a while."""
        return bool(self.lag(applied)) and self._now_s() - self._came_s > SEEK_AGAIN_S

    async def seek(self, applied: int) -> int:
        """Reads the log again from `applied`, for the record there has not come: a later one has, or none.

        Returns the offset; raises Forgotten where only later ones are left. At most one seek in SEEK_AGAIN_S
        for the same offset.
        """
        now_s = self._now_s()
        if self._sought[0] == applied and now_s - self._sought[1] < SEEK_AGAIN_S:
            return applied
        self._sought = (applied, now_s)
        metrics.REWINDS.inc()
        self._logger.warning("reading the log again", offset=applied)
        actual = await self._log.seek(self._number, applied)
        if actual is None:
            return applied
        self.next = actual
        if actual > applied:
            self.first = actual
            raise Forgotten
        return actual
