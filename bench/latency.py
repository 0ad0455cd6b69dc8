"""Accepted to announced: from sending an event over HTTP to reading its transition from `memberships`.

An open loop: requests leave on schedule whether or not earlier ones were answered, `at_once` events in each.
A tenth of the events are a new profile's first order, which enters a segment; those are timed.
"""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from redis.asyncio import Redis

from bench import harness, workload
from livesegments.core.event import Transition
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.service import Service
from livesegments.store import keys
from livesegments.store.catalog import digest
from livesegments.wire import catalog
from livesegments.wire.topics import MEMBERSHIPS

CONNECTIONS = 32
KEY = "bench-write-key"
WARM_UP = 0.2
"""The share of a run that is not counted."""


class Latency(NamedTuple):
    per_s: int
    timed: int
    p50_ms: float
    p99_ms: float
    worst_ms: float
    at_once: int = 1


async def run(running: Stack, segments: int, per_s: int, seconds: int, at_once: int = 1) -> Latency:
    await harness.define(running, segments)
    async with Redis.from_url(running.redis) as redis:
        workspace = catalog.Workspace(workload.WORKSPACE, "Bench", "Europe/Berlin", 0)
        await redis.hset(keys.CATALOG_WORKSPACES, workspace.id, catalog.encode(workspace))
        key = catalog.Key(digest(KEY), workload.WORKSPACE, "bench", ("ingest",), 0)
        await redis.hset(keys.CATALOG_KEYS, key.digest, catalog.encode(key))
    with TemporaryDirectory() as folder:
        async with (
            started(harness.service("evaluator", running, Path(folder), "wall")),
            started(harness.service("ingest", running, Path(folder), "wall")) as ingest,
        ):
            return await _measure(running, ingest.port, per_s, seconds, at_once)


@asynccontextmanager
async def started(service: Service) -> AsyncIterator[Service]:
    await service.start()
    try:
        await service.ready(print)
        yield service
    finally:
        await service.stop()


async def _measure(running: Stack, port: int, per_s: int, seconds: int, at_once: int) -> Latency:
    count = per_s * seconds
    sent: dict[str, float] = {}
    took: dict[str, float] = {}
    consumer = AIOKafkaConsumer(bootstrap_servers=running.kafka, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([TopicPartition(MEMBERSHIPS, number) for number in range(harness.PARTITIONS)])
    decoder = msgspec.json.Decoder(Transition)

    async def hear() -> None:
        while True:
            found = await consumer.getmany(timeout_ms=1_000)
            now = time.perf_counter()
            for records in found.values():
                for record in records:
                    cause = decoder.decode(record.value).event_id
                    if cause in sent and cause not in took:
                        took[cause] = now - sent[cause]

    hearing = asyncio.create_task(hear())
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    connections = [asyncio.create_task(_connection(port, queue)) for _ in range(CONNECTIONS)]
    random, waiting, names = Random(3), list[dict[str, str]](), list[str]()
    started = time.perf_counter()
    for index in range(count):
        delay = started + index / per_s - time.perf_counter()
        if delay > 0:
            await asyncio.sleep(delay)
        timed = index % 10 == 0
        name = f"latency-{index}"
        body = {"userId": name if timed else f"known-{random.randrange(1_000)}", "messageId": name}
        body |= {"event": "order_placed" if timed else "page"}
        if timed and index >= count * WARM_UP:
            names.append(name)
        waiting.append(body)
        if len(waiting) == at_once:
            sent |= dict.fromkeys(names, time.perf_counter())
            queue.put_nowait(_request(waiting))
            waiting, names = [], []
    await asyncio.wait_for(queue.join(), 60)
    async with asyncio.timeout(60):
        while len(took) < len(sent):
            await asyncio.sleep(0.05)
    for task in (hearing, *connections):
        task.cancel()
    await consumer.stop()
    found = sorted(1_000 * seconds for seconds in took.values())
    cuts = quantiles(found, n=100)
    return Latency(per_s, len(found), cuts[49], cuts[98], found[-1], at_once)


def _request(events: list[dict[str, str]]) -> bytes:
    kind, content = "track", dict[str, object](events[0])
    if len(events) > 1:
        kind, content = "batch", {"batch": [{"type": "track", **event} for event in events]}
    body = msgspec.json.encode(content)
    basic = b64encode(f"{KEY}:".encode()).decode()
    head = (
        f"POST /v1/{kind} HTTP/1.1\r\nHost: ingest\r\nAuthorization: Basic {basic}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _connection(port: int, queue: asyncio.Queue[bytes]) -> None:
    async with connected(port) as ask:
        while True:
            status = await ask(await queue.get())
            assert status == "200", status
            queue.task_done()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Callable[[bytes], Awaitable[str]]]:
    """One request after the other over one connection, each with the status of its answer.

    A client of a few lines, to leave the cores free.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def ask(request: bytes) -> str:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        await reader.readexactly(int(length))
        return head.split(b" ", 2)[1].decode()

    try:
        yield ask
    finally:
        writer.close()
