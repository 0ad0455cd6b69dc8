"""An audience goes into a static segment: saved as a list, added to one, or taken off it.

`{"segment": "vips", "audience": {"include": ["buyers"]}, "how": "replace"}` sends only the difference: who is
on the list already stays on it, and no reader sees an empty list. The ids of both are walked together in byte
order, so a job takes no more memory for a million of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from livesegments.api.jobs.jobs import Doing, Failed, Jobs
from livesegments.api.operations.lag import Lags
from livesegments.api.web.records import Records
from livesegments.core.audience import Audience
from livesegments.store.audiences import Audiences
from livesegments.store.catalog import Catalog
from livesegments.store.jobs import Job
from livesegments.store.profiles import Profiles
from livesegments.wire.catalog import Segment
from livesegments.wire.topics import partition_of

How = Literal["append", "replace", "remove"]
KIND = "list"
APPLIED_S = 60.0
LOOK_S = 0.05


class Behind(Exception):
    """What was accepted before the job was not applied in time."""


class Asked(Struct, frozen=True):
    """What a job is to do."""

    segment: str
    how: How
    audience: Audience


class ListJobs:
    """Two are done at a time with whatever else walks audiences."""

    def __init__(
        self,
        catalog: Catalog,
        audiences: Audiences,
        jobs: Jobs,
        profiles: Profiles,
        records: Records,
        lags: Lags,
        turn: asyncio.Semaphore,
    ) -> None:
        self._catalog, self._audiences, self._jobs, self._profiles = catalog, audiences, jobs, profiles
        self._records, self._lags, self._turn = records, lags, turn
        jobs.does(KIND, self._run)

    async def begin(self, segment: Segment, audience: Audience, how: How, total: int) -> Job:
        """Raises Problem 409 where the workspace has as many as it may."""
        return await self._jobs.begin(segment.workspace, KIND, Asked(segment.id, how, audience), total)

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
            listed = await self.listed(segment, partition)
            come, gone = wanted - listed, listed - wanted
            await self._records.change(segment, sorted(come), sorted(gone))
            added, removed = added + len(come), removed + len(gone)
        return added, removed

    async def _run(self, doing: Doing) -> None:
        """From the partition and the number where it stood; all that was sent until then is applied first."""
        workspace = doing.job.workspace
        asked = msgspec.json.decode(doing.job.spec, type=Asked)
        at, _, place = doing.job.place.partition("/")
        last = int(place or 0)
        async with self._turn:
            segment = await self._catalog.segment(workspace, asked.segment)
            if segment is None or segment.definition is not None or segment.archived_ms:
                raise Failed(f"there is no static segment '{asked.segment}' to put anybody into any more")
            try:
                await self.applied()
            except Behind as error:
                raise Failed(str(error)) from error
            lives = await self._audiences.heads.look()
            for partition in range(int(at or 0), self._audiences.partitions):
                await self._partition(doing, segment, asked, partition, last)
                last = 0
            if await self._audiences.heads.lives() != lives:
                raise Failed("the store was made anew meanwhile: run it again")

    async def _partition(
        self, doing: Doing, segment: Segment, asked: Asked, partition: int, last: int
    ) -> None:
        """Piece by piece of the audience, each with the part of the list between the same numbers."""
        more = True
        while more:
            piece = await self._audiences.piece(segment.workspace, asked.audience, partition, last)
            wanted = set(piece.ids)
            listed = await self.listed(segment, partition, last, piece.last)
            added = wanted - listed if asked.how != "remove" else set()
            removed = {"append": set(), "remove": wanted & listed, "replace": listed - wanted}[asked.how]
            await self._records.change(segment, sorted(added), sorted(removed))
            now = doing.job
            last, more = piece.last, bool(piece.last)
            await doing.tell(
                done=now.done + len(wanted),
                counts={
                    "added": now.counts.get("added", 0) + len(added),
                    "removed": now.counts.get("removed", 0) + len(removed),
                },
                place=f"{partition}/{last}" if more else f"{partition + 1}/",
            )

    async def listed(self, segment: Segment, partition: int, after: int = 0, upto: int = 0) -> set[str]:
        """Who is on the list now, behind one number and up to another (0: to the end)."""
        found = set[str]()
        async for piece in self.pieces(segment, partition, after, upto):
            found.update(piece)
        return found

    async def pieces(
        self, segment: Segment, partition: int, after: int = 0, upto: int = 0
    ) -> AsyncIterator[Sequence[str]]:
        """The same, piece by piece."""
        own = Audience((segment.id,))
        while True:
            piece = await self._audiences.piece(segment.workspace, own, partition, after, upto)
            yield piece.ids
            after = piece.last
            if not after:
                return
