"""A process of its own that answers requests one by one, and its two ends: messages behind their length.

Work on files takes the processor for seconds, so services have it done beside them. The process gets requests
on its standard input and answers on its standard output. It ends when its input ends: it doesn't outlive
who started it.
"""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from select import select
from typing import BinaryIO

LENGTH = 4
IDLE_S = 30


class Died(OSError):
    """The process ended before it had answered."""


class Companion:
    """The side of who asks. Started by the first request, and again if it died; `first` is sent ahead.

    One request at a time: whoever calls `exchange` sees to that.
    """

    def __init__(self, command: Sequence[str], first: bytes = b"") -> None:
        self._command = command
        self._first = first
        self._process: Process | None = None

    async def exchange(self, data: bytes) -> bytes:
        """Raises Died. If it is interrupted the process is ended: an answer that nobody waits for any more
        would be taken for that of the next request."""
        try:
            return await self._exchange(data)
        except BaseException:
            await self.end()
            raise

    async def end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def _exchange(self, data: bytes) -> bytes:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(*self._command, stdin=PIPE, stdout=PIPE)
            assert self._process.stdin is not None
            self._process.stdin.write(self._first)
        incoming, outgoing = self._process.stdout, self._process.stdin
        assert incoming is not None and outgoing is not None
        try:
            outgoing.write(len(data).to_bytes(LENGTH))
            outgoing.write(data)
            await outgoing.drain()
            length = int.from_bytes(await incoming.readexactly(LENGTH))
            return await incoming.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Died("the process ended before it had answered") from error


def messages(incoming: BinaryIO, idle: Callable[[], None] | None = None) -> Iterator[bytes]:
    """The side of the process: messages until the input ends. `idle` is called where none comes for a while,
    and again after each further while.

    The first one may be in the input's buffer already; after it none is, for they come one at a time."""
    waits = False
    while True:
        while waits and idle is not None and not select([incoming], [], [], IDLE_S)[0]:
            idle()
        waits = True
        head = incoming.read(LENGTH)
        if len(head) < LENGTH:
            return
        message = incoming.read(length := int.from_bytes(head))
        if len(message) < length:  # who asked was killed meanwhile
            return
        yield message


def put(outgoing: BinaryIO, data: bytes) -> None:
    """Where who asked is gone, nobody hears it: the input ends next, and that is no fault to write down."""
    try:
        outgoing.write(len(data).to_bytes(LENGTH))
        outgoing.write(data)
        outgoing.flush()
    except BrokenPipeError:  # what is in the buffer still is written when the process ends
        with Path(os.devnull).open("wb") as nobody:
            os.dup2(nobody.fileno(), outgoing.fileno())
