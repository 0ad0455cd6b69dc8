"""The topics that the api reads may hold anything: what can't be read is counted and passed over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from livesegments.core.event import Transition
from livesegments.runtime.embedded.stack import Stack
from livesegments.wire import memberships
from livesegments.wire.topics import DEFINITIONS, MEMBERSHIPS
from tests.services.api.conftest import Client, emptied, running, settings
from tests.services.api.test_durability import furnished, names
from tests.unreadable import BAD, send_batch

STRANGE = [b"not JSON", b"\xff", b"{}", b"[" * 5_000]


@pytest.fixture
async def producer(stack: Stack) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka) as producer:
        yield producer


async def test_strange_definitions_keep_nothing_from_being_restored(
    stack: Stack, producer: AIOKafkaProducer
) -> None:
    await emptied(stack)
    async with running(settings(stack)) as url:
        header = await furnished(url)
    for value in STRANGE:
        await producer.send_and_wait(DEFINITIONS, value, key=b"segment/shop/a")
        await producer.send_and_wait(DEFINITIONS, value, key=b"\xff")
    for number in (b"x", b"", b"9" * 30, b"-1"):
        headers = [("sequence", number)]
        await producer.send_and_wait(DEFINITIONS, None, key=b"segment/shop/a", headers=headers)
    await send_batch(stack.kafka, DEFINITIONS, 0, BAD, key=b"segment/shop/a")
    async with Redis.from_url(stack.redis) as redis:
        await redis.flushall()
    async with running(settings(stack)) as url:
        assert await names(url, header) == ["a", "B"]


async def test_strange_memberships_end_no_stream(stack: Stack, producer: AIOKafkaProducer) -> None:
    await emptied(stack)
    async with running(settings(stack)) as url:
        header = await furnished(url)
        async with (
            Client(url, None) as client,
            client.stream("GET", "/v1/transitions", headers=header) as stream,
        ):
            lines = stream.aiter_lines()
            assert (await anext(lines)).startswith(":")  # from here on nothing is missed
            for value in STRANGE:
                await producer.send_and_wait(MEMBERSHIPS, value, partition=3)
            await send_batch(stack.kafka, MEMBERSHIPS, 3, BAD)
            good = Transition("i", "shop", "a", "ann", "entered", 0, 1, "event", "1", 1)
            await producer.send_and_wait(MEMBERSHIPS, memberships.encode(good), partition=3)
            async with asyncio.timeout(60):
                data = [line async for line in until_data(lines)]
            assert json.loads(data[-1].removeprefix("data:"))["profile"] == "ann"
            metrics = (await client.get("/metrics")).text
    assert "livesegments_memberships_unreadable_total" in metrics


async def until_data(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    async for line in lines:
        yield line
        if line.startswith("data:"):
            return
