"""Lines of files and pipes, however they are cut."""

import asyncio
import os
from pathlib import Path

import pytest

from livesegments.cli import lines as module
from livesegments.cli.lines import lines

MOST = 20


class Lines:
    """Reads a descriptor to its end; `idle` is counted."""

    def __init__(self, source: int) -> None:
        self.source, self.bytes, self.idle = source, 0, asyncio.Event()

    async def all(self) -> list[tuple[int, bytes]]:
        async def idle(more: asyncio.Future[None]) -> None:
            self.idle.set()
            await more

        def read(size: int) -> None:
            self.bytes += size

        return [line async for line in lines(self.source, MOST, idle, read)]


def opened(path: Path, content: bytes) -> int:
    path.write_bytes(content)
    return os.open(path, os.O_RDONLY)


async def of_file(path: Path, content: bytes) -> list[tuple[int, bytes]]:
    reading = Lines(opened(path, content))
    try:
        found = await reading.all()
    finally:
        os.close(reading.source)
    assert reading.bytes == len(content) and not reading.idle.is_set()
    return found


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 1_000])
async def test_lines_are_the_same_however_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(module, "CHUNK_BYTES", chunk)
    content = (
        b"\xef\xbb\xbf{1}\r\n\n  \n{4}\n" + b"x" * 19 + b"\n" + b"y" * 20 + b"\n" + b"z" * 5_000 + b"\n{8}"
    )
    expected = [(1, b"{1}"), (4, b"{4}"), (5, b"x" * 19), (6, b"y" * 20), (7, b"z" * 21), (8, b"{8}")]
    assert await of_file(tmp_path / "file", content) == expected


@pytest.mark.parametrize(
    ("content", "expected"), [(b"", []), (b"\n", []), (b"a", [(1, b"a")]), (b"a\n", [(1, b"a")])]
)
async def test_a_last_line_needs_no_end(
    tmp_path: Path, content: bytes, expected: list[tuple[int, bytes]]
) -> None:
    assert await of_file(tmp_path / "file", content) == expected


async def test_what_a_pipe_brings_is_not_held_back_while_nothing_comes() -> None:
    out, into = os.pipe()
    try:
        reading = Lines(out)
        task = asyncio.create_task(reading.all())
        os.write(into, b"{1}\n{2")
        async with asyncio.timeout(60):
            await reading.idle.wait()
            assert reading.bytes == 6
            os.write(into, b"}\n")
            os.close(into)
            assert await task == [(1, b"{1}"), (2, b"{2}")]
    finally:
        os.close(out)


async def test_where_there_is_nothing_to_wait_for_it_ends() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        assert await Lines(nothing).all() == []
    finally:
        os.close(nothing)
