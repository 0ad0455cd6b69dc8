"""The api's side of the process that queries history: one question at a time, few may wait, none for ever."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import structlog

from livesegments.history.asking import (
    Asked,
    Failed,
    FitFound,
    Fitting,
    FlowFound,
    Flowing,
    Found,
    Prepared,
    Preparing,
    Request,
    Was,
    WasFound,
    answers,
    encode,
)
from livesegments.history.companion import Companion, Died
from livesegments.history.sql.relations import Lane

Kind = TypeVar("Kind", Found, WasFound, FlowFound, FitFound, Prepared)
WAITING = 8
"""At most this many questions may be under way or waiting."""


_log = structlog.get_logger(__name__)


class CantAnswer(OSError):
    """History can't be asked now: too many ask, it took too long, or store or files are away."""


class Asker:
    """`archive` as in `history.archive`, `store` as in `store.client`. Queries write to a folder of their
    own everything that is too much for memory; it is gone when they end, also when they are cut short."""

    def __init__(self, archive: str, store: str, partitions: int, patience_s: float) -> None:
        self._folder = Path(tempfile.gettempdir()) / f"livesegments-{uuid4().hex}"
        module = "livesegments.history.asked"
        command = (sys.executable, "-m", module, archive, str(partitions), str(self._folder))
        self._companion = Companion(command, f"{store}\n".encode())
        self._patience_s = patience_s
        self._partitions = partitions
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._preparing: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked) -> Found:
        """Raises CantAnswer."""
        return await self._ask(asked, Found)

    async def was(self, asked: Was) -> WasFound:
        """Raises CantAnswer."""
        return await self._ask(asked, WasFound)

    async def flow(self, asked: Flowing) -> FlowFound:
        """Raises CantAnswer."""
        return await self._ask(asked, FlowFound)

    async def fitting(self, asked: Fitting) -> FitFound:
        """Raises CantAnswer."""
        return await self._ask(asked, FitFound)

    def prepare(self, workspace: str, timezone: str, lanes: Sequence[Lane] = ()) -> None:
        """What previews of a workspace need is read beforehand: partition by partition, so that a question
        waits for one of these at most. Nothing is done while others ask, or something is prepared. `lanes` as
        in `Preparing`."""
        if self._waiting or (self._preparing is not None and not self._preparing.done()):
            return
        self._preparing = asyncio.create_task(self.prepared(workspace, timezone, lanes))

    async def prepared(self, workspace: str, timezone: str, lanes: Sequence[Lane] = ()) -> None:
        """The same, and returns when it is done, or can't be."""
        for partition in range(self._partitions):
            try:
                found = await self._ask(Preparing(workspace, timezone, partition, lanes), Prepared)
            except CantAnswer as error:
                _log.warning("nothing is prepared for previews", error=str(error))
                return
            if not found.kept:
                return

    async def close(self) -> None:
        if self._preparing is not None:
            self._preparing.cancel()
            await asyncio.wait([self._preparing])
        await self._companion.end()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def _ask(self, request: Request, kind: type[Kind]) -> Kind:
        if self._waiting >= WAITING:
            raise CantAnswer(f"{WAITING} questions about history are waiting already")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience_s), self._turn:
                answer = answers.decode(await self._companion.exchange(encode(request)))
        except Died as error:
            raise CantAnswer(f"history can't be queried: {error}") from error
        except TimeoutError as error:
            raise CantAnswer(f"history took longer than {self._patience_s:g} s") from error
        finally:
            self._waiting -= 1
        if isinstance(answer, Failed):
            raise CantAnswer(answer.error)
        assert isinstance(answer, kind)
        return answer
