"""Exports are made here, in the background: whichever process of the api takes a job's turn does it.

A process that dies over a job loses its turn after some seconds, and another one begins the job anew; what
was written until then had no name yet, and is gone.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog
from msgspec.structs import replace

from livesegments.api.context import Context
from livesegments.api.exports.rows import pages
from livesegments.api.jobs.in_turn import in_turn
from livesegments.api.web.problems import Problem
from livesegments.core.computed import PREFIX
from livesegments.history import exported
from livesegments.runtime import metrics, tasks
from livesegments.store.client import Away
from livesegments.store.exports import Export
from livesegments.store.seen import Restoring
from livesegments.store.turn import Turn

AT_A_TIME = 2
"""In one process; of each workspace one."""
MOST_BEGUN = 5
LOOK_S = 1.0
TIDY_S = 60.0
AGAIN_S = 1.0
TELL_S = 0.5
"""How far a job has come is written down at this interval."""

_log = structlog.get_logger(__name__)


class TooLargeError(Exception):
    """The file has more bytes than one may have."""


class RemovedError(Exception):
    """Nobody wants it any more."""


class Exporter:
    """`run` does jobs until it is cancelled."""

    def __init__(self, context: Context) -> None:
        self._context, self._kept = context, context.exports
        self._jobs = context.exports.jobs
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._tidied_s: float | None = None

    async def run(self) -> None:
        asked = self._kept.asked
        try:
            while True:
                try:
                    await self._look()
                except (Away, Restoring, OSError, TimeoutError) as error:
                    _log.warning("exports can't be looked at now", error=repr(error))
                asked.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(asked.wait(), LOOK_S)
        finally:
            await tasks.cancelled(list(self._tasks.values()))

    async def _look(self) -> None:
        jobs = await self._jobs.all()
        busy = {workspace for workspace, _ in self._tasks}
        for job in jobs:
            if not job.is_open or job.workspace in busy or len(self._tasks) >= AT_A_TIME:
                continue
            turn = self._jobs.turn(job)
            if await turn.take():
                busy.add(job.workspace)
                key = job.workspace, job.id
                self._tasks[key] = task = asyncio.create_task(self._do(job, turn))
                task.add_done_callback(lambda _, key=key: self._ended(key))  # type: ignore[misc]
        now_s = asyncio.get_running_loop().time()
        if self._tidied_s is None or now_s - self._tidied_s >= TIDY_S:
            self._tidied_s = now_s
            await self._kept.tidy(jobs, self._context.now_ms(), self._context.settings.exports_kept_s)

    def _ended(self, key: tuple[str, str]) -> None:
        del self._tasks[key]
        self._kept.asked.set()

    async def _do(self, job: Export, turn: Turn) -> None:
        """Ends without an error whatever happens; a job that must be begun anew stays open."""
        await in_turn(turn, self._attempt(job), job.id)

    async def _attempt(self, listed: Export) -> None:
        job = begun = listed
        try:
            # its turn may have been another's since it was listed: that one has written how far it is
            now = await self._jobs.read(listed.workspace, listed.id)
            if now is None or not now.is_open:
                return
            job, begun = now, replace(now, state="running", done=0, rows=0, begun=now.begun + 1)
            if job.begun >= MOST_BEGUN:
                await self._fail(job, f"It was begun {job.begun} times and never came to its end.")
            elif await self._jobs.replace(begun):
                await self._make(begun)
        except RemovedError:
            _log.info("an export was removed while it was made", export=job.id)
        except TooLargeError as error:
            await self._fail(begun, str(error))
        except Problem as error:
            if error.status_code == 503:
                await self._later(job)
            else:
                await self._fail(begun, str(error.detail))
        except (Away, Restoring, OSError, TimeoutError) as error:
            _log.warning("an export waits", export=job.id, error=repr(error))
            await self._later(job)
        except Exception as error:
            _log.error("a bug in an export", export=job.id, exc_info=error)
            await self._fail(begun, "An error of ours; it is in the log.")

    async def _later(self, job: Export) -> None:
        """It isn't the job's fault: this beginning doesn't count."""
        await asyncio.sleep(AGAIN_S)
        try:
            await self._jobs.replace(replace(job, state="waiting"))
        except Away as error:
            _log.warning("an export waits", export=job.id, error=repr(error))

    async def _fail(self, job: Export, why: str) -> None:
        now_ms = self._context.now_ms()
        until_ms = now_ms + round(self._context.settings.exports_kept_s * 1_000)
        failed = replace(job, state="failed", error=why, ended_ms=now_ms, until_ms=until_ms)
        await self._jobs.replace(failed)
        metrics.API_EXPORTS.labels("failed").inc()

    async def _make(self, job: Export) -> None:
        context = self._context
        job = replace(
            job,
            erased=await self._kept.erased(job.workspace),
            total=await context.members.count(job.workspace, job.segment),
        )
        if await context.catalog.segment(job.workspace, job.segment) is None:
            raise Problem(404, f"There is no segment '{job.segment}' any more.")
        sink = await asyncio.to_thread(exported.sink, job.format, job.fields, job.include)
        try:
            job = await self._filled(job, sink)
            whole = await asyncio.to_thread(sink.finish)
            name = f"{job.id}-{job.begun}.{job.format}"
            files = await self._kept.files()
            size = await asyncio.to_thread(files.put, job.workspace, name, whole)
        finally:
            await asyncio.to_thread(sink.close)
        now_ms = context.now_ms()
        until_ms = now_ms + round(context.settings.exports_kept_s * 1_000)
        done = replace(job, state="done", file=name, bytes=size, ended_ms=now_ms, until_ms=until_ms)
        if not await self._jobs.replace(done):
            await asyncio.to_thread(files.remove, job.workspace, name)
            raise RemovedError
        metrics.API_EXPORTS.labels("done").inc()

    async def _filled(self, job: Export, sink: exported.Sink) -> Export:
        loop = asyncio.get_running_loop()
        most, told_s, building = self._context.settings.exports_mb << 20, loop.time(), set[str]()
        async for page in pages(self._context, job):
            await asyncio.to_thread(sink.add, page.rows)
            building |= page.building
            done = job.done + page.seen
            job = replace(
                job,
                done=done,
                total=max(job.total, done),
                rows=job.rows + len(page.rows),
                building=tuple(sorted(name.removeprefix(PREFIX) for name in building)),
            )
            if sink.size > most:
                raise TooLargeError(
                    f"The file has more than {most >> 20} MiB, the most: choose fewer fields, or split the "
                    "segment by a bucket."
                )
            if loop.time() - told_s >= TELL_S:
                told_s = loop.time()
                if not await self._jobs.replace(job):
                    raise RemovedError
        return job
