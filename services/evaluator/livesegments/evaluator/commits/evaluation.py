"""How a claim works off records and due times: every chunk of work ends in one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from livesegments.core.bounds import Refusal
from livesegments.core.event import Event
from livesegments.core.fault import Fault
from livesegments.core.handed import Handed
from livesegments.evaluator.commits.flight import Flight
from livesegments.evaluator.commits.intake import Intake
from livesegments.evaluator.commits.loading import Loader
from livesegments.evaluator.commits.outcome import Outcome
from livesegments.evaluator.commits.partition import NEVER_MS, Partition
from livesegments.evaluator.commits.together import Together, alone, together
from livesegments.evaluator.erasure.erasing import Erasures
from livesegments.evaluator.faults.aside import publish
from livesegments.evaluator.kernel.unread import workspaces_of
from livesegments.evaluator.plans.walks import Walks
from livesegments.evaluator.ports import Ports, Received
from livesegments.evaluator.relay import Relay
from livesegments.runtime import metrics
from livesegments.wire.pack import Clock, Erase, Lift, Packed, Record, decode, encode
from livesegments.wire.profilekey import profile_key
from livesegments.wire.rejected import PROFILE_FULL, Rejected
from livesegments.wire.topics import EVENTS
from livesegments.wire.unreadable import Unreadable

FEW_DUES = 50
"""So many dues of others, or as many as it has events, are fired along with a record."""


class Evaluation:
    """Works for one claim. `wall_ms` gives the wall clock where it counts; `wake` lets the owner look again.

    `waits`: something is due, but others go first.
    """

    def __init__(
        self,
        ports: Ports,
        intake: Intake,
        partition: Partition,
        flight: Flight,
        loader: Loader,
        walks: Walks,
        relay: Relay,
        erasures: Erasures,
        wall_ms: Callable[[], int | None],
        wake: Callable[[], None],
    ) -> None:
        self._plans = ports.plans
        self._publisher = ports.publisher
        self._options = ports.options
        self._intake = intake
        self._partition = partition
        self._flight = flight
        self._loader = loader
        self._walks = walks
        self._relay = relay
        self._erasures = erasures
        self._wall_ms = wall_ms
        self._wake = wake
        self._pace = ports.pace
        self._refreshed = 0
        self.waits = False
        self._logger = structlog.get_logger(__name__).bind(partition=partition.number)

    async def record(self, record: Received) -> None:
        """The first of the intake. It stays there until it is under way."""
        partition = self._partition
        if record.offset < partition.offset:
            self._intake.drop()
            record.ack()
        elif record.offset > partition.offset:
            self._intake.drop()
            partition.offset = await self._intake.seek(partition.offset)
        elif (joined := self._joined()) is not None:
            await self._send(await self._evaluate(joined), joined)
        else:
            content = await self._read(record)
            whole = alone(record, content.events if isinstance(content, Packed) else ())
            outcome = await self._outcome(content, whole)
            if outcome is not None:
                await self._send(outcome, whole)

    def _joined(self) -> Together[Sequence[Event]] | None:
        """The first records of the intake, where the native kernel takes several as one."""
        cores = self._partition.cores
        return together(self._intake.records, cores.read) if cores.native else None

    async def _outcome(self, content: Record | None, whole: Together[Sequence[Event]]) -> Outcome | None:
        """Of a record that goes alone. None: a chunk of due times before a clock's record has fired instead;
        ask again."""
        (record,) = whole.records
        match content:
            case None:
                return self._partition.skip(record.offset + 1)
            case Packed():
                return await self._evaluate(whole)
            case Clock():
                return await self._pass_to(content.to_ms, record)
            case Handed():
                return await self._take_over(content, record)
            case Erase() | Lift():
                await self._know({content.workspace}, record)
                return await self._erasures.take(content, record)

    async def _send(self, outcome: Outcome, whole: Together[Sequence[Event]]) -> None:
        for aside in outcome.aside:
            record, place = whole.whose(aside.place)
            source = f"{EVENTS}/{self._partition.number}/{record.offset}"
            await publish(self._publisher, aside._replace(place=place), source, record.stamp_ms)
        await self._flight.send(outcome, whole.records)
        for _ in whole.records:
            self._intake.drop()

    async def tick(self) -> bool:
        """Fires a chunk of what is due by the wall clock, or was left behind our own by a storm or a death.

        False if there is nothing to fire, or others go first: they wake the owner when they are done.
        """
        self.waits = False
        now_ms, clock_ms = self._wall_ms(), self._partition.clock_ms  # beyond the wall's if stamps are
        until_ms = clock_ms if now_ms is None else max(clock_ms, now_ms)
        next_ms = self._partition.dues.next(until_ms)
        fired = await self._fire(until_ms)
        if fired and now_ms is not None and next_ms is not None:
            metrics.WAKE_LATENESS.observe((now_ms - next_ms) / 1_000)
        return fired

    async def _read(self, record: Received) -> Record | None:
        """None if somebody else wrote the record into our topic: it is logged, kept in `rejected`, and passed
        over."""
        try:
            if record.unread:
                raise Unreadable(f"is not a record that can be read: {record.unread}")
            events = self._partition.cores.read(record.value)
            return decode(record.value) if events is None else Packed(events)
        except Unreadable as error:
            metrics.UNREADABLE.inc()
            self._logger.error("not a packed record", offset=record.offset, error=str(error))
            source = f"{EVENTS}/{self._partition.number}/{record.offset}"
            faults = [Fault("", "not_packed", str(error))]
            await self._publisher.reject(Rejected(None, source, record.stamp_ms, faults, record.value))
            return None

    async def _evaluate(self, whole: Together[Sequence[Event]]) -> Outcome:
        """A packed record, or several that are there together, as one."""
        partition, events, records = self._partition, whole.events, whole.records
        live = self._options.now_ms is not None
        await self._know(workspaces_of(events), records[-1])
        first_ms = records[0].stamp_ms if live else None
        latest_ms = max(record.stamp_ms for record in records) if live else None
        stamps = whole.stamps if live else ()
        along = await self._load(events, latest_ms)
        offset = records[-1].offset + 1
        outcome = partition.apply(events, first_ms, offset, whole.value, along, whole.starts, stamps)
        for place, event, refusal in outcome.refused:
            await self._refuse(event, refusal, whole.whose(place)[0])
        return outcome

    async def _load(self, events: Sequence[Event], stamp_ms: int | None) -> bool:
        """Loads all that events need. Whether what is due up to the clock after them may fire with them."""
        partition = self._partition
        along = await self._loader.few(partition.after(events, stamp_ms), max(FEW_DUES, len(events)))
        await self._loader.profiles(partition.cores.wanted(events, along or ()))
        return along is not None

    async def _pass_to(self, to_ms: int, record: Received) -> Outcome | None:
        """The clock's record moves the clock in mode `log` alone; None: a chunk of due times has fired."""
        partition = self._partition
        if self._options.now_ms is None and not partition.pass_to(to_ms):
            await self._fire_at_once(max(to_ms, partition.clock_ms))
            return None
        return partition.skip(record.offset + 1)

    async def _take_over(self, handed: Handed, record: Received) -> Outcome:
        """What a merged profile hands over to one of this partition."""
        partition, live = self._partition, self._options.now_ms is not None
        await self._know({handed.workspace}, record)
        stamp_ms = record.stamp_ms if live else None
        along = await self._loader.few(partition.after(handed.events, stamp_ms), self._options.chunk)
        key = profile_key(handed.workspace, handed.profile)
        await self._loader.profiles(partition.cache.missing([key, *(along or ())]))
        pursuit = None if partition.suppressed is None else await self._erasures.pursue(handed)
        outcome = partition.receive(
            handed, stamp_ms, record.offset + 1, record.value, along is not None, pursuit
        )
        for _, event, refusal in outcome.refused:
            await self._refuse(event, refusal, record)
        return outcome

    async def _refuse(self, event: Event, refusal: Refusal, record: Received) -> None:
        """Into `rejected` before the commit that passes over it: after a crash between, it is there twice."""
        metrics.REFUSED.labels(refusal.bound).inc()
        source = f"{EVENTS}/{self._partition.number}/{record.offset}"
        faults = [Fault("", PROFILE_FULL, refusal.message)]
        raw = encode(Packed([event]))
        await self._publisher.reject(Rejected(event.workspace, source, record.stamp_ms, faults, raw))

    async def _know(self, workspaces: set[str], record: Received) -> None:
        """A workspace not known yet may be new. Asked once for all records that are already here: `record` is
        the last of those that are applied now."""
        if record.offset < self._refreshed or self._partition.plans.keys() >= workspaces:
            return
        upto = self._intake.next
        await self._plans.refresh()
        await self._walks.adopt()
        self._refreshed = upto

    async def _fire(self, until_ms: int) -> bool:
        """Fires due times up to `until_ms`: all if they are few, else a chunk when it is our turn."""
        partition, pace, relay = self._partition, self._pace, self._relay
        if until_ms == NEVER_MS:
            return False
        due = await self._loader.due(until_ms, pace.slice)
        if not due:
            return False
        if len(due) < pace.slice:
            await self._loader.profiles(partition.cache.missing(key for _, key in due))
            await self._send_fired(until_ms, len(due))
            return True
        self.waits = relay.waiting > self._options.chunk or not pace.take(self._wake)
        if self.waits:
            return False
        reply = None
        try:
            reply = await self._fire_chunk(until_ms)
        finally:
            pace.give(reply)
        await pace.rest(self._intake.records)
        return True

    async def _fire_at_once(self, until_ms: int) -> None:
        """Fires a chunk of due times up to `until_ms`, if there are any, whoever else waits."""
        if until_ms == NEVER_MS:
            return
        due = await self._loader.due(until_ms, self._options.chunk)
        if due:
            await self._loader.profiles(self._partition.cache.missing(key for _, key in due))
            await self._send_fired(until_ms, len(due))

    async def _fire_chunk(self, until_ms: int) -> asyncio.Future[bool]:
        """One commit. The event loop goes round between its slices, and a record that comes for this
        partition ends it."""
        partition, size = self._partition, self._pace.slice
        due = await self._loader.due(until_ms, self._pace.chunk)
        await self._loader.profiles(partition.cache.missing(key for _, key in due))
        left = len(due) - size
        partition.advance(until_ms, size)
        while left > 0:
            if self._pace.tired:
                await self._pace.rest_within(self._intake.records)
                if self._intake.records:
                    break
            partition.advance(until_ms, min(left, size))
            left -= size
        if not self._intake.records:
            await self._pace.landed()
        self._pace.fired()
        return await self._flight.send(await self._sealed(partition.seal()))

    async def _send_fired(self, until_ms: int, count: int) -> None:
        await self._flight.send(await self._sealed(self._partition.fire(until_ms, count)))

    async def _sealed(self, outcome: Outcome) -> Outcome:
        """With what was set aside published."""
        for aside in outcome.aside:
            source = f"{EVENTS}/{self._partition.number}/due/{aside.at_ms}"
            await publish(self._publisher, aside, source, aside.at_ms)
        return outcome
