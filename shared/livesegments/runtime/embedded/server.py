"""The common part of the embedded broker and the embedded Redis: a child, its folder, its port, its life."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from livesegments.runtime.embedded import ports
from livesegments.runtime.embedded.child import Child, StartError

START_S = 60.0
TRIES = 3


class Server(ABC):
    """`async with` it: ready inside, gone after. Its data stay in `folder`, and so does its port's number:
    the same again at the next start, where that is still free.

    `kill` and `restart` are for those who test what happens then; `restart` keeps the data and the port.
    """

    name: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.port = 0
        self.child: Child | None = None

    @property
    def address(self) -> str:
        return f"{ports.HOST}:{self.port}"

    @property
    def pid(self) -> int:
        assert self.child is not None, f"{self.name} was never started"
        return self.child.pid

    @abstractmethod
    async def prepare(self) -> Child:
        """Writes the configuration for `port` and gives the child, not started."""

    @abstractmethod
    def listeners(self) -> list[int]:
        """Every port that the child has to hold."""

    @abstractmethod
    async def answers(self) -> None:
        """Returns when it serves; may raise or hang until then."""

    async def start(self) -> None:
        """Raises StartError, or the error of `prepare`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        noted = self.folder / "port"
        text = noted.read_text() if noted.exists() else ""
        before = (
            int(text) if text.isdecimal() else 0
        )  # half written by one that was killed: any other will do
        for left in reversed(range(TRIES)):
            self.port = ports.free_port(before)
            try:
                await self._start()
            except StartError:
                if not left or ports.is_free(self.port):
                    raise
                before = 0  # someone else took the port in between
            else:
                noted.write_text(str(self.port))
                return

    async def _start(self) -> None:
        self.child = await self.prepare()
        self.child.start()
        try:
            async with self.child.starting(START_S):
                await self.child.listening(*self.listeners())
                await self.answers()
            self.child.check()
        except BaseException:
            await self.child.kill()
            raise

    async def stop(self) -> None:
        if self.child is not None:
            await self.child.stop()

    async def kill(self) -> None:
        """SIGKILL, as a crash would be."""
        assert self.child is not None, f"{self.name} was never started"
        await self.child.kill()

    async def restart(self) -> None:
        """On the same data and the same port; stops it first when it runs. Raises StartError."""
        await self.stop()
        await self._start()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.shield(self.stop())
