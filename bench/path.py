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
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys

WARM_UP = 0.1
"""The share of the backlog that is not timed."""


class Path_(NamedTuple):
    """`transitions` and memory are those of the same run."""

    segments: int
    events_per_s: float
    transitions: int
    resident_mb: float
    redis_bytes_per_profile: float


async def run(running: Stack, segments: int, records: Sequence[tuple[int, int, bytes]], events: int) -> Path_:
    await harness.define(running, segments)
    await harness.preload(running, records)
    wanted = [sum(1 for partition, _, _ in records if partition == p) for p in range(harness.PARTITIONS)]
    async with Redis.from_url(running.redis) as redis:
        empty = (await redis.info("memory"))["used_memory"]
        with TemporaryDirectory() as folder:
            evaluator = harness.service("evaluator", running, Path(folder), "log")
            await evaluator.start()
            assert evaluator.child is not None
            harness.pin(evaluator.child.pid, harness.CONTENDER)
            try:
                seconds, skipped = await _watch(redis, wanted)
                transitions = await _transitions(evaluator.url)
                resident = _resident_mb(evaluator.child.pid)
            finally:
                await evaluator.stop()
        profiles = sum([await redis.hlen(keys.profiles(p, "bench")) for p in range(harness.PARTITIONS)])
        used = (await redis.info("memory"))["used_memory"] - empty
    done = events * (1 - skipped / sum(wanted))
    return Path_(segments, done / seconds, transitions, resident, used / max(profiles, 1))


async def _watch(redis: Redis, wanted: Sequence[int]) -> tuple[float, int]:
    """Seconds from the end of the warm-up to the last commit, and how many records were done at the first."""
    started, skipped = 0.0, 0
    async with asyncio.timeout(300):
        while True:
            async with redis.pipeline(transaction=False) as pipe:
                for partition in range(len(wanted)):
                    pipe.hget(keys.head(partition), "offset")
                offsets = [int(offset or 0) for offset in await pipe.execute()]
            now = time.perf_counter()
            if not started and sum(offsets) >= WARM_UP * sum(wanted):
                started, skipped = now, sum(offsets)
            if offsets == list(wanted):
                return now - started, skipped
            await asyncio.sleep(0.02)


async def _transitions(url: str) -> int:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        text = (await http.get("/metrics")).text
    counts = re.findall(r"^livesegments_evaluator_transitions_total\{.*\} ([0-9.e+]+)$", text, re.MULTILINE)
    return round(sum(map(float, counts)))


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) / 1024
