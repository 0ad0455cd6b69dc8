"""What a claim does with the records that come and with the dues: one chunk of work, one commit."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import structlog

from livesegments.core.fault import Fault
from livesegments.evaluator.flight import Flight
from livesegments.evaluator.intake import Intake
from livesegments.evaluator.loading import Loader
from livesegments.evaluator.partition import NEVER_MS, Outcome, Partition
from livesegments.evaluator.ports import Ports, Received
from livesegments.evaluator.walks import Walks
from livesegments.runtime import metrics
from livesegments.wire.pack import Clock, Record, decode
from livesegments.wire.rejected import Rejected
from livesegments.wire.topics import EVENTS


class Evaluation:
    """Works for one claim; `wall_ms` tells the wall clock where it counts."""

    def __init__(
        self,
        ports: Ports,
        intake: Intake,
        partition: Partition,
        flight: Flight,
        loader: Loader,
        walks: Walks,
        wall_ms: Callable[[], int | None],
    ) -> None:
        self._plans = ports.plans
        self._publisher = ports.publisher
        self._options = ports.options
        self._intake = intake
        self._partition = partition
        self._flight = flight
        self._loader = loader
        self._walks = walks
        self._wall_ms = wall_ms
        self._refreshed = 0
        self._logger = structlog.get_logger(__name__).bind(partition=partition.number)

    async def record(self, record: Received) -> None:
        """The first of the intake. It stays there until it is under way, and while dues before it fire."""
        partition = self._partition
        if record.offset < partition.offset:
            self._intake.drop()
            record.ack()
        elif record.offset > partition.offset:
            self._intake.drop()
            partition.offset = await self._intake.seek(partition.offset)
        else:
            content = await self._read(record)
            if content is None:
                outcome: Outcome | None = partition.skip(record.offset + 1)
            else:
                outcome = await self._evaluate(content, record)
            if outcome is not None:
                await self._flight.send(outcome, record)
                self._intake.drop()

    async def tick(self) -> bool:
        """Fires a chunk of what is due by the wall clock, or was left behind our own when an owner died."""
        now_ms, next_ms = self._wall_ms(), self._partition.dues.next()
        fired = await self._fire(self._partition.clock_ms if now_ms is None else now_ms)
        if fired and now_ms is not None and next_ms is not None:
            metrics.WAKE_LATENESS.observe((now_ms - next_ms) / 1_000)
        return fired

    async def _read(self, record: Received) -> Record | None:
        """None: somebody else wrote into our topic. It is logged, kept in `rejected`, and passed over."""
        try:
            return decode(record.value)
        except msgspec.DecodeError as error:
            metrics.UNREADABLE.inc()
            self._logger.error("not a packed record", offset=record.offset, error=str(error))
            source = f"{EVENTS}/{self._partition.number}/{record.offset}"
            faults = [Fault("", "not_packed", f"is not a packed record of ours: {error}")]
            await self._publisher.reject(Rejected(None, source, record.stamp_ms, faults, record.value))
            return None

    async def _evaluate(self, content: Record, record: Received) -> Outcome | None:
        """None: a chunk of what was due before has fired instead; ask again."""
        partition, live = self._partition, self._options.now_ms is not None
        if isinstance(content, Clock):
            if not live:
                if await self._fire(content.to_ms):
                    return None
                partition.pass_to(content.to_ms)
            return partition.skip(record.offset + 1)
        events = content.events
        await self._know({event.workspace for event in events}, record)
        stamp_ms = record.stamp_ms if live else None
        first_ms, last_ms = partition.span(events, stamp_ms)
        if await self._fire(first_ms, least=self._options.chunk):  # what is less goes with the record
            return None
        await self._loader.cover(last_ms)
        await self._loader.profiles(partition.wanted(events, last_ms))
        return partition.apply(events, stamp_ms, record.offset + 1)

    async def _know(self, workspaces: set[str], record: Received) -> None:
        """A workspace not known yet may be new. Asked once for all records that are already here."""
        if record.offset < self._refreshed or self._partition.plans.keys() >= workspaces:
            return
        upto = self._intake.next
        await self._plans.refresh()
        await self._walks.adopt()
        self._refreshed = upto

    async def _fire(self, until_ms: int, least: int = 1) -> bool:
        """Fires a chunk of what is due up to `until_ms`; not if that is less than `least`."""
        partition, chunk = self._partition, self._options.chunk
        if until_ms == NEVER_MS:
            return False
        due = await self._loader.due(until_ms, chunk)
        if len(due) < least:
            return False
        await self._loader.profiles(partition.cache.missing(key for _, key in due))
        await self._flight.send(partition.fire(until_ms, len(due)))
        return True
