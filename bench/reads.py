"""Reads of the api: one process alone on one core; the load generator, the broker and Redis on the other.

`python -m bench reads`, with `--against TREE` in turn with the api of another checkout of the product. Four
requests in equal shares: is a profile a member, how many members, a profile, a page of 100 members.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import quote

import msgspec
from msgspec import Struct

from bench import harness, path, workload
from bench.load import Load, Wanted
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.service import Service
from livesegments.store.catalog import digest
from livesegments.wire import catalog
from livesegments.wire.topics import DEFINITIONS

SEGMENTS = 100
EVENTS = 60_000
CONNECTIONS = 16
PER_S = 1_500
KEY = "bench-read-key"
ROOTS = ("shared", "services/ingest", "services/evaluator", "services/api", "services/notify")


class Reads(Struct, frozen=True):
    """`closed`: 16 connections, each with its next request when the last is answered. `at_rate`: an open
    loop. `control`: the generator against a server that does nothing. `cpu_ms`: the api's CPU a request, which
    depends less on what else the machine does."""

    cpu_ms: float
    closed: Load
    at_rate: Load
    control: Load


@asynccontextmanager
async def filled() -> AsyncIterator[Stack]:
    """A stack that an evaluator has worked the workload's events off in, and a key that may read."""
    records = harness.packed(workload.events(EVENTS))
    async with harness.fresh_stack() as running:
        await path.run(running, SEGMENTS, records, EVENTS)
        key = catalog.Key(digest(KEY), workload.WORKSPACE, "bench", ("read",), 0)
        async with harness.producer(running) as out:
            await out.send(DEFINITIONS, catalog.encode(key), key=catalog.key_of(key).encode())
            await out.flush()
        yield running


async def run(running: Stack, seconds: float) -> Reads:
    with TemporaryDirectory() as folder:
        async with _api(running, Path(folder)) as api:
            wanted = Wanted(api.port, requests(), CONNECTIONS, seconds)
            assert api.child is not None
            before = _cpu_s(api.child.pid)
            closed = await _load(wanted)
            cpu_ms = 1_000 * (_cpu_s(api.child.pid) - before) / closed.answered
            at_rate = await _load(msgspec.structs.replace(wanted, per_s=PER_S))
        async with _control() as port:
            control = await _load(msgspec.structs.replace(wanted, port=port))
    return Reads(cpu_ms, closed, at_rate, control)


def _cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def requests(count: int = 4_000) -> list[str]:
    """The heads of requests; none has a body."""
    random = Random(4)
    segments = sorted(workload.broad())
    profiles = sorted({event.profile for event in workload.events(EVENTS)})
    found = []
    for index in range(count):
        segment, profile = random.choice(segments), quote(random.choice(profiles))
        target = (
            f"/v1/segments/{segment}/members/{profile}",
            f"/v1/segments/{segment}/count",
            f"/v1/profiles/{profile}",
            f"/v1/segments/{segment}/members?limit=100",
        )[index % 4]
        found.append(f"GET {target} HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {KEY}\r\n\r\n")
    return found


@contextmanager
def services_of(tree: Path | None) -> Iterator[None]:
    """The services that are started within are those of another checkout."""
    if tree is None:
        yield
        return
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(str(tree / root) for root in ROOTS)
    try:
        yield
    finally:
        del os.environ["PYTHONPATH"]
        if before is not None:
            os.environ["PYTHONPATH"] = before


async def compared(rounds: int, seconds: float, against: Path | None) -> dict[str, list[Reads]]:
    """By name of the tree, in turn; all on the same data."""
    trees = {"this": None} if against is None else {"other": against, "this": None}
    found: dict[str, list[Reads]] = {name: [] for name in trees}
    async with filled() as running:
        for _ in range(rounds):
            for name, tree in trees.items():
                with services_of(tree):
                    found[name].append(await run(running, seconds))
    return found


def section(runs: Sequence[Reads]) -> list[str]:
    """Of the page of results."""
    return [
        "One api process alone on one core, Redis and the load generator on the other: membership of a profile,",
        f"number of members, a profile, 100 members, in equal shares, over {SEGMENTS} segments and "
        f"{workload.PROFILES:,} profiles.",
        "",
        *table(runs),
        "",
        f"Wanted: ≥ 2,000/s; p99 ≤ 10 ms at {PER_S:,}/s.",
    ]


def table(runs: Sequence[Reads], name: str = "") -> list[str]:
    """Medians of the rounds."""
    rows = {
        f"as fast as it goes, {CONNECTIONS} connections": [each.closed for each in runs],
        f"{PER_S:,}/s, whatever is answered": [each.at_rate for each in runs],
        "the generator against a server that does nothing": [each.control for each in runs],
    }
    lines = [
        f"| {name} | requests/s | p50 | p99 | worst | CPU of the generator | not 200 |",
        "|---|---|---|---|---|---|---|",
    ]
    for row, loads in rows.items():
        bad = sum(sum(load.statuses.values()) for load in loads)
        lines.append(
            f"| {row} | {median(load.requests_per_s for load in loads):,.0f} "
            f"| {median(load.p50_ms for load in loads):.1f} ms | {median(load.p99_ms for load in loads):.1f} ms "
            f"| {median(load.worst_ms for load in loads):.1f} ms "
            f"| {median(load.cpu_share for load in loads):.0%} | {bad} |"
        )
    return [*lines, "", f"CPU of the api: {median(each.cpu_ms for each in runs):.2f} ms a request."]


@asynccontextmanager
async def _api(running: Stack, folder: Path) -> AsyncIterator[Service]:
    api = harness.service("api", running, folder, "log")
    await api.start()
    try:
        await api.ready(print)
        assert api.child is not None
        harness.pin(api.child.pid, harness.CONTENDER)
        yield api
    finally:
        await api.stop()


@asynccontextmanager
async def _control() -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.load", "answer"), stdout=asyncio.subprocess.PIPE
    )
    harness.pin(process.pid, harness.CONTENDER)
    try:
        assert process.stdout is not None
        yield int(await process.stdout.readline())
    finally:
        process.kill()
        await process.wait()


async def _load(wanted: Wanted) -> Load:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.load"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, harness.SERVERS),
    )
    told, _ = await process.communicate(msgspec.json.encode(wanted))
    if process.returncode:
        raise RuntimeError(f"the load generator ended with status {process.returncode}")
    return msgspec.json.decode(told, type=Load)
