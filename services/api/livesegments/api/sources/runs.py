"""A run of a source: it is read whole, compared with the list, and only what differs is sent.

Example: the table has ann, bob and cy, the list bob, cy and dan. Ann is put on it, and dan is taken off it.
Were the table empty, nothing would be done: the run is held until somebody says that three members may go.

Nothing is sent before all is read and counted. A process that dies over it leaves a run that another one
begins anew: what was sent by then is no difference any more.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import structlog
from msgspec import Struct

from livesegments.api.audiences.list_jobs import Behind
from livesegments.api.context import Context
from livesegments.api.jobs.jobs import Doing, Failed
from livesegments.api.operations.audit import FIRST, noted_members
from livesegments.api.sources import fetching, files
from livesegments.api.sources.connections import Broken
from livesegments.api.sources.spool import Spool
from livesegments.core import ids
from livesegments.runtime.addresses import hosts
from livesegments.store.source_runs import Run
from livesegments.wire.catalog import Segment, Source
from livesegments.wire.topics import partition_of

KIND = "source"
BATCH = 5_000
PIECE = 2_000
FEW = 20
"""So few members may always go: a share of them says nothing."""

_log = structlog.get_logger(__name__)


class Asked(Struct, frozen=True):
    """`may_remove`: so many members may go, whatever the source's own bound is."""

    segment: str
    may_remove: int | None = None


class Held(Exception):
    """So many members would go, more than may."""

    def __init__(self, gone: int, of: int) -> None:
        super().__init__(f"{gone:,} of {of:,} members would go: run it with may_remove {gone}, if that is so")
        self.gone = gone


class Difference(Struct):
    """`first`: some of those who come or go."""

    added: int = 0
    removed: int = 0
    first: list[str] = []


class Runs:
    """What does the jobs of this kind."""

    def __init__(self, context: Context) -> None:
        self._context = context
        context.jobs.does(KIND, self._run)

    async def _run(self, doing: Doing) -> None:
        job, asked = doing.job, msgspec.json.decode(doing.job.spec, type=Asked)
        segment = await self._context.catalog.segment(job.workspace, asked.segment)
        if segment is None or segment.source is None or segment.archived_ms:
            raise Failed(f"the segment '{asked.segment}' has no source any more")
        with tempfile.TemporaryDirectory(prefix="livesegments-source-") as folder:
            attempt = Attempt(self._context, doing, segment, segment.source, Path(folder))
            try:
                await attempt.read()
                await attempt.note(await attempt.compare(asked.may_remove))
                await attempt.send()
            except (Held, Broken, Behind) as error:
                await self._ended(attempt, "held" if isinstance(error, Held) else "failed", error)
                raise Failed(str(error)) from error
            finally:
                attempt.spool.close()
            await self._ended(attempt, "done", None)

    async def _ended(self, attempt: Attempt, state: Any, error: Exception | None) -> None:
        counts, job = attempt.doing.job.counts, attempt.doing.job
        run = Run(
            job.begun_ms,
            self._context.now_ms(),
            state,
            str(error or ""),
            counts.get("rows", 0),
            counts.get("odd", 0),
            counts.get("added", 0),
            counts.get("removed", 0),
            error.gone if isinstance(error, Held) else 0,
        )
        await self._context.source_runs.put(job.workspace, attempt.segment.id, run)


