"""Neighbours: live events of several workspaces, quietly, and beside one that sends far more.

`python -m bench neighbours`. Each of `OTHERS` workspaces sends one event a request, every one a new profile's
first, which enters a segment: timed is from the request until the transition is read from `memberships`.
Beside them a workspace sends `TIMES` times what one of the others does, in batches: of many profiles, or
all of one profile, which is more than half of all events. The phases take turns, `ROUNDS` times, because a
broker that has just been started is slower at first.
"""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import count, repeat
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from redis.asyncio import Redis

from bench import harness
from bench.latency import connected, started
from livesegments.core.definition import Node
from livesegments.core.event import Transition
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys
from livesegments.store.catalog import digest
from livesegments.wire import catalog
from livesegments.wire.topics import DEFINITIONS, MEMBERSHIPS

OTHERS = tuple(f"other-{number}" for number in range(4))
NOISY = "noisy"
TIMES = 20
BATCH = 20
WARM_UP_S = 1.0
ROUNDS = 4
QUIET, WORKSPACE, PROFILE = "quiet", "beside a workspace", "beside one profile"
CONNECTIONS = 16
SEGMENT = '{"type":"event","name":"live"}'


class Phase(NamedTuple):
    """Milliseconds of the others' events; `statuses` are the answers to the noisy workspace."""

    name: str
    timed: int
    p50: float
    p99: float
    statuses: dict[str, int]


async def run(running: Stack, per_s: int, seconds: float) -> list[Phase]:
    """Every phase takes `seconds` in all."""
    await _define(running)
    with TemporaryDirectory() as folder:
        async with (
            started(harness.service("evaluator", running, Path(folder), "wall")),
            started(harness.service("ingest", running, Path(folder), "wall")) as ingest,
        ):
            bench = Bench(running, ingest.port)
            await bench.start()
            many, one = (f"p{n}" for n in count()), repeat("hot")
            try:
                await bench.phase("warm-up", per_s, seconds / 2, None)
                for _ in range(ROUNDS):
                    for name, noisy in ((QUIET, None), (WORKSPACE, many), (PROFILE, one)):
                        await bench.phase(name, per_s, WARM_UP_S + seconds / ROUNDS, noisy)
                return [bench.outcome(name) for name in (QUIET, WORKSPACE, PROFILE)]
            finally:
                await bench.stop()


async def _define(running: Stack) -> None:
    node = msgspec.json.decode(SEGMENT, type=Node)
    async with harness.producer(running) as out, Redis.from_url(running.redis) as redis:
        for name in (*OTHERS, NOISY):
            workspace = catalog.Workspace(name, name, "UTC", 0)
            key = catalog.Key(digest(name), name, name, ("ingest",), 0)
            await redis.hset(keys.CATALOG_WORKSPACES, name, catalog.encode(workspace))
            await redis.hset(keys.CATALOG_KEYS, key.digest, catalog.encode(key))
            for entry in (workspace, catalog.Segment(name, "live", "live", 1, 1, 0, 0, node)):
                await out.send(DEFINITIONS, catalog.encode(entry), key=catalog.key_of(entry).encode())
        await out.flush()


class Bench:
    def __init__(self, running: Stack, port: int) -> None:
        self._port = port
        self._consumer = AIOKafkaConsumer(bootstrap_servers=running.kafka, auto_offset_reset="earliest")
        self._sent: dict[str, float] = {}
        self._took: dict[str, float] = {}
        self._requests: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self._statuses = defaultdict[str, Counter[str]](Counter)
        self._name = ""
        self._all = defaultdict[str, list[float]](list)
        self._tasks: list[asyncio.Task[None]] = []
        self._number = count()

    async def start(self) -> None:
        await self._consumer.start()
        self._consumer.assign([TopicPartition(MEMBERSHIPS, number) for number in range(harness.PARTITIONS)])
        self._tasks = [asyncio.create_task(self._ask()) for _ in range(CONNECTIONS)]
        self._tasks.append(asyncio.create_task(self._hear()))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self._consumer.stop()

    async def phase(self, name: str, per_s: int, seconds: float, noisy: Iterator[str] | None) -> None:
        """The others send `per_s` events each; `noisy` gives the profiles of the noisy one."""
        self._sent, self._took, self._name = {}, {}, name
        at_s = time.perf_counter()
        noise = None
        if noisy is not None:
            noise = asyncio.create_task(self._noise(at_s, per_s * TIMES / BATCH, seconds, noisy))
        for number in range(round(per_s * len(OTHERS) * seconds)):
            wait_s = at_s + number / (per_s * len(OTHERS)) - time.perf_counter()
            await asyncio.sleep(max(0, wait_s))
            id_ = f"live-{next(self._number)}"
            if time.perf_counter() > at_s + WARM_UP_S:
                self._sent[id_] = time.perf_counter()
            event = {"profile": id_, "name": "live", "id": id_}
            self._requests.put_nowait(_request(OTHERS[number % len(OTHERS)], [event]))
        if noise is not None:
            await noise
        await self._requests.join()
        async with asyncio.timeout(60):
            while len(self._took) < len(self._sent):
                await asyncio.sleep(0.05)
        self._all[name] += self._took.values()

    def outcome(self, name: str) -> Phase:
        """Of all that was timed under that name."""
        took = self._all[name]
        cuts = quantiles((1_000 * each for each in took), n=100)
        return Phase(name, len(took), cuts[49], cuts[98], dict(self._statuses[name]))

    async def _noise(self, at_s: float, per_s: float, seconds: float, profiles: Iterator[str]) -> None:
        for number in range(round(per_s * seconds)):
            await asyncio.sleep(max(0, at_s + number / per_s - time.perf_counter()))
            batch = [{"profile": next(profiles), "name": "other"} for _ in range(BATCH)]
            self._requests.put_nowait(_request(NOISY, batch))

    async def _ask(self) -> None:
        async with connected(self._port) as ask:
            while True:
                workspace, request = await self._requests.get()
                status = await ask(request)
                if workspace == NOISY:
                    self._statuses[self._name][status] += 1
                elif status != "202":
                    raise RuntimeError(f"{workspace} was answered {status}")
                self._requests.task_done()

    async def _hear(self) -> None:
        decoder = msgspec.json.Decoder(Transition)
        while True:
            found = await self._consumer.getmany(timeout_ms=1_000)
            now = time.perf_counter()
            for records in found.values():
                for record in records:
                    profile = decoder.decode(record.value).profile
                    if profile in self._sent:
                        self._took[profile] = now - self._sent[profile]


def _request(workspace: str, events: list[dict[str, Any]]) -> tuple[str, bytes]:
    body = msgspec.json.encode(events)
    basic = b64encode(f"{workspace}:".encode()).decode()
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: ingest\r\nAuthorization: Basic {basic}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return workspace, head.encode() + body


def table(phases: list[Phase]) -> list[str]:
    quiet = phases[0]
    lines = ["| the others' events | timed | p50 | p99 | p99 ÷ quiet | wanted |", "|---|---|---|---|---|---|"]
    for each in phases:
        ratio, wanted = ("", "") if each is quiet else (f"{each.p99 / quiet.p99:.1f}", "≤ 2")
        lines.append(
            f"| {each.name} | {each.timed:,} | {each.p50:.1f} ms | {each.p99:.1f} ms | {ratio} | {wanted} |"
        )
    return lines
