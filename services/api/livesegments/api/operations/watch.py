"""The lag of all partitions, read again and again for `/metrics`, `/readyz` and the course of the last hour.

Evaluators export their own lag, but a dead one exports nothing. So the api reads it from the log and the
store. It also sees then how far the partitions are, though nobody asks: a store that is taken back while
nothing is read is noticed at the next read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog
from aiokafka.errors import KafkaError

from livesegments.api.operations.lag import Lag, Lags
from livesegments.runtime import metrics
from livesegments.store.client import Away
from livesegments.store.course import Course, Point, slot_of
from livesegments.store.seen import Restoring
from livesegments.store.standing import Heads

LOOK_S = 2.0

_log = structlog.get_logger(__name__)


class Watch:
    """`unowned` names the partitions that nobody has had for `unowned_s`, as seen in looks `LOOK_S` apart."""

    def __init__(
        self, lags: Lags, heads: Heads, course: Course, now_ms: Callable[[], int], unowned_s: float
    ) -> None:
        self._lags = lags
        self._heads = heads
        self._course, self._now_ms = course, now_ms
        self._most: Point | None = None
        self._unowned_s = unowned_s
        self._now_s = asyncio.get_running_loop().time
        self._missing_since: dict[int, float] = {}

    def unowned(self) -> list[int]:
        """The partitions that no evaluator has had for too long."""
        now_s = self._now_s()
        missing = self._missing_since.items()
        return sorted(number for number, since in missing if now_s - since >= self._unowned_s)

    async def run(self) -> None:
        """Never returns."""
        while True:
            try:
                await self._look()
            except (KafkaError, Away, TimeoutError, OSError) as error:
                # no figure is better than an old one
                for gauge in (metrics.API_PARTITION_LAG, metrics.API_PARTITION_OUTBOX):
                    gauge.clear()
                metrics.API_LOOKS_FAILED.inc()
                _log.warning("lags can't be read now", error=repr(error))
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        lag, owned = await self._lags.read(), await self._lags.owned()
        self._heads.expect(lag.committed)
        with suppress(Restoring):
            await self._heads.look()
        metrics.API_INBOUND_LAG.set(lag.inbound.behind)
        for number, partition in enumerate(lag.partitions):
            label = str(number)
            metrics.API_PARTITION_LAG.labels(label).set(max(0, partition.end - partition.applied))
            metrics.API_PARTITION_OUTBOX.labels(label).set(partition.outbox)
            metrics.API_PARTITION_OWNED.labels(label).set(number in owned)
            if number in owned:
                self._missing_since.pop(number, None)
            else:
                self._missing_since.setdefault(number, self._now_s())
        seen = point(lag, self._now_ms())
        self._most = seen if self._most is None else seen.most(self._most)
        await self._course.put(self._most)


def point(lag: Lag, now_ms: int) -> Point:
    """What waits, over all partitions; pure."""
    return Point(
        slot_of(now_ms),
        records=sum(max(0, each.end - each.applied) for each in lag.partitions),
        due=sum(each.due for each in lag.partitions),
        outbox=sum(each.outbox for each in lag.partitions),
        recounts=sum(each.recounts for each in lag.partitions),
        inbound=lag.inbound.behind,
    )