class Attempt:
    """One run, in a folder of its own."""

    def __init__(
        self, context: Context, doing: Doing, segment: Segment, source: Source, folder: Path
    ) -> None:
        self._context, self.doing, self.segment, self._source = context, doing, segment, source
        self._folder, self.spool = folder, Spool(folder)
        self._partitions = context.settings.partitions

    async def read(self) -> None:
        """All ids go to disk, each once. Raises Broken."""
        values = await self._values()
        try:
            await self._read(values)
        finally:
            with suppress(ValueError):  # a thread is in it still: it ends by itself
                await asyncio.to_thread(values.close)

    async def _read(self, values: Generator[Any]) -> None:
        most, seen, odd = self._context.settings.source_rows, 0, 0
        while batch := await asyncio.to_thread(_batch, values):
            seen += len(batch)
            if seen > most:
                raise Broken(f"it has more than {most:,} rows, the most that are read")
            known = [id_ for id_ in map(_id, batch) if id_ is not None]
            odd += len(batch) - len(known)
            await asyncio.to_thread(self.spool.add, self._placed(known))
            total = max(seen, self.doing.job.total)
            await self.doing.tell(done=seen, total=total, counts={"rows": seen, "odd": odd})

    async def compare(self, may_remove: int | None) -> Difference:
        """What would change. Raises Held where more members would go than may."""
        await self._context.list_jobs.applied()
        if await self._homes():
            _log.info("a source names profiles that were merged", segment=self.segment.id)
        found = Difference()
        async for come, gone in self._differences():
            found.added += len(come)
            found.removed += len(gone)
            found.first += (come + gone)[: FIRST - len(found.first)]
        size = await self._context.members.count(self.segment.workspace, self.segment.id)
        allowed = max(FEW, int(size * self._source.most_gone)) if len(self.spool) else 0
        if found.removed > (allowed if may_remove is None else may_remove):
            raise Held(found.removed, size)
        return found

    async def note(self, found: Difference) -> None:
        """What a run changes is in the audit log before it begins; one that changes nothing leaves none."""
        if found.added or found.removed:
            said = f"{found.added:,} added, {found.removed:,} removed: as its source has it"
            await noted_members(self._context, self.segment, "replace_members", found.first, said)

    async def send(self) -> None:
        counts = {**self.doing.job.counts, "added": 0, "removed": 0}
        async for come, gone in self._differences():
            await self._context.records.change(self.segment, come, gone)
            counts["added"] += len(come)
            counts["removed"] += len(gone)
            await self.doing.tell(counts=dict(counts))

    async def _values(self) -> Generator[Any]:
        source, connections = self._source, self._context.connections
        permitted = hosts(self._context.settings.source_hosts)
        if source.path:
            path = fetching.within(self._context.settings.source_files, source.path)
            return files.ids(path.open("rb"), source.format, source.column)
        url, password = source.url, None
        if source.connection:
            connection = connections.one(self.segment.workspace, source.connection)
            password = connections.password(connection)
            if not connection.is_file:
                return _rows_of_database(
                    connection, password, permitted, source.table, source.query, source.column
                )
            url = connection.url
        file = self._folder / "file"
        await fetching.fetched(url, password, permitted, file)
        return files.ids(file.open("rb"), source.format, source.column)

    def _placed(self, profiles: Iterable[str]) -> list[tuple[int, str]]:
        workspace = self.segment.workspace
        return [(partition_of(workspace, each, self._partitions), each) for each in profiles]

    async def _homes(self) -> bool:
        """Of a profile that was merged the list has the other one: so has the spool, afterwards."""
        changed = False
        async for come, _ in self._differences():
            homes = await self._context.profiles.homes(self.segment.workspace, come)
            merged = set(come) - homes
            if merged:
                changed = True
                await asyncio.to_thread(self.spool.drop, self._placed(merged))
                await asyncio.to_thread(self.spool.add, self._placed(homes - set(come)))
        return changed

    async def _differences(self) -> AsyncIterator[tuple[list[str], list[str]]]:
        """Piece by piece: who is on the list wrongly, and who is missing from it."""
        await asyncio.to_thread(self.spool.begin)
        for partition in range(self._partitions):
            async for listed in self._context.list_jobs.pieces(self.segment, partition):
                gone = await asyncio.to_thread(self.spool.met, partition, listed)
                if gone:
                    yield [], gone
            come = [""]
            while come := await asyncio.to_thread(self.spool.unmet, partition, come[-1], PIECE):
                yield come, []


def _rows_of_database(*asked: Any) -> Generator[Any]:
    """As `databases.rows`, whose drivers take a while to import: in the thread that reads, where one does."""
    from livesegments.api.sources import databases  # noqa: PLC0415

    yield from databases.rows(*asked)


def _batch(values: Iterator[Any]) -> list[Any]:
    return list(islice(values, BATCH))


def _id(value: Any) -> str | None:
    """A profile's id; a whole number is one as it is written. None: it names no profile."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or ids.fault_of(value) is not None:
        return None
    return value
