"""The api with an archive of what happened and no evaluator: fixtures for the modules that import them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from livesegments.core.event import Event, Transition
from livesegments.history.archive import Archive
from livesegments.history.protocol import encode_written
from livesegments.history.ranges import Range
from livesegments.history.schema import events_table, transitions_table
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys
from livesegments.store.tail import Entry, applied, decode_fields, encode
from livesegments.wire import pack
from livesegments.wire.topics import partition_of
from tests.services.api.conftest import Client, emptied, running, settings

DAY_MS = 86_400_000
START_MS = 1_700_000_000_000
"""14 November 2023, 22:13:20 UTC."""
ORDERED = {"type": "event", "name": "ordered", "window": {"last": "7d"}}


class History:
    """Events as an evaluator would have left them: some in files, later ones in the tail."""

    def __init__(self, redis: Any, archive: Archive, workspace: str) -> None:
        self.redis, self.archive, self.workspace = redis, archive, workspace
        self.commits = 0

    async def happened(
        self,
        profile: str,
        name: str,
        day: float,
        transitions: list[Transition] | None = None,
        **properties: Any,
    ) -> None:
        """One event in a commit of its own, applied when it happened."""
        self.commits += 1
        at_ms = START_MS + int(day * DAY_MS)
        event = Event(f"e{self.commits}", self.workspace, profile, name, at_ms, properties)
        number = partition_of(self.workspace, profile, 8)
        entry = Entry(pack.encode(pack.Packed([event])), clock_ms=at_ms)
        told = msgspec.msgpack.encode(transitions) if transitions else None
        await self.redis.xadd(
            keys.tail(number),
            dict(zip(*[iter(encode(entry, told))] * 2, strict=True)),
            id=f"{self.commits}-0",
        )
        await self.redis.hset(keys.head(number), "clock", at_ms)

    async def archived(self) -> None:
        """The tails so far become files."""
        for number in range(8):
            entries = [
                (int(id_.split(b"-")[0]), decode_fields(fields))
                for id_, fields in await self.redis.xrange(keys.tail(number))
            ]
            if not entries:
                continue
            of = Range(entries[0][0], entries[-1][0], "test")
            events = events_table(each for commit, entry in entries for each in applied(commit, entry))
            told = transitions_table((commit, entry.transitions) for commit, entry in entries)
            written = self.archive.write(number, of, events, told)
            await self.redis.hset(keys.archive(number), of.name, encode_written(written))
            await self.redis.delete(keys.tail(number))


@pytest.fixture(scope="module")
async def served(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, Path]]:
    await emptied(stack)
    folder = tmp_path_factory.mktemp("archive")
    with_archive = msgspec.structs.replace(settings(stack), archive=str(folder))
    async with running(with_archive) as url:
        yield url, folder


@pytest.fixture
async def shop(served: tuple[str, Path], open_workspace: Any) -> Client:
    client: Client = await open_workspace(url=served[0])
    return client


@pytest.fixture
async def history(served: tuple[str, Path], shop: Client, stack: Stack) -> AsyncIterator[History]:
    async with Redis.from_url(stack.redis) as redis:
        for number in range(8):
            await redis.delete(keys.tail(number), keys.archive(number), keys.head(number))
        yield History(redis, Archive(str(served[1])), shop.workspace)
