"""The owner of one partition: claims it, serves it, and claims it anew when the claim is lost.

One task does everything that changes the partition, one thing at a time: a record, a chunk of what is
due, a chunk of a walk, a change of plans. One commit is under way behind it with the native kernel, up to
`in_flight` with the interpreted core; their replies come in order, and each then acknowledges its record and
hands its transitions to the relay.

When a commit is refused or the store can't be reached, the state in memory is worthless: the partition is
claimed anew, made anew from what is stored, and the records under way that lie past the stored offset
are applied again. If the store has gone further back than that, the log is read again from there.

A refused commit means that another owner has claimed the partition, or that the store has lost our
claim. A worker that does not learn within `grace_s` that the partition was taken from it still has it, and
claims it again; a worker that learns of it is stopped, and wrote nothing meanwhile.

A claim begins with the stored state. If there is none, if another version stored it in a form that this one
doesn't read, or if the log no longer has the records after it, the
partition is first made anew from a checkpoint (module `rebuilding`), and then claimed once more.
"""

from __future__ import annotations

import asyncio

import structlog

from livesegments.evaluator.claim import Claim
from livesegments.evaluator.commits.flight import Refused
from livesegments.evaluator.commits.intake import Forgotten, Intake
from livesegments.evaluator.history.rebuilding import Foreign, Log, Rebuilt, rebuild, taken_back
from livesegments.evaluator.kernel import native
from livesegments.evaluator.ports import Ports, Received
from livesegments.runtime import metrics
from livesegments.runtime.retry import until_done
from livesegments.store import keys
from livesegments.store.client import Away
from livesegments.store.degraded import decode
from livesegments.store.shard import Head
from livesegments.wire.profilekey import ProfileKey

IDLE_S = 0.1
COUNTED = 100_000
"""Dues are counted up to here."""
CHECK_S = 1.0
"""While there is nothing to do, the store is looked at once in this time."""
BUILDING = 16
"""While segments are built, so many records are applied between two slices at most: slices of all partitions
lie between two turns of one."""
LOST = (Refused, Away, Forgotten, Rebuilt, Foreign)
"""What ends a claim without being a fault of ours."""


