"""An audience goes into a static segment: saved as a list, added to one, or taken off it.

`{"segment": "vips", "audience": {"include": ["buyers"]}, "how": "replace"}` sends only the difference: who is
on the list already stays on it, and no reader sees an empty list. The ids of both are walked together in byte
order, so a job takes no more memory for a million of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from secrets import token_hex
from typing import Literal

import structlog
from aiokafka.errors import KafkaError
from msgspec.structs import replace

from livesegments.api.lag import Lags
from livesegments.api.problems import QUOTA, Problem
from livesegments.api.records import Records
from livesegments.core.audience import Audience
from livesegments.core.fault import Fault
from livesegments.runtime import tasks
from livesegments.store.audiences import Audiences
from livesegments.store.jobs import Job, JobStore, Lost
from livesegments.store.profiles import Profiles
from livesegments.store.seen import Restoring
from livesegments.wire.catalog import Segment
from livesegments.wire.topics import partition_of

How = Literal["append", "replace", "remove"]
ALIVE_S = 5.0
APPLIED_S = 60.0
LOOK_S = 0.05
MOST_WAITING = 100
QUOTA_JOBS = f"{QUOTA}list_jobs"

_log = structlog.get_logger(__name__)


class Behind(Exception):
    """What was accepted before the job was not applied in time."""


class ListJobs:
    """Runs them in the background, two at a time with whatever else walks audiences."""

    def __init__(
        self,
        audiences: Audiences,
        jobs: JobStore,
        profiles: Profiles,
        records: Records,
        lags: Lags,
        turn: asyncio.Semaphore,
        now_ms: Callable[[], int],
    ) -> None:
        self._audiences, self._jobs, self._profiles = audiences, jobs, profiles
        self._records, self._lags, self._turn, self._now_ms = records, lags, turn, now_ms
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def begin(self, segment: Segment, audience: Audience, how: How, total: int) -> Job:
        """Raises Problem 409 where the workspace has as many as it may, 503 where many wait here."""
        if len(self._tasks) >= MOST_WAITING:
            detail = "Many jobs are under way just now. Try again."
            raise Problem(503, detail, headers={"Retry-After": "5"})
        now_ms = self._now_ms()
        job = Job(token_hex(8), segment.id, how, audience, total, now_ms, now_ms)
        if not await self._jobs.add(segment.workspace, job, now_ms):
            message = "the workspace has as many jobs under way as it may: wait for one, or cancel it"
            raise Problem(409, "Too many jobs are under way.", [Fault("", QUOTA_JOBS, message)])
        self._tasks[job.id] = asyncio.create_task(self._run(segment, job))
        return job

    async def done(self, id_: str, within_s: float) -> None:
        """Returns once it has ended, or this time is over."""
        if (task := self._tasks.get(id_)) is not None:
            await asyncio.wait([task], timeout=within_s)

    async def close(self) -> None:
        await tasks.cancelled(list(self._tasks.values()))

    async def applied(self) -> None:
        """Returns once all that `events` had when this was called is applied. Raises Behind."""
        ends = [each.end for each in (await self._lags.read()).partitions]
        until = asyncio.get_running_loop().time() + APPLIED_S
        while True:
            now = (await self._lags.read()).partitions
            if all(each.applied >= end for each, end in zip(now, ends, strict=True)):
                return
            if asyncio.get_running_loop().time() > until:
                raise Behind("what was accepted before is not applied yet: see that the evaluators run")
            await asyncio.sleep(LOOK_S)

    async def replace(self, segment: Segment, profiles: Sequence[str]) -> tuple[int, int]:
        """Makes these all that the list has; how many were put on it and taken off it. Raises Behind.

        Of a profile that was merged the list has the other one, so that is the one to be compared."""
        await self.applied()
        shares: list[set[str]] = [set() for _ in range(self._audiences.partitions)]
        for id_ in await self._profiles.homes(segment.workspace, profiles):
            shares[partition_of(segment.workspace, id_, len(shares))].add(id_)
        added = removed = 0
        for partition, wanted in enumerate(shares):
            listed = await self._listed(segment, partition, "", "")
            come, gone = wanted - listed, listed - wanted
            await self._records.change(segment, sorted(come), sorted(gone))
            added, removed = added + len(come), removed + len(gone)
        return added, removed

    async def _run(self, segment: Segment, job: Job) -> None:
        told = [job]
        ended = asyncio.Event()
        living = asyncio.create_task(self._living(segment.workspace, told, ended))
        failed: str | None = None
        try:
            async with self._turn:
                await self.applied()
                lives = await self._audiences.heads.look()
                for partition in range(self._audiences.partitions):
                    await self._partition(segment, told, partition)
                if await self._audiences.heads.lives() != lives:
                    failed = "the store was made anew meanwhile: run it again"
        except Lost:
            return  # it was cancelled
        except (OSError, TimeoutError, KafkaError, Restoring, Behind) as error:
            failed = str(error) or "a store or the broker is away: run it again"
        finally:
            ended.set()
            await living
            self._tasks.pop(job.id, None)
        last = replace(told[0], state="failed" if failed else "done", reason=failed, alive_ms=self._now_ms())
        with suppress(Lost, OSError):
            await self._jobs.put(segment.workspace, last)
        if failed:
            _log.warning("a job of a list failed", segment=segment.id, reason=failed)

    async def _partition(self, segment: Segment, told: list[Job], partition: int) -> None:
        """Piece by piece of the audience, each with the part of the list that lies between the same ids."""
        workspace, job = segment.workspace, told[0]
        last, more = "", True
        while more:
            piece = await self._audiences.piece(workspace, job.audience, partition, last)
            wanted = set(piece.ids)
            listed = await self._listed(segment, partition, last, piece.last)
            added = wanted - listed if job.how != "remove" else set()
            removed = {"append": set(), "remove": wanted & listed, "replace": listed - wanted}[job.how]
            await self._records.change(segment, sorted(added), sorted(removed))
            now = told[0]
            told[0] = replace(
                now,
                done=now.done + len(wanted),
                added=now.added + len(added),
                removed=now.removed + len(removed),
            )
            await self._jobs.put(workspace, told[0])  # raises Lost where it was cancelled
            last, more = piece.last, bool(piece.last)

    async def _listed(self, segment: Segment, partition: int, after: str, upto: str) -> set[str]:
        """Who is on the list now, behind one id and up to another ('': to the end)."""
        own = Audience((segment.id,))
        found: set[str] = set()
        while True:
            piece = await self._audiences.piece(segment.workspace, own, partition, after, upto)
            found.update(piece.ids)
            if not piece.last or piece.last == upto:
                return found
            after = piece.last

    async def _living(self, workspace: str, told: list[Job], ended: asyncio.Event) -> None:
        with suppress(Lost, OSError):
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), ALIVE_S)
                    return
                told[0] = replace(told[0], alive_ms=self._now_ms())
                await self._jobs.put(workspace, told[0])
