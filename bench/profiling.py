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

from redis.asyncio import Redis

from bench import harness
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys

LINES = 30

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


async def run(running: Stack, segments: int, records: Sequence[tuple[int, int, bytes]]) -> str:
    """The functions with the most own time."""
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
    return "\n".join(line for line in told.getvalue().splitlines()[1:] if line.strip())