class Owner:
    """`claim`, then `run` in a task of its own; `offer` records as they come; `close` at the end."""

    def __init__(self, number: int, ports: Ports) -> None:
        self.number = number
        self._ports = ports
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._intake = Intake(number, ports.log, ports.options.queue, self._wake.set)
        self._claim: Claim | None = None
        self._token = ""
        self._head = Head(0, 0, None, -1)
        self._reached = 0
        self._older = False
        self._recovering = False
        self._skips = False
        self._kernels = ports.options.kernels
        self._unsubscribe = ports.plans.subscribe(self._wake.set)
        self._logger = structlog.get_logger(__name__).bind(partition=number)

    # -- from outside

    @property
    def lag(self) -> int | None:
        """Records of the log that are not applied, as far as known."""
        return None if self._claim is None else self._claim.lag

    @property
    def backlog(self) -> tuple[int, int]:
        """Transitions that the broker does not have yet, and dues that have not fired though the clock has
        passed them, as far as they are in memory."""
        if self._claim is None:
            return 0, 0
        claim, partition = self._claim, self._claim.partition
        late = len(partition.dues.keys(partition.clock_ms, COUNTED))
        return claim.relay.waiting + claim.handing.waiting, late

    @property
    def building(self) -> int:
        """Segments whose new definition is not everywhere in the partition yet."""
        return 0 if self._claim is None else self._claim.walks.building

    @property
    def stranded(self) -> bool:
        """Whether the store is away, or the claim is being made anew."""
        return self._recovering or self._claim is None or self._claim.flight.lost is not None

    @property
    def restoring(self) -> bool:
        """Whether the partition is being made anew, or it is looked whether it must be."""
        claim = self._claim
        return claim is not None and (not claim.begun or claim.returning.under_way)

    async def claim(self) -> None:
        """Makes the partition ours, however long the store is away."""
        try:
            await until_done(self._make_claim, Away)
        except native.Panic as error:
            self._do_without(error)
            await until_done(self._make_claim, Away)

    def offer(self, record: Received) -> None:
        self._ports.pace.heard()
        self._intake.offer(record)

    @property
    def full(self) -> bool:
        """Whether no more records are to be read for it."""
        return self._intake.full

    def bound(self, first: int, end: int) -> int:
        """The offset to read from, of a log that has [first, end)."""
        claim, partition = self._claimed, self._claimed.partition
        offset = self._intake.bound(partition.offset, first, end)
        if offset <= partition.offset:
            partition.offset = offset
        elif claim.begun:
            claim.flight.lose(Forgotten())
        return offset

    async def run(self) -> None:
        """Never returns. Raises only faults of ours."""
        while True:
            await until_done(self._serve_claim, *LOST)

    async def close(self) -> None:
        """Waits a moment for the commits under way; `run` must have ended."""
        self._unsubscribe()
        self._intake.close()
        if self._claim is not None:
            await self._claim.close()
        await self._ports.shard.close()

    # -- claim, serve, recover

    @property
    def _claimed(self) -> Claim:
        assert self._claim is not None, "`claim` comes first"
        return self._claim

    async def _make_claim(self) -> None:
        shard, options = self._ports.shard, self._ports.options
        before = self._claim
        if before is not None:
            before.end(Refused())
        await shard.open()
        if self._token and (await shard.fence())[0] != self._token:
            await asyncio.sleep(options.grace_s)
        self._token = options.token()
        applied = 0 if before is None else before.applied
        head = await shard.claim(self._token, self._ports.log.topic, applied, self._ports.plans.revision)
        if head.recreated:
            self._logger.error("the topic was created anew: reading it from its start")
        claim = Claim(
            self.number, head, self._token, self._ports, self._intake, self._wake.set, self._kernels
        )
        self._claim = claim
        self._intake.renew()
        if before is not None:
            self._intake.put_back(before.flight.records, head.offset)
        self._head = head
        if before is not None:
            self._reached = max(self._reached, before.applied_offset)
            self._older = head.commit < before.applied or head.offset < self._reached
        if head.commit and head.offset >= self._intake.first and not head.foreign:
            await self._begin(claim)

    async def _begin(self, claim: Claim) -> None:
        """Goes on from the stored state."""
        plans, partition = self._ports.plans, claim.partition
        if self._older:
            end = self._intake.there(self._reached)
            await plans.refresh()
            await taken_back(self.number, self._token, self._ports, end)
            claim.returning.begin(end, plans.revision)
        first = self._intake.first
        if partition.offset < first:
            self._logger.error("records are gone from the log", first=partition.offset, last=first - 1)
            partition.offset = first
        if plans.revision < self._head.catalog:
            await plans.refresh()
        stored = await self._ports.shard.fields(keys.degraded(self.number))
        partition.degrading.of = {workspace: decode(data) for workspace, data in stored.items()}
        numbers = await self._ports.shard.fields(keys.numbers(self.number))
        partition.sets.load(numbers, await self._ports.shard.fields(keys.dense(self.number)))
        await claim.erasures.load()
        waiting = await self._ports.shard.fields(keys.recounts(self.number))
        partition.retracting.waiting = dict.fromkeys(map(ProfileKey, waiting))
        claim.begin()
        await claim.walks.adopt()

    async def _serve_claim(self) -> None:
        """Serves until the claim is lost; after an earlier loss it claims first.

        Returns if something was applied under the claim: then the next one is made without a pause. Else it
        raises one of LOST, and the pauses before further attempts grow.
        """
        if self._recovering:
            await self._make_claim()
            self._recovering = False
        claim = self._claimed
        try:
            await self._serve(claim)
        except LOST as error:
            self._logger.warning("claiming anew", error=repr(error))
            metrics.RECOVERIES.labels(type(error).__name__).inc()
            self._recovering = True
            if not claim.applied_any:
                raise
        except native.Panic as error:
            self._do_without(error)
            self._recovering = True

    def _do_without(self, error: BaseException) -> None:
        """A fault of ours in the kernel: nobody can say what it left behind, so all is taken from the store
        again, and the interpreted core does it."""
        self._logger.error("a fault of the kernel: the interpreted core goes on", exc_info=error)
        metrics.NATIVE_FAULTS.inc()
        self._kernels = None

    async def _serve(self, claim: Claim) -> None:
        records = self._intake.records
        if not claim.begun:
            end = await self._intake.end()
            self._reached = max(self._reached, end)
            log = Log(self._intake.first, end)
            await self._ports.plans.refresh()
            if await rebuild(self.number, self._head, self._token, self._ports, log):
                self._skips = True
                raise Rebuilt
            claim.returning.begin(end, self._ports.plans.revision)
            await self._begin(claim)
        if self._skips or self._intake.past(claim.partition.offset):
            await self._seek(claim)
            self._skips = False
        at_once = 1
        while True:
            self._wake.clear()
            if claim.flight.lost is not None:
                raise claim.flight.lost
            if claim.relay.full:
                await self._wake.wait()
                continue
            if claim.handing.full:
                if not await claim.errands.run():
                    await self._wake.wait()
                continue
            if claim.archiver.full:
                await asyncio.sleep(IDLE_S)
                continue
            if claim.walks.behind:
                await claim.walks.adopt()
            worked = await claim.errands.run()
            worked |= await claim.checkpoints.step()
            for _ in range(at_once):
                if not records or claim.relay.full:
                    break
                await claim.evaluation.record(records[0])
                worked = True
            worked |= await claim.evaluation.tick()
            worked |= await claim.mending.step()
            worked |= await claim.building.step()
            worked |= await claim.returning.step()
            at_once = BUILDING if claim.building.active else 1
            worked |= await claim.recounting.step()
            worked |= await claim.auditing.step()
            worked |= await claim.condensing.step()
            if not worked:
                await self._idle(claim)

    async def _idle(self, claim: Claim) -> None:
        """Waits for something to do; now and then checks that the store is there and is as we left it."""
        next_ms, now_ms = claim.partition.dues.next(), claim.wall_ms()
        timeout = IDLE_S
        if now_ms is not None and next_ms is not None and not claim.evaluation.waits:
            timeout = min(max(next_ms - now_ms, 1) / 1_000, IDLE_S)
        loop, until_s = self._loop, self._loop.time() + timeout
        alarm = loop.call_at(until_s, self._wake.set)  # a timeout costs more, and every event ends here
        try:
            await self._wake.wait()
        finally:
            alarm.cancel()
        if loop.time() >= until_s:
            if loop.time() - claim.heard_s > CHECK_S:
                await claim.check()
            if self._intake.overdue(claim.partition.offset):
                await self._seek(claim)

    async def _seek(self, claim: Claim) -> None:
        claim.partition.offset = await self._intake.seek(claim.partition.offset)
