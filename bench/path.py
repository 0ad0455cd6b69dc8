"""(a) The evaluator's path: from Kafka through decode and the core to committed Redis.

The real service, alone on one core, works a backlog of packed records off. Timed once a tenth of it is
done, to its end; what came before (imports, assignment, compiling and adopting the plan) is not the path.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx
from redis.asyncio import Redis

from bench import harness
from bench.used import children, cpu_s
from livesegments.runtime.embedded.kafka import Kafka
from livesegments.runtime.embedded.redis import Valkey
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys

WARM_UP = 0.1
"""The share of the backlog that is not timed."""


ROOT = {"PYTHONPATH": str(Path(__file__).parents[1])}
"""A module of ours stands in for the evaluator's."""
EVALUATOR = "livesegments.evaluator.app"


class Path_(NamedTuple):
    """`transitions` and memory are those of the same run. `…_us`: microseconds of CPU for an event, of the evaluator,
    Redis, the broker, and the evaluator's processes of the archive, which have a share of its core.
    `tail_bytes_per_profile` is part of the bytes of Redis."""

    segments: int
    events_per_s: float
    transitions: int
    resident_mb: float
    redis_bytes_per_profile: float
    evaluator_us: float
    store_us: float
    tail_bytes_per_profile: float
    broker_us: float
    archive_us: float


async def run(
    running: Stack,
    segments: int,
    records: Sequence[tuple[int, int, bytes]],
    events: int,
    module: str = EVALUATOR,
    core: str = "native",
) -> Path_:
    """`module` is run as the evaluator, with that core; `native` where it was built."""
    await harness.define(running, segments)
    await harness.preload(running, records)
    wanted = [sum(1 for partition, _, _ in records if partition == p) for p in range(harness.PARTITIONS)]
    async with Redis.from_url(running.redis) as redis:
        empty = (await redis.info("memory"))["used_memory"]
        with TemporaryDirectory() as folder:
            evaluator = harness.service(
                "evaluator", running, Path(folder), "log", {**ROOT, "LIVESEGMENTS_CORE": core}
            )
            evaluator.module = module
            await evaluator.start()
            assert evaluator.child is not None
            harness.pin(evaluator.child.pid, harness.CONTENDER)
            pid = evaluator.child.pid
            store, broker = (harness.pid_of(running, server) for server in (Valkey, Kafka))
            try:
                skipped = await _warm(redis, wanted)
                before = {each: cpu_s(each) for each in (pid, store, broker, *children(pid))}
                started = time.perf_counter()
                await _reached(redis, sum(wanted))
                seconds = time.perf_counter() - started
                used_s = {each: cpu_s(each) - before.get(each, 0.0) for each in (pid, store, broker)}
                archive_s = sum(cpu_s(each) - before.get(each, 0.0) for each in children(pid))
                transitions = await _transitions(evaluator.url)
                resident = _resident_mb(pid)
            finally:
                await evaluator.stop()
        profiles = sum([await redis.hlen(keys.profiles(p, "bench")) for p in range(harness.PARTITIONS)])
        used = (await redis.info("memory"))["used_memory"] - empty
        tails = [await redis.memory_usage(keys.tail(p), samples=0) or 0 for p in range(harness.PARTITIONS)]
    done, profiles = events * (1 - skipped / sum(wanted)), max(profiles, 1)
    each_us = 1e6 / done
    return Path_(
        segments, done / seconds, transitions, resident, used / profiles, used_s[pid] * each_us,
        used_s[store] * each_us, sum(tails) / profiles, used_s[broker] * each_us, archive_s * each_us,
    )  # fmt: skip


async def _warm(redis: Redis, wanted: Sequence[int]) -> int:
    """The end of the warm-up: how many records are done."""
    return await _reached(redis, WARM_UP * sum(wanted))


async def _reached(redis: Redis, records: float) -> int:
    """Waits until so many records are done; returns how many are."""
    async with asyncio.timeout(300):
        while True:
            async with redis.pipeline(transaction=False) as pipe:
                for partition in range(harness.PARTITIONS):
                    pipe.hget(keys.head(partition), "offset")
                done = sum(int(offset or 0) for offset in await pipe.execute())
            if done >= records:
                return done
            await asyncio.sleep(0.02)


async def _transitions(url: str) -> int:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        text = (await http.get("/metrics")).text
    counts = re.findall(r"^livesegments_evaluator_transitions_total\{.*\} ([0-9.e+]+)$", text, re.MULTILINE)
    return round(sum(map(float, counts)))


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) / 1024
