"""Exports as all of the api knows them: the jobs, their files, and whether a file still stands.

A file stands until its time is over, or until somebody who is in it may have been erased: an export that
began before an erasure in its workspace was applied is removed, and never read again.
"""

from __future__ import annotations

import asyncio
from typing import IO

from livesegments.history.export_files import ExportFiles
from livesegments.store.erasures import Notes
from livesegments.store.exports import Export, Exports


class KeptExports:
    """`url` names the place of the files (`history.export_files`); it is opened when it is first needed."""

    def __init__(self, jobs: Exports, url: str, erasures: Notes) -> None:
        self.jobs, self._url, self._erasures = jobs, url, erasures
        self._files: ExportFiles | None = None
        self.asked = asyncio.Event()
        """Set where there is a new job, or a process has room for one again."""

    async def files(self) -> ExportFiles:
        if self._files is None:
            self._files = await asyncio.to_thread(ExportFiles, self._url)
        return self._files

    async def add(self, export: Export) -> None:
        await self.jobs.add(export)
        self.asked.set()

    async def open(self, export: Export) -> IO[bytes]:
        """The whole file. Raises FileNotFoundError where it is gone, also because somebody was erased."""
        if not await self.stands(export):
            await self.remove(export)
            raise FileNotFoundError(export.file)
        return await asyncio.to_thread((await self.files()).open, export.workspace, export.file)

    async def remove(self, export: Export) -> None:
        if export.file:
            await asyncio.to_thread((await self.files()).remove, export.workspace, export.file)
        await self.jobs.remove(export.workspace, export.id)

    async def forget(self, workspace: str, segment: str) -> None:
        """Removes those of a segment that is deleted: one that is made anew with its id has none of them."""
        for export in await self.jobs.of(workspace):
            if export.segment == segment:
                await self.remove(export)

    async def stands(self, export: Export) -> bool:
        """Whether nobody was erased since it began. (A partition's log goes only forwards.)"""
        return not export.erased or await self.erased(export.workspace) == export.erased

    async def erased(self, workspace: str) -> tuple[int, ...]:
        """Per partition, the newest erasure in a workspace."""
        return await self._erasures.newest(workspace)

    async def tidy(self, jobs: list[Export], now_ms: int, kept_s: float) -> None:
        """Files whose time is over go, and those that no job of `jobs`, all that there are, names."""
        for job in jobs:
            if not job.is_open and (job.until_ms < now_ms or not await self.stands(job)):
                await self.remove(job)
        files = await self.files()
        known = {(job.workspace, job.file) for job in jobs}
        for workspace, name in await asyncio.to_thread(files.older, now_ms / 1_000 - kept_s):
            if (workspace, name) not in known:
                await asyncio.to_thread(files.remove, workspace, name)
