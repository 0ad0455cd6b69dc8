"""Everything that a claim of a partition makes anew, and that is worthless once the claim is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from livesegments.evaluator.commits.condensing import Condensing
from livesegments.evaluator.commits.errands import Errands
from livesegments.evaluator.commits.evaluation import Evaluation
from livesegments.evaluator.commits.flight import Flight, Refused, Sent
from livesegments.evaluator.commits.handing import Handing
from livesegments.evaluator.commits.intake import Intake
from livesegments.evaluator.commits.loading import Loader
from livesegments.evaluator.commits.partition import NEVER_MS, Partition
from livesegments.evaluator.erasure.erasing import Erasures
from livesegments.evaluator.faults.mending import Mending
from livesegments.evaluator.history.archiver import Archiver
from livesegments.evaluator.history.auditing import Auditing
from livesegments.evaluator.history.building import Building
from livesegments.evaluator.history.checkpoints import Checkpoints
from livesegments.evaluator.history.filling import Fillings
from livesegments.evaluator.history.parts import Parts
from livesegments.evaluator.history.recounting import Recounting
from livesegments.evaluator.history.retaining import Retaining
from livesegments.evaluator.history.returning import Returning
from livesegments.evaluator.kernel.announcing import kinds
from livesegments.evaluator.kernel.native import Kernels
from livesegments.evaluator.plans.walks import Walks
from livesegments.evaluator.ports import Ports
from livesegments.evaluator.relay import Relay
from livesegments.runtime import metrics
from livesegments.store.shard import Head


class Claim:
    """`head` is what the store had when it took `token`; `moved` is called when something has changed;
    `kernels`: as of a partition.

    `applied`: the number of the last commit that is stored, `applied_offset`: the next offset after it."""

    def __init__(
        self,
        number: int,
        head: Head,
        token: str,
        ports: Ports,
        intake: Intake,
        moved: Callable[[], None],
        kernels: Kernels | None = None,
    ) -> None:
        options = ports.options
        self._token = token
        self._ports = ports
        self._intake = intake
        self._now_s = asyncio.get_running_loop().time
        self.heard_s = self._now_s()
        self.applied_any = False
        self.applied, self.applied_offset = head.commit, head.offset
        self.partition = Partition(number, head, options.cache_bytes, options.dues, kernels)
        under_way = options.in_flight if kernels is None else 1  # what waits meanwhile is joined to one
        self.flight = Flight(ports.shard, token, under_way, self._applied, moved)
        self.condensing = Condensing(ports.shard, self.partition, self.flight, self._now_s)
        self.relay = Relay(
            number, ports.shard, ports.publisher, head.commit, options.outbox, options.many, moved
        )
        self.walks = Walks(ports, self.partition, self.flight, self.wall_ms)
        self.mending = Mending(ports, self.partition, self.walks, self.wall_ms)
        self.errands = Errands(self.partition, self.flight, moved)
        self.retaining = Retaining(ports.plans, options, self.partition)
        self.archiver = Archiver(
            number, token[:8], ports, self.errands, lambda: self.applied, self.retaining.keeps
        )
        self.handing = Handing(ports, self.archiver, token, number, self.partition.erased, moved)
        self.checkpoints = Checkpoints(
            token[:8], ports, self.partition, self.errands, self.archiver, self.relay, self.handing, moved
        )
        loader = Loader(ports.shard, self.partition, options.dues)
        parts = Parts(
            ports, self.partition, loader, self.walks, self.archiver, self.errands, asyncio.Lock(),
            self.wall_ms, moved, lambda: bool(intake.records),
        )  # fmt: skip
        self.fillings = Fillings(parts)
        self.recounting = Recounting(parts)
        self.auditing = Auditing(parts)
        self.building = Building(self.walks, self.fillings, self.flight, self.relay, ports.pace, moved)
        self.returning = Returning(head, self.partition, self.walks, self.flight, options.now_ms)
        self.erasures = Erasures(
            token[:8], ports, self.partition, loader, self.errands, self.archiver, self.checkpoints,
            self.relay, self.handing,
        )  # fmt: skip
        self.evaluation = Evaluation(
            ports, intake, self.partition, self.flight, loader, self.walks, self.relay, self.erasures,
            self.wall_ms, moved,
        )  # fmt: skip
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """The stored state is whole, and the claim goes on from it: its own tasks may run."""
        work = [self.relay.run(), self.archiver.run(), self.handing.run(), self.erasures.run()]
        work += [self.recounting.run(), self.retaining.run(self.archiver, self.walks, self.errands)]
        if self._ports.options.audits is not None:
            work.append(self.auditing.run())
        if self._ports.options.checkpoint_every_s:
            work.append(self.checkpoints.run())
        self._tasks = [asyncio.create_task(each) for each in work]
        for task in self._tasks:
            task.add_done_callback(partial(_ended, self.flight))

    @property
    def begun(self) -> bool:
        return bool(self._tasks)

    @property
    def lag(self) -> int | None:
        """Records of the log that are not applied, as far as known."""
        return self._intake.lag(self.partition.offset)

    def wall_ms(self) -> int | None:
        """The wall clock where it counts: live, and all that was recorded before is applied."""
        now_ms = self._ports.options.now_ms
        if now_ms is None or self.partition.clock_ms == NEVER_MS or self.lag != 0:
            return None
        return now_ms()

    async def check(self) -> None:
        """Checks that the store is as we left it. Raises Refused if it is not, and what the shard raises."""
        self.heard_s = self._now_s()
        if await self._ports.shard.fence() != (self._token, self.partition.commit):
            raise Refused
        await self.relay.tidy()

    def end(self, why: BaseException) -> None:
        """Ends the claim: nothing more is sent or announced under it."""
        self.flight.lose(why)
        self._cancel()

    async def close(self) -> None:
        """Waits a moment for what is under way."""
        if self.begun:
            await self.flight.land(timeout_s=1)
            await self.relay.drain(timeout_s=1)
        self._cancel()

    def _cancel(self) -> None:
        self.fillings.close()
        for task in self._tasks:
            task.cancel()

    def _applied(self, sent: Sent) -> None:
        outcome = sent.outcome
        self.applied_any = True
        self.applied, self.applied_offset = outcome.commit.number, outcome.commit.offset
        for record in sent.records:
            record.ack()
        if outcome.transitions:
            self.relay.hand(outcome.commit.number, outcome.transitions)
        if outcome.hands:
            self.handing.hand()
        self.heard_s = self._now_s()
        metrics.COMMITS.inc()
        metrics.COMMIT_SECONDS.observe(self.heard_s - sent.at_s)
        if outcome.state_bytes:
            metrics.STATE_BYTES.observe(outcome.state_bytes)
        metrics.EVENTS.inc(outcome.events)
        metrics.TAKEN_OVER.inc(outcome.handed)
        metrics.DUPLICATES.inc(outcome.duplicates)
        metrics.UNKNOWN_WORKSPACE.inc(outcome.unknown_workspace)
        metrics.SUPPRESSED.inc(outcome.suppressed)
        for kind, cause, count in kinds(outcome.transitions):
            metrics.TRANSITIONS.labels(kind, cause).inc(count)


def _ended(flight: Flight, task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        error = task.exception()
        assert error is not None
        flight.lose(error)
