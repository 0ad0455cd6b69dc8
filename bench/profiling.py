"""Where the evaluator's time goes: the real process under cProfile while it works a backlog off."""

from __future__ import annotations

import asyncio
import io
import os
import pstats
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from redis.asyncio import Redis

from bench import harness
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys

LINES = 20

STAGES = {
    "packed records from msgpack": [("pack.py", "decode"), ("share.py", "read")],
    "whose states are wanted": [("partition.py", "wanted")],
    "the kernel, events": [("share.py", "apply")],
    "the core, events": [("step.py", "on_event")],
    "due times": [("upkeep.py", "fire")],
    "commits": [("partition.py", "seal"), ("shard.py", "commit")],
    "announcements": [("publisher.py", "publish")],
}
"""Stage → the functions whose time, with all that they call, is spent on it. With the native kernel hardly anything is
the core's."""


class Profile(NamedTuple):
    """Stage → seconds; and the functions with the most own time, as cProfile prints them."""

    stages: dict[str, float]
    functions: str


PROFILED = """
import cProfile, os, signal, sys
from livesegments.evaluator import app
profiler = cProfile.Profile()
leave = os._exit
def dump(status):
    profiler.disable()
    profiler.dump_stats(sys.argv[1])
    leave(status)
os._exit = dump
profiler.enable()
app.main()
"""


async def run(running: Stack, segments: int, records: Sequence[tuple[int, int, bytes]]) -> Profile:
    await harness.define(running, segments)
    await harness.preload(running, records)
    wanted = [sum(1 for partition, _, _ in records if partition == p) for p in range(harness.PARTITIONS)]
    with TemporaryDirectory() as folder:
        dump = Path(folder) / "profile"
        environment = {
            **os.environ,
            "LIVESEGMENTS_KAFKA": running.kafka,
            "LIVESEGMENTS_REDIS": running.redis,
            "LIVESEGMENTS_CLOCK": "log",
            "LIVESEGMENTS_LOG_LEVEL": "warning",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROFILED, str(dump), env=environment
        )
        async with Redis.from_url(running.redis) as redis, asyncio.timeout(300):
            while True:
                offsets = [int(await redis.hget(keys.head(p), "offset") or 0) for p in range(len(wanted))]
                if offsets == wanted:
                    break
                await asyncio.sleep(0.2)
        process.terminate()
        await process.wait()
        told = io.StringIO()
        stats = pstats.Stats(str(dump), stream=told).strip_dirs().sort_stats("tottime")
        stats.print_stats(LINES)
    functions = "\n".join(line for line in told.getvalue().splitlines()[1:] if line.strip())
    return Profile(_stages(stats), functions)


def _stages(stats: pstats.Stats) -> dict[str, float]:
    spent: dict[tuple[str, str], float] = {
        (file, function): cumulative
        for (file, _, function), (_, _, _, cumulative, _) in stats.stats.items()  # type: ignore[attr-defined]
    }
    return {stage: sum(spent.get(where, 0.0) for where in places) for stage, places in STAGES.items()}
