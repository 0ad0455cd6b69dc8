"""The process that queries history for an api: `history.asked ARCHIVE PARTITIONS FOLDER`.

The first line of its input is the URL of the store; requests follow, and are answered (`asking`). It gives
way to other processes, and removes FOLDER, which is for what is too much for memory, at its end.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from typing import BinaryIO

import duckdb
import msgspec
import pyarrow as pa

from livesegments.history import companion
from livesegments.history.archive import Archive
from livesegments.history.asking import (
    Answer,
    Asked,
    Failed,
    Fitting,
    Flowing,
    Prepared,
    Preparing,
    Request,
    Sent,
    Was,
    encode,
    requests,
)
from livesegments.history.fitting import fitting
from livesegments.history.kept.shelf import Shelf
from livesegments.history.sql.answers import answer, drawn, flow, sent, was
from livesegments.history.sql.large import variables
from livesegments.history.sql.numbered import attach_numbered
from livesegments.history.sql.reads import lanes, reads, written
from livesegments.history.sql.session import Sessions
from livesegments.history.sql.source import Part, attach, part, transitions
from livesegments.store.history import Histories
from livesegments.wire.topics import partition_of

NICE = 5
MEMORY = "1GB"
"""Beyond it DuckDB writes to a folder for the time of a query."""
ESTIMATED = 25_000
"""So many of a partition's profiles an estimate looks at: 19 times in 20 it is within 0.6 % of all then."""
WEIGHED_OF_ALL = 20_000
"""Of so many profiles those that are weighed are drawn from all."""
RESTS = 10
"""What is kept goes if nobody asks for so many times `companion.IDLE_S`."""
TRIES = 5
"""At most this many times the ranges are resolved again, because files were merged away meanwhile."""


class Desk:
    """Answers requests one by one, over the archive and the tails as they are then."""

    def __init__(self, archive: Archive, histories: Histories, partitions: int, folder: str) -> None:
        self._archive, self._histories = archive, histories
        self._partitions = partitions
        self._kept = Shelf(archive, partitions)
        self._rested = 0
        self._sessions = Sessions({"memory_limit": MEMORY, "temp_directory": folder})

    def answer(self, request: Request) -> Answer:
        self._rested = 0
        for last in [False] * (TRIES - 1) + [True]:
            try:
                return self._answer(request)
            except (FileNotFoundError, duckdb.IOException) as error:
                if last:
                    return Failed(str(error))
            except (OSError, duckdb.OutOfMemoryException) as error:
                return Failed(str(error))
        raise AssertionError("the last try returns")

    def _by_number(
        self, connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], asked: Asked
    ) -> pa.Table | None:
        """Makes the relations of columns that are kept, as `attach_numbered` does."""
        most = None if asked.one_of is None else ESTIMATED
        own = lanes(asked)
        if any(lane.has_variables for lane in own):
            for statement in variables(written(asked)):
                connection.execute(statement)
        given = self._archive, self._kept, parts, asked.workspace, asked.now_ms, reads(asked), own
        return attach_numbered(connection, *given, asked.timezone, most)

    def _sent(
        self, connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], asked: Asked
    ) -> Sequence[Sent]:
        """Of many profiles those of one partition are drawn from: its files alone are read then."""
        if not asked.weighed:
            return []
        of = "TRUE"
        if len(parts) > 1 and self._kept.known > WEIGHED_OF_ALL:
            parts = parts[:1]
            of = f"profile % {self._partitions} = {parts[0].partition}"
        people = f"(SELECT id AS profile FROM people SEMI JOIN answer USING (profile) WHERE {of})"
        few = drawn(connection, people)
        with self._sessions.open(asked.timezone) as beside:
            attach(beside, self._archive, parts, asked.workspace, asked.now_ms)
            return sent(beside, asked.weighed, few)

    def rest(self) -> None:
        """Nobody has asked for a while: nothing is kept of files that have gone, and of whom is being erased;
        and after a few such times nothing at all."""
        self._rested += 1
        try:
            for partition in self._kept.partitions if self._rested < RESTS else ():
                snapshot = self._histories.read(partition, None)
                self._kept.only(part(partition, snapshot), {workspace for workspace, _ in snapshot.gone})
        except OSError:  # the store is away
            self._rested = RESTS
        if self._rested >= RESTS:
            self._kept.forget()

    def _prepare(self, request: Preparing) -> Prepared:
        of = part(request.partition, self._histories.read(request.partition, None))
        with self._sessions.open(request.timezone) as connection:
            given = connection, of, request.workspace, request.timezone, request.lanes
            return Prepared(self._kept.prepare(*given))

    def _answer(self, request: Request) -> Answer:
        if isinstance(request, Preparing):
            return self._prepare(request)
        numbers = range(self._partitions)
        if isinstance(request, Was):
            own = partition_of(request.workspace, request.profile, self._partitions)
            numbers = range(own, own + 1)
        elif isinstance(request, Asked) and request.one_of is not None:
            numbers = range(request.one_of, request.one_of + 1)
        counted = (request.workspace, request.segment) if isinstance(request, Flowing) else None
        parts = [part(number, self._histories.read(number, counted)) for number in numbers]
        now_ms = request.now_ms
        if now_ms is None:
            now_ms = max((each.snapshot.clock_ms or 0 for each in parts), default=0)
        with self._sessions.open(request.timezone) as connection:
            if isinstance(request, Flowing):
                size = sum(each.snapshot.members for each in parts)
                return flow(connection, transitions(connection, self._archive, parts), request, size, now_ms)
            profile = request.profile if isinstance(request, Was) else None
            lists = self._by_number(connection, parts, request) if isinstance(request, Asked) else None
            if isinstance(request, Asked) and lists is not None:
                found = answer(connection, request, now_ms, retracted=False, lists=lists)
                return msgspec.structs.replace(found, sent=self._sent(connection, parts, request))
            retracted = attach(connection, self._archive, parts, request.workspace, request.now_ms, profile)
            if isinstance(request, Fitting):
                return fitting(connection, request, now_ms)
            if isinstance(request, Asked):
                return answer(connection, request, now_ms, retracted)
            return was(connection, transitions(connection, self._archive, parts), request, now_ms)


def serve(desk: Desk, incoming: BinaryIO, outgoing: BinaryIO) -> None:
    for message in companion.messages(incoming, desk.rest):
        companion.put(outgoing, encode(desk.answer(requests.decode(message))))


def main() -> None:
    os.nice(NICE)
    store = sys.stdin.buffer.readline().decode().strip()
    _, archive, partitions, folder = sys.argv
    try:
        desk = Desk(Archive(archive), Histories(store), int(partitions), folder)
        serve(desk, sys.stdin.buffer, sys.stdout.buffer)
    finally:  # who started it may have been killed; if it was cut short itself, who did that removes it
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
