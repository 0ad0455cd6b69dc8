"""Reads topic `definitions` from its beginning and on, and compiles what changed, for all partitions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping

import structlog
from aiokafka.errors import KafkaError

from livesegments.core.plan import Limits, Plan
from livesegments.core.staging import Staging
from livesegments.evaluator.plans.definitions import Definitions
from livesegments.runtime import metrics
from livesegments.runtime.portions import Unread
from livesegments.runtime.reader import Reader
from livesegments.runtime.retry import until_done
from livesegments.wire.topics import DEFINITIONS
from livesegments.wire.unreadable import Unreadable

SETTLE_S = 0.1
"""A burst of changes is compiled once: when nothing has come for this time, or `MAX_SETTLE_S` after its
first."""
MAX_SETTLE_S = 0.4
LOOK_S = 60.0
STAGED = 16
"""Plans of stagings that are kept."""

_log = structlog.get_logger(__name__)


class Catalog:
    """`plans` and `revision` always belong together. `on_change` is called after both have moved."""

    def __init__(self, kafka: str, limits: Limits, again_s: float = 60.0) -> None:
        """`again_s`: how often definitions that can't be compiled are tried once more."""
        self.plans: Mapping[str, Plan] = {}
        self.faults: Mapping[str, str] = {}
        self.history_days: Mapping[str, int | None] = {}
        self.revision = -1
        self._definitions = Definitions(limits)
        self._again_s = again_s
        self._tried_s = 0.0
        self._reader = Reader(kafka, DEFINITIONS)
        self._listeners: set[Callable[[], None]] = set()
        self._moved = asyncio.Event()
        self._position = 0
        self._staged: dict[Hashable, asyncio.Future[Plan]] = {}

    async def start(self) -> None:
        """Returns when all that was in the topic is compiled."""
        await self._reader.start()
        end = await self._end()
        while self._position < end:
            await self._take(timeout_ms=1_000)
        await self._publish()

    async def run(self) -> None:
        """Follows the topic; never returns. Rides out a broker that is away."""
        while True:
            await until_done(self._follow, KafkaError)

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        wait_s = LOOK_S
        if self._definitions.faults:
            wait_s = min(max(self._tried_s + self._again_s - loop.time(), 0.0), LOOK_S)
        await self._take(timeout_ms=round(wait_s * 1_000))
        newer = self._definitions.revision > self.revision
        if newer:
            await self._settle()
        again = bool(self._definitions.faults) and loop.time() >= self._tried_s + self._again_s
        if again:
            self._definitions.again()
        if newer or again:
            await self._publish()

    async def stop(self) -> None:
        await self._reader.close()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Returns what ends it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def refresh(self) -> None:
        """Waits until `plans` hold everything that is in the topic now."""
        end = await self._end()
        while self._position < end or self._definitions.revision > self.revision:
            await self._moved.wait()

    async def staged(self, latest: Plan, staging: Staging, timezone: str) -> Plan:
        """The plan of the definitions that are served for now, in `timezone`, with the facts of those that
        wait.

        The partitions of a worker mostly stage alike, so it is compiled once for all of them, in a thread.
        """
        served = frozenset(each.revision for each in staging.served.values())
        key = latest.workspace, latest.revision, timezone, served, frozenset(staging.staged)
        found = self._staged.get(key)
        if found is None:
            while len(self._staged) >= STAGED:
                del self._staged[next(iter(self._staged))]
            compiled = asyncio.to_thread(self._definitions.compile_staged, latest, staging, timezone)
            found = self._staged[key] = asyncio.ensure_future(compiled)
        try:
            return await asyncio.shield(found)
        except Exception:
            self._staged.pop(key, None)  # it may be tried again
            raise

    async def _end(self) -> int:
        return (await until_done(self._reader.ends, KafkaError))[0]

    async def _settle(self) -> None:
        deadline = asyncio.get_running_loop().time() + MAX_SETTLE_S
        while asyncio.get_running_loop().time() < deadline:
            if not await self._take(timeout_ms=int(SETTLE_S * 1_000)):
                return

    async def _take(self, timeout_ms: int) -> bool:
        found = await self._reader.take(timeout_ms)
        for record in found:
            try:
                if isinstance(record, Unread):
                    self._definitions.revision = record.offset
                    raise Unreadable(record.why)
                self._definitions.take(record.key, record.value, record.offset)
            except Unreadable as error:
                metrics.DEFINITIONS_UNREADABLE.inc()
                _log.error("a definition can't be read", offset=record.offset, error=str(error))
        self._position = (await self._reader.positions())[0]
        return bool(found)

    async def _publish(self) -> None:
        """In a thread: a plan of ten thousand segments takes a third of a second; events go on meanwhile."""
        self._tried_s = asyncio.get_running_loop().time()
        await asyncio.to_thread(self._definitions.compile)
        self.plans = dict(self._definitions.plans)
        self.faults = dict(self._definitions.faults)
        self.history_days = dict(self._definitions.history_days)
        self.revision = self._definitions.revision
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        for listener in list(self._listeners):
            listener()
