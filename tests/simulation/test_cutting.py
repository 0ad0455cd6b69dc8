"""Whoever asks for a cut of the tail may be cancelled at any await: every event is in one file, or in the tail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest

from livesegments.core.event import Event
from livesegments.evaluator.commits.errands import Errands
from livesegments.evaluator.commits.pace import Pace
from livesegments.evaluator.history.archiver import Archiver
from livesegments.evaluator.ports import Options, Ports
from livesegments.history.ranges import chain, parse
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.store.tail import Entry
from livesegments.wire.pack import Packed, encode
from tests.simulation.files import MemoryFiles
from tests.simulation.loop import run
from tests.simulation.memory import MemoryShard, MemoryStore

EVENTS = 6


class Line:
    """Partition and flight: commits are made and applied in their order, with pauses around them."""

    def __init__(self, shard: MemoryShard) -> None:
        self.shard = shard
        self.number = 0

    def seal(self, write: Callable[[Commit], None]) -> Commit:
        self.number += 1
        commit = Commit(0, self.number, 0, None, 0)
        write(commit)
        return commit

    async def send(self, commit: Commit) -> asyncio.Future[bool]:
        reply = self.shard.commit("token", commit)
        await asyncio.sleep(0.001)
        return reply


def remember(entry: Entry, commit: Commit) -> None:
    commit.remember(entry, None)


@pytest.mark.parametrize("awaits", range(14))
def test_a_cut_that_is_cancelled_loses_nothing(awaits: int) -> None:
    async def main() -> None:
        async def pause() -> None:
            await asyncio.sleep(0.001)

        store = MemoryStore()
        store.hashes[keys.head(0)] = {"owner": "token"}
        shard, files = MemoryShard(store, 0, pause), MemoryFiles(pause, store)
        await shard.open()
        line = Line(shard)
        options = Options(None, str, 1, 1_000, 1.0, archive_after_s=10**6)
        pace = Pace(1, 1, asyncio.get_running_loop().time, asyncio.get_running_loop().time)
        ports = cast(Ports, SimpleNamespace(shard=shard, history=files, options=options, pace=pace))
        errands = Errands(cast(Any, line), cast(Any, line), lambda: None)
        archiver = Archiver(0, "tag", ports, errands, lambda: line.number, dict)

        async def work() -> None:
            while True:
                if not await errands.run():
                    await asyncio.sleep(0.001)

        tasks = [asyncio.create_task(archiver.run()), asyncio.create_task(work())]
        for at in range(EVENTS):
            record = encode(Packed([Event(f"e{at}", "w", "p", "a", at, {})]))
            await (await line.send(line.seal(partial(remember, Entry(record)))))
            if at % 2:
                asked = asyncio.create_task(archiver.cut())
                for _ in range(awaits):
                    await asyncio.sleep(0.001)
                asked.cancel()
        await archiver.cut()
        for task in tasks:
            task.cancel()
        registered = sorted(of for name in store.hashes[keys.archive(0)] if (of := parse(name)) is not None)
        assert registered == archiver.ranges == chain(registered)
        found = [event.id for _, event in files.history(0, registered)]
        assert found == [f"e{at}" for at in range(EVENTS)]
        assert not store.streams[keys.tail(0)]

    run(main())
