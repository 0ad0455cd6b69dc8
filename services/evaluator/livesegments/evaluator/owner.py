"""The owner of one partition: loads what the pure `Partition` needs, sends what it decides, in order.

One task does everything that changes the partition, one thing at a time: a record, a chunk of what is
due, a chunk of a walk, a change of plans. Up to `in_flight` commits are under way behind it; their
replies come in order, and each then acknowledges its record and hands its transitions to the relay.

When a commit is refused or the store can't be reached, what is in memory is worthless: the partition is
claimed anew, made anew from what is stored, and the records under way that lie past the stored offset
are applied again. If the store has gone further back than that, the log is read again from there.

A refused commit means that another owner has claimed the partition, or that the store has lost our
claim. A worker that isn't told within `grace_s` that the partition was taken from it still has it, and
claims; one that is told is stopped, and never wrote.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from functools import partial

import msgspec
import structlog
from redis.exceptions import RedisError

from livesegments.core.fault import Fault
from livesegments.evaluator.adoption import Adopted
from livesegments.evaluator.dues import KEPT
from livesegments.evaluator.flight import Flight, Refused, Sent
from livesegments.evaluator.partition import NEVER_MS, Outcome, Partition
from livesegments.evaluator.ports import Log, Options, Plans, Publisher, Received
from livesegments.evaluator.relay import Relay
from livesegments.runtime import metrics
from livesegments.store import keys
from livesegments.store.shard import Shard
from livesegments.wire.pack import Clock, Record, decode
from livesegments.wire.rejected import Rejected
from livesegments.wire.topics import EVENTS

QUEUE = 32
"""Records that wait at most, a partition."""
JUDGEMENTS = 20_000
"""Of segments over profiles in one chunk of a walk, about: so long events wait, so large is its commit."""
FIRST_BACKOFF_S = 0.05
MAX_BACKOFF_S = 2.0
IDLE_S = 0.1
CHECK_S = 1.0
SEEK_AGAIN_S = 5.0


class Owner:
    """`claim`, then `run` in a task of its own; `offer` records as they come; `close` at the end."""

    def __init__(
        self, number: int, shard: Shard, log: Log, plans: Plans, publisher: Publisher, options: Options
    ) -> None:
        self.number = number
        self._shard = shard
        self._log = log
        self._plans = plans
        self._publisher = publisher
        self._options = options
        self._token = ""
        self._records: deque[Received] = deque()
        self._next = 0
        self._sought: tuple[int, float] = (-1, 0.0)
        self._closed = False
        self._failures = 0
        self._recovering = False
        self._heard_s = 0.0
        self._came_s = 0.0
        self._now_s = asyncio.get_running_loop().time
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._partition: Partition
        self._flight: Flight | None = None
        self._adopted: dict[str, Adopted] = {}
        self._walking: deque[str] = deque()
        self._refreshed = 0
        self._relay: Relay
        self._relaying: asyncio.Task[None] | None = None
        self._unsubscribe = plans.subscribe(self._wake.set)
        self._logger = structlog.get_logger(__name__).bind(partition=number)

    # -- from outside

    @property
    def lag(self) -> int | None:
        """Records of the log that are not applied, as far as known."""
        end = self._log.end(self.number)
        return None if end is None else max(0, end - self._partition.offset)

    @property
    def stranded(self) -> bool:
        """Whether the store is away, or the claim is being made anew."""
        return self._recovering or self._flight is None or self._flight.lost is not None

    async def claim(self) -> int:
        """Makes the partition ours, however long the store is away; the offset to read from."""
        while True:
            try:
                await self._claim()
            except (OSError, RedisError) as error:
                await self._back_off(error)
            else:
                self._next = self._partition.offset
                return self._next

    def bound(self, first: int, end: int) -> int:
        """What the log still has; the offset to read from. Says so if that is not where we stopped."""
        offset = self._partition.offset
        if offset < first:
            self._logger.error("records are gone from the log", first=offset, last=first - 1)
        elif offset > end:
            self._logger.error("the log has lost its end", stored=offset, end=end)
        self._partition.offset = self._next = min(max(offset, first), end)
        return self._next

    def offer(self, record: Received) -> None:
        self._records.append(record)
        self._came_s = self._now_s()
        self._next = record.offset + 1
        self._wake.set()

    async def room(self) -> None:
        """Returns when another record may be offered."""
        while len(self._records) >= QUEUE and not self._closed:
            self._room.clear()
            await self._room.wait()

    async def run(self) -> None:
        """Never returns. Raises only what is a fault of ours."""
        while True:
            try:
                await self._serve()
            except (Refused, OSError, RedisError) as error:
                await self._recover(error)

    async def close(self) -> None:
        """Only what is under way is waited for, a moment; `run` must be at its end."""
        self._unsubscribe()
        self._closed = True
        self._room.set()
        if self._flight is not None:
            await self._flight.land(timeout_s=1)
        if self._relaying is not None:
            await self._relay.drain(timeout_s=1)
            self._relaying.cancel()
        await self._shard.close()

    # -- the loop

    async def _serve(self) -> None:
        while True:
            self._wake.clear()
            if self._flight is not None and self._flight.lost is not None:
                raise self._flight.lost
            if self._relay.full:
                await self._wake.wait()
                continue
            if self._plans.revision != self._partition.catalog:
                await self._adopt()
            if self._records:
                await self._record(self._records[0])
                worked = True
            else:
                worked = await self._tick()
            if self._partition.rests and not (await self._walk() or worked):
                await self._idle()

    async def _idle(self) -> None:
        """Waits for something to do; now and then sees whether the store is there and is what we left."""
        next_ms, now_ms = self._partition.dues.next(), self._wall_ms()
        timeout = IDLE_S
        if now_ms is not None and next_ms is not None:
            timeout = min(max(next_ms - now_ms, 1) / 1_000, IDLE_S)
        try:
            async with asyncio.timeout(timeout):
                await self._wake.wait()
        except TimeoutError:
            if self._now_s() - self._heard_s > CHECK_S:
                self._heard_s = self._now_s()
                if await self._shard.fence() != (self._token, self._partition.commit):
                    raise Refused from None
                await self._relay.tidy()
            if self.lag and self._now_s() - self._came_s > SEEK_AGAIN_S:
                await self._seek()  # the log has more, but it doesn't come

    async def _record(self, record: Received) -> None:
        """It stays in the queue until it is under way, and while what was due before it fires."""
        partition = self._partition
        if record.offset < partition.offset:
            self._records.popleft()
            record.ack()
        elif record.offset > partition.offset:
            self._records.popleft()
            await self._seek()
        else:
            content = await self._read(record)
            if content is None:
                outcome: Outcome | None = partition.skip(record.offset + 1)
            else:
                outcome = await self._evaluate(content, record)
            if outcome is None:
                return
            await self._send(outcome, record)
            self._records.popleft()
        self._room.set()

    async def _read(self, record: Received) -> Record | None:
        """None: somebody else wrote into our topic. It is told and kept in `rejected`, and passed over."""
        try:
            return decode(record.value)
        except msgspec.DecodeError as error:
            metrics.UNREADABLE.inc()
            self._logger.error("not a packed record", offset=record.offset, error=str(error))
            source = f"{EVENTS}/{self.number}/{record.offset}"
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
        await self._cover(last_ms)
        await self._load(partition.wanted(events, last_ms))
        return partition.apply(events, stamp_ms, record.offset + 1)

    async def _know(self, workspaces: set[str], record: Received) -> None:
        """A workspace not known yet may be new. Asked once for all records that are already here."""
        if record.offset < self._refreshed or self._partition.plans.keys() >= workspaces:
            return
        upto = self._next
        await self._plans.refresh()
        await self._adopt()
        self._refreshed = upto

    def _wall_ms(self) -> int | None:
        """The wall clock where it counts: live, and all that was recorded before is applied."""
        if self._options.now_ms is None or self.lag != 0 or self._partition.clock_ms == NEVER_MS:
            return None
        return self._options.now_ms()

    async def _tick(self) -> bool:
        """Fires a chunk of what is due by the wall clock, or was left behind our own when an owner died."""
        now_ms, next_ms = self._wall_ms(), self._partition.dues.next()
        fired = await self._fire(self._partition.clock_ms if now_ms is None else now_ms)
        if fired and now_ms is not None and next_ms is not None:
            metrics.WAKE_LATENESS.observe((now_ms - next_ms) / 1_000)
        return fired

    async def _fire(self, until_ms: int, least: int = 1) -> bool:
        """Fires a chunk of what is due up to `until_ms`; not if that is less than `least`."""
        partition, chunk = self._partition, self._options.chunk
        if until_ms == NEVER_MS:
            return False
        due = partition.dues.first(until_ms, chunk)
        while len(due) < chunk and not partition.dues.covers(until_ms):
            await self._load_dues(KEPT)
            due = partition.dues.first(until_ms, chunk)
        if len(due) < least:
            return False
        await self._load(partition.cache.missing(key for _, key in due))
        await self._send(partition.fire(until_ms, len(due)))
        return True

    async def _walk(self) -> bool:
        """One chunk of the stored profiles of a workspace whose definitions changed; each has its turn."""
        if not self._walking:
            return False
        workspace = self._walking.popleft()
        partition, adopted = self._partition, self._adopted.get(workspace)
        if adopted is None:
            return True
        count = max(1, min(self._options.chunk, JUDGEMENTS // adopted.segments))
        cursor, stored = await self._shard.scan(workspace, adopted.cursor, count)
        now_ms = self._wall_ms()
        if now_ms is not None:
            partition.pass_to(now_ms)
        partition.walk(workspace, stored)
        metrics.WALKED.inc(len(stored))
        report = adopted.walked(cursor, len(stored))
        if report or partition.changed:
            outcome = partition.seal()
            if report:
                adopted.write_walked(outcome.commit, partition.plans[workspace])
            await self._send(outcome)
        if adopted.walking:
            self._walking.append(workspace)
        return True

    async def _adopt(self) -> None:
        """Takes the newest plans in: from the next record on they hold for every profile touched."""
        partition, plans, revision = self._partition, self._plans.plans, self._plans.revision
        news = []
        for workspace, plan in plans.items():
            if partition.plans.get(workspace) is plan:
                continue
            adopted = self._adopted.get(workspace) or await self._stored(workspace)
            total = await self._shard.count(workspace)
            written = adopted.adopt(plan, partition.clock_ms, total)
            self._adopted[workspace] = adopted
            partition.plans[workspace] = plan
            partition.since[workspace] = adopted.since()
            if adopted.walking and workspace not in self._walking:
                self._walking.append(workspace)
            if written is not None:
                news.append((workspace, adopted, written))
        for workspace in partition.plans.keys() - plans.keys():
            del partition.plans[workspace]
            self._adopted.pop(workspace, None)
        if news or partition.catalog != revision:
            partition.catalog = revision
            outcome = partition.seal()
            for workspace, adopted, written in news:
                adopted.write_adopted(outcome.commit, workspace, written)
            await self._send(outcome)

    # -- loading

    async def _stored(self, workspace: str) -> Adopted:
        facts, segments = await asyncio.gather(
            self._shard.fields(keys.facts(self.number, workspace)),
            self._shard.fields(keys.segments(self.number, workspace)),
        )
        return Adopted(facts, segments)

    async def _load(self, missing: list[str]) -> None:
        wanted: dict[str, list[str]] = {}
        for key in missing:
            workspace, _, id_ = key.partition("\0")
            wanted.setdefault(workspace, []).append(id_)
        for workspace, ids in wanted.items():
            found = await self._shard.profiles(workspace, ids)
            for id_, data in zip(ids, found, strict=True):
                self._partition.give(f"{workspace}\0{id_}", data)

    async def _cover(self, until_ms: int) -> None:
        limit = KEPT
        while not self._partition.dues.covers(until_ms):
            await self._load_dues(limit)
            limit *= 2

    async def _load_dues(self, limit: int) -> None:
        entries = await self._shard.dues(limit)
        self._partition.dues.load(entries, complete=len(entries) < limit)

    # -- commits

    async def _send(self, outcome: Outcome, record: Received | None = None) -> None:
        assert self._flight is not None, "claimed before anything is decided"
        await self._flight.send(outcome, record)

    def _applied(self, sent: Sent) -> None:
        outcome = sent.outcome
        self._failures = 0
        if sent.record is not None:
            sent.record.ack()
        if outcome.transitions:
            self._relay.hand(outcome.commit.number, outcome.transitions)
        metrics.COMMITS.inc()
        self._heard_s = self._now_s()
        metrics.COMMIT_SECONDS.observe(self._heard_s - sent.at_s)
        metrics.EVENTS.inc(outcome.events)
        metrics.DUPLICATES.inc(outcome.duplicates)
        metrics.HOMELESS.inc(outcome.homeless)
        for (kind, cause), count in Counter((each.kind, each.cause) for each in outcome.transitions).items():
            metrics.TRANSITIONS.labels(kind, cause).inc(count)

    # -- claims and failures

    async def _claim(self) -> None:
        if self._flight is not None:
            self._flight.lose(Refused())
        if self._relaying is not None:
            self._relaying.cancel()
        await self._shard.open()
        if self._token and (await self._shard.fence())[0] != self._token:
            await asyncio.sleep(self._options.grace_s)
        self._token = self._options.token()
        head = await self._shard.claim(self._token, self._log.topic)
        if head.recreated:
            self._logger.error("the topic was created anew: reading it from its start")
        before = self._flight
        flight = Flight(self._shard, self._token, self._options.in_flight, self._applied, self._moved)
        self._flight = flight
        self._sought, self._came_s = (-1, 0.0), self._now_s()
        self._partition = Partition(self.number, head, self._options.cache_bytes)
        self._adopted, self._walking, self._refreshed = {}, deque(), 0
        self._relay = Relay(self.number, self._shard, self._publisher, head.commit, self._wake.set)
        self._relaying = asyncio.create_task(self._relay.run())
        self._relaying.add_done_callback(partial(_relay_ended, flight))
        if before is not None:
            self._requeue(before.records)
        if self._plans.revision < head.catalog:
            await self._plans.refresh()
        await self._adopt()

    def _requeue(self, records: Sequence[Received]) -> None:
        """The records that were under way: what is not stored is applied again."""
        offset = self._partition.offset
        for record in records:
            if record.offset < offset:
                record.ack()
        self._records.extendleft(record for record in reversed(records) if record.offset >= offset)

    async def _recover(self, error: BaseException) -> None:
        self._logger.warning("claiming anew", error=repr(error))
        metrics.RECOVERIES.inc()
        self._recovering = True
        await self._back_off(error)
        await self._claim_again()
        self._recovering = False
        first = self._records[0].offset if self._records else self._next
        if self._partition.offset < first:
            await self._seek()

    async def _claim_again(self) -> None:
        while True:
            try:
                await self._claim()
            except (OSError, RedisError) as error:
                await self._back_off(error)
            else:
                return

    async def _seek(self) -> None:
        """The record that must come next has not come: a later one, or none. Once is enough, but for luck."""
        offset, now_s = self._partition.offset, self._now_s()
        if self._sought[0] == offset and now_s - self._sought[1] < SEEK_AGAIN_S:
            return
        self._sought = (offset, now_s)
        metrics.REWINDS.inc()
        self._logger.warning("reading the log again", offset=offset)
        actual = await self._log.seek(self.number, offset)
        if actual is None:
            return
        self._next = actual
        if actual != offset:
            self._logger.error("records are gone from the log", first=offset, last=actual - 1)
            self._partition.offset = actual

    async def _back_off(self, error: BaseException) -> None:
        self._failures += 1
        delay = min(FIRST_BACKOFF_S * 2 ** (self._failures - 1), MAX_BACKOFF_S)
        self._logger.info("waiting", seconds=delay, error=repr(error))
        await asyncio.sleep(delay)

    def _moved(self) -> None:
        self._room.set()
        self._wake.set()


def _relay_ended(flight: Flight, task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        error = task.exception()
        assert error is not None
        flight.lose(error)
