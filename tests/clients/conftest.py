"""Ingest on the real broker and the real Redis, and the events that a library's calls became."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from redis.asyncio import Redis

from livesegments.core.event import Event
from livesegments.ingest import app as ingest
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.settings import Settings
from livesegments.wire.rejected import Record
from livesegments.wire.topics import EVENTS, REJECTED
from tests.services.ingest.rig import events_of, read_all, write_catalog

RUN_S = 60


class Sending(Struct, frozen=True):
    """`url` is where ingest listens; the key `write` may send."""

    url: str
    kafka: str
    redis: str

    async def lose_catalogue(self) -> None:
        """Until `restore_catalogue` ingest can't tell a wrong key from a right one, and answers 503."""
        async with Redis.from_url(self.redis) as redis:
            await redis.flushall()

    async def restore_catalogue(self) -> None:
        await write_catalog(self.redis)

    async def events(self) -> list[Event]:
        """Everything accepted so far, repetitions included: nothing here drops them."""
        return events_of(await read_all(self.kafka, EVENTS))

    async def rejected(self) -> list[Record]:
        return [
            msgspec.json.decode(record.value, type=Record) for record in await read_all(self.kafka, REJECTED)
        ]


@pytest.fixture
async def sending(clean_stack: Stack) -> AsyncIterator[Sending]:
    await write_catalog(clean_stack.redis)
    async with ingest.serving(Settings(kafka=clean_stack.kafka, redis=clean_stack.redis)) as url:
        yield Sending(url, clean_stack.kafka, clean_stack.redis)


async def run(*command: str, answered: Callable[[], Awaitable[None]] | None = None) -> Any:
    """What a driver prints. It ends in time, or the library has waited for something that never came.

    `answered` is called once the library has got its first answer.
    """
    environment = {**os.environ, "NO_PROXY": "*", "no_proxy": "*"}
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env=environment)
    try:
        async with asyncio.timeout(RUN_S):
            if answered is not None:
                assert process.stderr is not None
                while line := await process.stderr.readline():
                    if line.startswith(b"status"):
                        await answered()
                        break
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()[-4_000:]
    return msgspec.json.decode(out)
