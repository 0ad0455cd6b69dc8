"""The process that queries history for an api: `python -m livesegments.history.asked ARCHIVE PARTITIONS`.

The first line of its input is the URL of the store; requests follow (`asking`), and answers go to its output.
It ends when its input ends, so it doesn't outlive who started it, and gives way to other processes.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import BinaryIO

import duckdb

from livesegments.history.archive import Archive
from livesegments.history.asking import (
    LENGTH,
    Answer,
    Asked,
    Failed,
    Found,
    Request,
    WasFound,
    encode,
    requests,
)
from livesegments.history.sql.answers import answer, was
from livesegments.history.sql.session import prepare
from livesegments.history.sql.source import attach, part, transitions
from livesegments.store.history import Histories
from livesegments.wire.topics import partition_of

NICE = 5
MEMORY = "1GB"
"""Beyond it DuckDB writes to a folder for the time of a query."""
TRIES = 5
"""So often files that were merged away meanwhile are resolved again."""


class Desk:
    """Answers requests one by one, over the archive and the tails as they are then."""

    def __init__(self, archive: Archive, histories: Histories, partitions: int, folder: str) -> None:
        self._archive, self._histories = archive, histories
        self._partitions, self._folder = partitions, folder

    def answer(self, request: Request) -> Answer:
        for last in [False] * (TRIES - 1) + [True]:
            try:
                return self._answer(request)
            except (FileNotFoundError, duckdb.IOException) as error:
                if last:
                    return Failed(str(error))
            except (OSError, duckdb.OutOfMemoryException) as error:
                return Failed(str(error))
        raise AssertionError("the last try returns")

    def _answer(self, request: Request) -> Found | WasFound:
        if isinstance(request, Asked):
            numbers = range(self._partitions)
        else:
            own = partition_of(request.workspace, request.profile, self._partitions)
            numbers = range(own, own + 1)
        parts = [part(number, self._histories.read(number)) for number in numbers]
        now_ms = request.now_ms
        if now_ms is None:
            now_ms = max((each.snapshot.clock_ms or 0 for each in parts), default=0)
        limits: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY,
            "temp_directory": self._folder,
        }
        with duckdb.connect(config=limits) as connection:
            if isinstance(request, Asked):
                prepare(connection, request.timezone, now_ms)
                attach(connection, self._archive, parts, request.workspace, now_ms)
                return answer(connection, request, now_ms)
            rows = transitions(connection, self._archive, parts)
            return WasFound(now_ms, was(connection, rows, request, now_ms))


def serve(desk: Desk, incoming: BinaryIO, outgoing: BinaryIO) -> None:
    while len(head := incoming.read(LENGTH)) == LENGTH:
        data = encode(desk.answer(requests.decode(incoming.read(int.from_bytes(head)))))
        outgoing.write(len(data).to_bytes(LENGTH))
        outgoing.write(data)
        outgoing.flush()


def main() -> None:
    os.nice(NICE)
    store = sys.stdin.buffer.readline().decode().strip()
    with tempfile.TemporaryDirectory(prefix="livesegments-") as folder:
        desk = Desk(Archive(sys.argv[1]), Histories(store), int(sys.argv[2]), folder)
        serve(desk, sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
