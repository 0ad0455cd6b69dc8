"""What all contenders share: a stack of their own, one core for the contender, the other for the servers."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from aiokafka import AIOKafkaProducer

from bench import workload
from livesegments.core.event import Event
from livesegments.runtime.embedded.server import Server
from livesegments.runtime.embedded.stack import Stack, stack
from livesegments.runtime.service import Service
from livesegments.runtime.settings import Settings
from livesegments.runtime.topics import create_topics
from livesegments.wire import catalog, pack
from livesegments.wire.topics import DEFINITIONS, EVENTS, partition_of

CONTENDER = {0}
EVERY = set(range(os.cpu_count() or 1))
SERVERS = {1} if (os.cpu_count() or 1) > 1 else {0}
PARTITIONS = Settings().partitions


def pin(pid: int, cores: set[int]) -> None:
    """Pins all threads of a process to a core."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


@asynccontextmanager
async def fresh_stack(cores: set[int] = SERVERS) -> AsyncIterator[Stack]:
    """A stack that is empty but for all topics; every run has one of its own."""
    with TemporaryDirectory(prefix="livesegments-bench-") as folder:
        async with stack(Path(folder)) as running:
            for server in running.servers:
                assert server.child is not None
                pin(server.child.pid, cores)
            await create_topics(running.kafka, Settings())
            yield running


def pid_of(running: Stack, kind: type[Server]) -> int:
    """The process of a server of the stack."""
    return next(
        server.child.pid
        for server in running.servers
        if isinstance(server, kind) and server.child is not None
    )


async def define(running: Stack, segments: int) -> None:
    """The workload's segments, as the api would leave them in the topic."""
    workspace = catalog.Workspace(workload.WORKSPACE, "Bench", "Europe/Berlin", 0)
    entries: list[catalog.Entry] = [workspace]
    for name, node in workload.nodes(segments).items():
        entries.append(catalog.Segment(workload.WORKSPACE, name, name, 1, 1, 0, 0, node))
    async with producer(running) as out:
        for entry in entries:
            await out.send(DEFINITIONS, catalog.encode(entry), key=catalog.key_of(entry).encode())
        await out.flush()


@asynccontextmanager
async def producer(running: Stack) -> AsyncIterator[AIOKafkaProducer]:
    out = AIOKafkaProducer(bootstrap_servers=running.kafka, acks="all", linger_ms=20, max_batch_size=1 << 19)
    await out.start()
    try:
        yield out
    finally:
        await out.stop()


def home(event: Event) -> int:
    return partition_of(event.workspace, event.profile, PARTITIONS)


def packed(events: Iterable[Event]) -> list[tuple[int, int, bytes]]:
    """Yields (partition, stamp, record) as ingest would pack a busy stream: 500 events a record."""
    lanes: list[list[Event]] = [[] for _ in range(PARTITIONS)]
    records: list[tuple[int, int, bytes]] = []

    def cut(partition: int) -> None:
        lane, lanes[partition] = lanes[partition], []
        records.append((partition, lane[-1].time_ms, pack.encode(pack.Packed(lane))))

    for event in events:
        partition = home(event)
        lanes[partition].append(event)
        if len(lanes[partition]) == pack.MAX_EVENTS:
            cut(partition)
    for partition, lane in enumerate(lanes):
        if lane:
            cut(partition)
    return records


async def preload(running: Stack, records: Sequence[tuple[int, int, bytes]], topic: str = EVENTS) -> None:
    async with producer(running) as out:
        for partition, stamp, value in records:
            await out.send(topic, value, partition=partition, timestamp_ms=stamp)
        await out.flush()


def service(
    name: str, running: Stack, folder: Path, clock: str, more: Mapping[str, str] | None = None
) -> Service:
    """`more` settings, by the names of their environment variables."""
    environment = {
        **os.environ,
        "LIVESEGMENTS_KAFKA": running.kafka,
        "LIVESEGMENTS_REDIS": running.redis,
        "LIVESEGMENTS_CLOCK": clock,
        "LIVESEGMENTS_DATA": str(folder),
        "LIVESEGMENTS_LOG_LEVEL": "warning",
        **(more or {}),
    }
    return Service(name, f"livesegments.{name}.app", folder, environment)


async def contender(module: str, *arguments: str) -> float:
    """Runs `python -m module` pinned; what it prints last is its events per second."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, CONTENDER),
    )  # fmt: skip
    told, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{module} ended with status {process.returncode}")
    return float(re.findall(r"[0-9.]+(?:e[+-]?[0-9]+)?", told.decode())[-1])
