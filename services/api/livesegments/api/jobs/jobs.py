"""Jobs in the background, of every kind: whichever process of the api takes a job's turn does it.

A process that dies over a job loses its turn after some seconds, and another one goes on where the job said
last that it was (`Doing.tell`). So work says how far it is only after it has been done, and doing a little of
it twice has to be harmless: what is sent has ids that follow from the job and its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from secrets import token_hex
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from msgspec import Struct
from msgspec.structs import replace

from livesegments.api.jobs.in_turn import in_turn
from livesegments.api.web.problems import QUOTA, Problem
from livesegments.api.web.publisher import NotPublished
from livesegments.core.fault import Fault
from livesegments.runtime import metrics, tasks
from livesegments.store.actor import act_as, acting
from livesegments.store.changes import NotRestored
from livesegments.store.client import Away
from livesegments.store.jobs import Job, JobStore, Lost, spec
from livesegments.store.seen import Restoring
from livesegments.store.turn import Turn

AT_A_TIME = 4
"""In one process; of each workspace and kind one."""
MOST_BEGUN = 5
LOOK_S = 1.0
AGAIN_S = 1.0
"""A job that waits for something is begun again after so long; it takes nobody's place until then."""
SEEN_S = 0.02

_log = structlog.get_logger(__name__)


class Failed(Exception):
    """The job can't be done; the message says why, and what to do."""


class Waits(Exception):
    """The job has to wait for somebody; the message says for what. It is begun again by itself."""


class Doing:
    """A job while it is done."""

    def __init__(self, store: JobStore, job: Job) -> None:
        self._store, self.job = store, job

    async def tell(self, **changes: Any) -> None:
        """How far it is. Raises Lost where it was cancelled."""
        if "place" in changes:
            changes["begun"] = 1  # it came further: the next beginning is the first from here
        self.job = replace(self.job, **changes)
        await self._store.put(self.job)


Work = Callable[[Doing], Awaitable[None]]


class Jobs:
    """`run` does jobs until it is cancelled; `does` says by what, before."""

    def __init__(self, store: JobStore, now_ms: Callable[[], int]) -> None:
        self.store, self._now_ms = store, now_ms
        self._works: dict[str, Work] = {}
        self._tasks: dict[tuple[str, str, str], asyncio.Task[None]] = {}
        self._resting: set[tuple[str, str, str]] = set()
        self._asked = asyncio.Event()

    def does(self, kind: str, work: Work) -> None:
        self._works[kind] = work

    async def begin(
        self, workspace: str, kind: str, asked: Struct, total: int, *, draft: bool = False
    ) -> Job:
        """A `draft` waits for `start`. Raises Problem 409 where the workspace has as many as it may."""
        now_ms = self._now_ms()
        job = Job(workspace, token_hex(8), kind, spec(asked), total, now_ms, by=acting())
        if draft:
            job = replace(job, state="draft")
        if not await self.store.add(job, now_ms):
            message = "the workspace has as many jobs under way as it may: wait for one, or cancel it"
            raise Problem(409, "Too many jobs are under way.", [Fault("", f"{QUOTA}jobs", message)])
        self._asked.set()
        return job

    async def start(self, job: Job) -> Job:
        """Begins a draft, in the name of who acts now. Raises Lost where it was removed."""
        job = replace(job, state="waiting", by=acting())
        await self.store.put(job)
        self._asked.set()
        return job

    async def ended(self, job: Job, within_s: float) -> None:
        """Returns once it has ended, or this time is over."""
        with suppress(TimeoutError, Lost):
            async with asyncio.timeout(within_s):
                while (await self.store.one(job.workspace, job.kind, job.id)).is_open:  # noqa: ASYNC110
                    await asyncio.sleep(SEEN_S)

    async def run(self) -> None:
        try:
            while True:
                try:
                    await self._look()
                except (Away, Restoring, OSError, TimeoutError) as error:
                    _log.warning("jobs can't be looked at now", error=repr(error))
                self._asked.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._asked.wait(), LOOK_S)
        finally:
            await tasks.cancelled(list(self._tasks.values()))

    async def _look(self) -> None:
        busy = {(workspace, kind) for workspace, kind, _ in self._tasks}
        for job in await self.store.open():
            if len(self._tasks) >= AT_A_TIME:
                return
            if job.kind not in self._works or (job.workspace, job.kind) in busy:
                continue
            if (job.workspace, job.kind, job.id) in self._resting:
                continue
            turn = self.store.turn(job)
            if await turn.take():
                busy.add((job.workspace, job.kind))
                self._start(job, turn)

    def _start(self, job: Job, turn: Turn) -> None:
        def ended(_: object) -> None:
            del self._tasks[key]
            self._asked.set()

        key = job.workspace, job.kind, job.id
        self._tasks[key] = task = asyncio.create_task(in_turn(turn, self._attempt(job), job.id))
        task.add_done_callback(ended)

    def _rest(self, job: Job) -> None:
        def over() -> None:
            self._resting.discard(key)
            self._asked.set()

        key = job.workspace, job.kind, job.id
        self._resting.add(key)
        asyncio.get_running_loop().call_later(AGAIN_S, over)

    async def _attempt(self, listed: Job) -> None:
        """Ends without an error whatever happens; a job that has to be gone on with stays open."""
        doing = Doing(self.store, listed)
        try:
            # its turn may have been another's since it was listed: that one has written how far it is
            job = await self.store.one(listed.workspace, listed.kind, listed.id)
            if not job.is_open:
                return
            doing.job = job
            if job.begun >= MOST_BEGUN:
                raise Failed(f"it was begun {job.begun} times and came no further")
            act_as(job.by)
            await doing.tell(state="running", begun=job.begun + 1, reason=None)
            await self._works[job.kind](doing)
            await self._end(doing, "done", None)
        except Lost:
            _log.info("a job was cancelled", job=listed.id)
        except Failed as error:
            await self._end(doing, "failed", str(error))
        except Waits as error:
            await self._later(doing, str(error))
        except Problem as error:
            await (
                self._away(doing, error)
                if error.status_code >= 500
                else self._end(doing, "failed", str(error.detail))
            )
        except (Away, Restoring, OSError, TimeoutError, KafkaError, NotPublished, NotRestored) as error:
            await self._away(doing, error)
        except Exception as error:
            _log.error("a bug in a job", job=listed.id, exc_info=error)
            await self._end(doing, "failed", "an error of ours; it is in the log")

    async def _away(self, doing: Doing, error: Exception) -> None:
        _log.warning("a job waits", job=doing.job.id, error=repr(error))
        await self._later(doing, "a store or the broker is away: it goes on by itself")

    async def _later(self, doing: Doing, reason: str) -> None:
        """It isn't the job's fault: this beginning doesn't count."""
        self._rest(doing.job)
        with suppress(Lost, Away):
            await doing.tell(state="waiting", begun=max(doing.job.begun - 1, 0), reason=reason)

    async def _end(self, doing: Doing, state: str, reason: str | None) -> None:
        if reason is not None:
            _log.warning("a job failed", job=doing.job.id, kind=doing.job.kind, reason=reason)
        metrics.API_JOBS.labels(doing.job.kind, state).inc()
        with suppress(Lost):
            await doing.tell(state=state, reason=reason, ended_ms=self._now_ms())
