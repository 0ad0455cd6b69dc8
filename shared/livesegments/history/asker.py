"""The api's side of the process that queries history: one question at a time, few may wait, none for ever."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process

from livesegments.history.asking import (
    LENGTH,
    Answer,
    Asked,
    Failed,
    Found,
    Request,
    Was,
    WasFound,
    answers,
    encode,
)

WAITING = 8
"""So many questions may be under way and waiting."""


class CantAnswer(OSError):
    """History can't be asked now: too many ask, it took too long, or store or files are away."""


class Asker:
    """`archive` as in `history.archive`, `store` as in `store.client`.

    The process is started by the first question, and again if it died.
    """

    def __init__(self, archive: str, store: str, partitions: int, patience_s: float) -> None:
        self._command = (sys.executable, "-m", "livesegments.history.asked", archive, str(partitions))
        self._store = store
        self._patience_s = patience_s
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def ask(self, asked: Asked) -> Found:
        """Raises CantAnswer."""
        answer = await self._ask(asked)
        assert isinstance(answer, Found)
        return answer

    async def was(self, asked: Was) -> WasFound:
        """Raises CantAnswer."""
        answer = await self._ask(asked)
        assert isinstance(answer, WasFound)
        return answer

    async def close(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def _ask(self, request: Request) -> Found | WasFound:
        if self._waiting >= WAITING:
            raise CantAnswer(f"{WAITING} questions about history are waiting already")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience_s), self._turn:
                try:
                    answer = await self._exchange(request)
                except BaseException:
                    # an answer that nobody waits for any more would be taken for that of the next question
                    await self.close()
                    raise
        except TimeoutError as error:
            raise CantAnswer(f"history took longer than {self._patience_s:g} s") from error
        finally:
            self._waiting -= 1
        if isinstance(answer, Failed):
            raise CantAnswer(answer.error)
        return answer

    async def _exchange(self, request: Request) -> Answer:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(*self._command, stdin=PIPE, stdout=PIPE)
            assert self._process.stdin is not None
            self._process.stdin.write(f"{self._store}\n".encode())
        incoming, outgoing = self._process.stdout, self._process.stdin
        assert incoming is not None and outgoing is not None
        data = encode(request)
        try:
            outgoing.write(len(data).to_bytes(LENGTH))
            outgoing.write(data)
            await outgoing.drain()
            length = int.from_bytes(await incoming.readexactly(LENGTH))
            return answers.decode(await incoming.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise CantAnswer("the process that queries history died") from error
