"""A claim's fillings: new facts are given the history of every profile, one workspace at a time.

Example: "no order in 90 days" is created when commit 4,711 was the last. Its fact is kept live from commit
4,712 on. The tail is archived up to 4,711, the process of the archive finds the orders in the files,
profile by profile in sorted order, and chunk by chunk they are given to the facts, between live records;
the commit of a chunk names the last profile that has its history. At the end the segment is adopted, and
every profile is judged once.

So every event reaches a fact once, whatever crashes when: the number of its commit decides whether it is
history or live, and the profile that the stored filling names decides whether it has been given already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import structlog

from livesegments.core.backfill import Backfill
from livesegments.core.bulk import order
from livesegments.core.order import Order
from livesegments.core.plan import Plan
from livesegments.core.wanted import History, wanted
from livesegments.evaluator.commits.errands import nothing
from livesegments.evaluator.history.parts import OfClaim, Parts
from livesegments.evaluator.history.portion import Portion
from livesegments.evaluator.kernel.native import wish
from livesegments.history.columns import joined, profiles_of
from livesegments.history.protocol import Filled, Wanted
from livesegments.history.workshop import FilesAway
from livesegments.runtime import metrics
from livesegments.store.adoption import Filling
from livesegments.wire.profilekey import profile_key

if TYPE_CHECKING:
    from livesegments.evaluator.kernel import _native

AHEAD = 2
"""Chunks that are read before they are wanted."""
RETRY_S = 0.5


class Fillings(OfClaim):
    """Gives a claim's new facts their history."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._pace, self._waits = parts.ports.pace, parts.waits
        self._kernels = parts.ports.options.kernels
        self._portion = Portion(parts.ports.pace)
        self._job: Job | None = None
        self._logger = structlog.get_logger(__name__).bind(partition=parts.partition.number)

    @property
    def ready(self) -> bool:
        """Whether there is something to give."""
        job = self._job
        return job is not None and (bool(job.left) or not job.chunks.empty())

    async def step(self) -> bool:
        """Gives one slice, or ends a filling; False if there is nothing to do now."""
        job = self._job
        if job is not None and not self._walks.wants(job.workspace, job.facts):
            job.reading.cancel()
            job = self._job = None
        if job is None:
            return self._begin()
        if not job.left and job.chunks.empty():
            if job.reading.done():
                job.reading.result()  # a fault of ours ends the worker
            return False
        if not job.left and not job.next():
            self._job = None
            since_ms = self._archiver.complete_since(job.workspace)
            await self._walks.filled(job.workspace, since_ms)
        else:
            await self._give(job, *job.take(self._portion.size))
        return True

    def close(self) -> None:
        if self._job is not None:
            self._job.reading.cancel()

    def _begin(self) -> bool:
        found = self._walks.lacking()
        if found is None:
            return False
        workspace, filling, plan = found
        wanting, now_ms = self._walks.wanting(workspace), self._partition.clock_ms
        facts = {fact: wanting[fact] for fact in filling.facts if fact in wanting}
        made = order(plan, facts, now_ms)
        job = Job(workspace, filling, facts, wanted(plan, facts, now_ms), made, self._kernels is not None)
        self._job = job
        if made is not None and not filling.after:
            self._walks.foresee(workspace, plan, facts, now_ms)
        job.reading = asyncio.create_task(self._read(job))
        return False

    def _backfill(self, workspace: str, filling: Filling, plan: Plan) -> Backfill:
        wanting = self._walks.wanting(workspace)
        return Backfill(plan, {fact: wanting[fact] for fact in filling.facts if fact in wanting})

    async def _give(self, job: Job, share: float, chunk: Sequence[Filled]) -> None:
        partition, workspace = self._partition, job.workspace
        plan = partition.plans[workspace]
        if job.plan is not plan:
            job.plan, job.backfill = plan, self._backfill(workspace, job.filling, plan)
            if job.columns and self._kernels is not None:
                job.wish = wish(job.backfill, job.history, job.made, self._kernels)
        assert job.backfill is not None
        ids = profiles_of(chunk)
        keys = [profile_key(workspace, id_) for id_ in ids]
        stored = await self._loader.stored(workspace, partition.cache.missing(keys))
        self._pass()
        count, done, slices = 0, 0, list[Sequence[Filled]]()
        while done < len(ids) and not (slices and self._waits()):
            if slices:
                await self._pace.rest()
            slice_ = chunk[done : done + self._portion.slice]
            begun_s = self._pace.spent_s()
            count += partition.fill(workspace, job.backfill, slice_, stored, slices, job.wish)
            self._portion.took(len(slice_), begun_s)
            slices.append(slice_)
            done += len(slice_)
        job.put_back(chunk[done:])
        metrics.BACKFILLED.inc(count)
        write = self._walks.given(workspace, ids[done - 1], count, share)
        await self._walks.send(partition.seal(write), f"backfill/{plan.revision}")

    async def _read(self, job: Job) -> None:
        """Everything that was applied before the facts were kept is archived first."""
        await self._errands.post(nothing)
        after, history = job.filling.after, job.history
        while True:
            try:
                await self._archiver.cut()
                asked = Wanted(
                    job.workspace,
                    dict(history.names),
                    after,
                    dict(history.since),
                    None if job.columns else job.made,
                    job.columns,
                )
                number, ranges = self._partition.number, self._archiver.ranges
                async for share, chunk in self._history.scan(number, ranges, asked):
                    await job.chunks.put((share, chunk))
                    after = profiles_of(chunk)[-1]
                    self._moved()
                break
            except FilesAway as error:
                self._logger.warning("history can't be read", error=str(error))
                await asyncio.sleep(RETRY_S)
        await job.chunks.put(None)
        self._moved()


class Job:
    """One filling as it runs in this claim; `chunks` ends with None."""

    reading: asyncio.Task[None]

    def __init__(
        self,
        workspace: str,
        filling: Filling,
        facts: Mapping[int, int],
        history: History,
        made: Order | None = None,
        columns: bool = False,
    ) -> None:
        """`facts`: up to which commit each is given its history. `columns`: the native kernel gives it; else
        the process of the archive makes states as `made` says."""
        self.history = history
        self.made = made
        self.columns = columns
        self.workspace = workspace
        self.filling = filling
        self.facts = facts
        self.chunks: asyncio.Queue[tuple[float, Sequence[Filled]] | None] = asyncio.Queue(AHEAD)
        self.left: Sequence[Filled] = []
        self.share = 0.0
        """The rest of a chunk, and how much is done with it."""
        self.plan: Plan | None = None
        self.backfill: Backfill | None = None
        self.wish: _native.Wish | None = None

    def take(self, count: int) -> tuple[float, Sequence[Filled]]:
        """At most so many profiles of the chunk, and the share done with them."""
        taken, self.left = self.left[:count], self.left[count:]
        return self.share, taken

    def put_back(self, rest: Sequence[Filled]) -> None:
        """What was taken last and is not given: at most a chunk's rest follows it."""
        if rest:
            self.left = joined(rest, self.left)

    def next(self) -> bool:
        """Takes the next chunk; False if that was the last."""
        found = self.chunks.get_nowait()
        if found is None:
            return False
        self.share, self.left = found
        return True
