"""The lines of a file or a pipe, each as soon as it is there; no more than one line is held in memory.

A pipe may bring its next line in an hour. Meanwhile the lines before it have to be sent, and Ctrl+C has to
work: so a pipe is read when it has something, and never by a thread that couldn't be stopped.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable

CHUNK_BYTES = 256 * 1024
IDLE_S = 0.05
BOM = b"\xef\xbb\xbf"

Idle = Callable[[asyncio.Future[None]], Awaitable[None]]
"""Called when nothing has come for `IDLE_S`, with what waits for more; returns when that does."""


async def lines(
    source: int, most: int, idle: Idle, read: Callable[[int], None]
) -> AsyncIterator[tuple[int, bytes]]:
    """(number, line without its end) of a file descriptor, except empty ones; `read` is called with the
    number of bytes read.

    Of a line longer than `most` bytes the first `most` + 1 come.
    """
    number, rest = 0, b""
    async for chunk in _chunks(source, idle):
        read(len(chunk))
        *ended, last = chunk.split(b"\n")
        for line in ended:
            number += 1
            if whole := _clean(number, rest + line)[: most + 1]:
                yield number, whole
            rest = b""
        rest = (rest + last)[: most + len(BOM) + 1]
    if whole := _clean(number + 1, rest)[: most + 1]:
        yield number + 1, whole


def _clean(number: int, line: bytes) -> bytes:
    return (line.removeprefix(BOM) if number == 1 else line).strip()


async def _chunks(source: int, idle: Idle) -> AsyncIterator[bytes]:
    is_file = stat.S_ISREG(os.fstat(source).st_mode)
    while True:
        if not is_file:
            try:
                async with asyncio.timeout(IDLE_S):
                    await _readable(source)
            except TimeoutError:
                await idle(asyncio.ensure_future(_readable(source)))
        chunk = os.read(source, CHUNK_BYTES)
        if not chunk:
            return
        yield chunk


async def _readable(source: int) -> None:
    """Returns when it has something to read, or its end."""
    loop, something = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_reader(source, something.set)
    except PermissionError:  # nothing to wait for: /dev/null, say
        return
    try:
        await something.wait()
    finally:
        loop.remove_reader(source)
