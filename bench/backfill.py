"""A new segment over a long history: how long until it is live, memberships in the store included.

`python -m bench backfill --profiles 1000000` makes ten events a profile over 60 days (`longhistory`), lets the
evaluators make their partitions anew from that, and then creates a segment that asks for an attribute alone,
and, beside live traffic, one of three conditions that are all new: a sliding count, a sum, and a sequence
whose last step is absent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec

from bench import harness, live, longhistory, workload
from bench.used import Used, Watch, cpu_s
from livesegments.core.definition import Node
from livesegments.history.asker import Asker
from livesegments.history.asking import Asked
from livesegments.history.sql.reads import lanes_read
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.service import Service
from livesegments.runtime.topic_identity import topic_id
from livesegments.store import keys, progress
from livesegments.store.client import connect
from livesegments.wire import catalog, pack
from livesegments.wire.topics import DEFINITIONS, EVENTS

PATIENCE_S = 600.0
PEER = "BENCH_PEER"
"""Names the interpreter of `peer.py` where the page of figures is made, as `--peer` does for this alone."""
ASKS = 3
"""So often a preview is asked for after the first, which starts the process."""
WARM_UP_S, QUIET_S = 3.0, 8.0
STAND_MS = 60_000
"""More than live traffic sends in while its last transitions are heard."""
THREE = workload.every(
    workload.event("email_opened", "30d", value=2),
    workload.event("order_placed", "90d", measure={"of": "sum", "property": "total"}, value=50),
    {
        "type": "sequence", "within": "1h", "window": {"last": "60d"},
        "steps": [{"name": "cart_updated"}, {"name": "order_placed", "absent": True}],
    },
)  # fmt: skip
PLAIN = workload.attribute("country", "eq", "DE")


class Backfilled(NamedTuple):
    """Seconds from a segment's record in the topic until all partitions are ready; its members.

    `rebuilt_s`: from the start of evaluators beside an empty store until all partitions are whole.
    `used`: what all processes took for the first segment, live traffic included. `quiet_ms`, `meanwhile_ms`: the p99 of `per_s`
    live events a second before it and while it is made; `sent` events in all.
    `preview_ms`, `estimate_ms`: the same definition asked in SQL, the median of a few, without HTTP;
    `prepared_…`: the first of each after what they need was prepared.
    `peer`: seconds of chdb's query, of query and load, and members; None where it wasn't asked for.
    """

    profiles: int
    workers: int
    archive_mb: float
    rebuilt_s: float
    rebuilt_cpu_s: float
    plain_s: float
    plain_members: int
    three_s: float
    three_members: int
    used: Mapping[str, Used]
    per_s: int
    quiet_ms: float
    meanwhile_ms: float
    first_preview_ms: float
    prepared_estimate_ms: float
    prepared_preview_ms: float
    preview_ms: float
    estimate_ms: float
    peer: tuple[float, float, int] | None


async def run(
    running: Stack, profiles: int, peer: Path | None = None, workers: int = 1, per_s: int = 0
) -> Backfilled:
    await _define(running, catalog.Workspace(workload.WORKSPACE, "Bench", "Europe/Berlin", 0))
    with TemporaryDirectory() as folder:
        archive = f"{folder}/archive"
        topic = await topic_id(running.kafka, EVENTS)
        size = await asyncio.to_thread(longhistory.make, Path(archive), profiles, topic)
        async with AsyncExitStack() as stack, connect(running.redis) as store:
            begun = time.perf_counter()
            pids = [
                await _evaluator(stack, running, Path(folder) / str(each), archive) for each in range(workers)
            ]
            await _whole(store)
            rebuilt_s, rebuilt_cpu_s = time.perf_counter() - begun, sum(map(cpu_s, pids))
            other = None if peer is None else await _peer(peer, running, archive)
            await _create(running, store, "pulse", live.PULSE)  # until every partition is served again
            plain_s = await _create(running, store, "plain", PLAIN)
            quiet_ms = meanwhile_ms = 0.0
            async with AsyncExitStack() as beside:
                if per_s:
                    sending = live.traffic(running, per_s, profiles, longhistory.END_MS)
                    traffic = await beside.enter_async_context(sending)
                    await asyncio.sleep(WARM_UP_S)
                    traffic.p99_ms()
                    await asyncio.sleep(QUIET_S)
                    quiet_ms = traffic.p99_ms()
                watch = Watch(running, pids)
                three_s = await _create(running, store, "three", THREE)
                used = watch.used()
                if per_s:
                    meanwhile_ms = traffic.p99_ms()
            await _stand(running, store)
            counts = [await _members(store, each) for each in ("plain", "three")]
            if not all(counts):
                raise RuntimeError(f"segments over the history have {counts} members: it wasn't taken in")
            asked = await _asked(running, archive, counts[1])
    return Backfilled(
        profiles, workers, size / 1e6, rebuilt_s, rebuilt_cpu_s, plain_s, counts[0], three_s, counts[1],
        used, per_s, quiet_ms, meanwhile_ms, *asked, other,
    )  # fmt: skip


async def _evaluator(stack: AsyncExitStack, running: Stack, folder: Path, archive: str) -> int:
    """Starts one; its process id."""
    evaluator = _service(running, folder, archive)
    await evaluator.start()
    stack.push_async_callback(evaluator.stop)
    assert evaluator.child is not None
    return evaluator.child.pid


def _service(running: Stack, folder: Path, archive: str) -> Service:
    folder.mkdir()
    more = {"LIVESEGMENTS_ARCHIVE": archive, "LIVESEGMENTS_AUDITS_PER_S": "0"}
    return harness.service("evaluator", running, folder, "log", more)


async def _whole(store: Any) -> None:
    """Until all partitions have been made anew."""
    for partition in range(harness.PARTITIONS):
        while not await store.hget(keys.head(partition), "commit"):
            await asyncio.sleep(0.05)


async def _asked(running: Stack, archive: str, members: int) -> tuple[float, float, float, float, float]:
    """Milliseconds of a first preview, of an estimate and a preview after all was prepared, of one more
    preview, and of an estimate."""
    zone = "Europe/Berlin"
    whole = Asked(workload.WORKSPACE, zone, None, msgspec.convert(THREE, Node), {}, sample=10)
    one = msgspec.structs.replace(whole, one_of=0, sample=0)
    asker = Asker(archive, running.redis, harness.PARTITIONS, PATIENCE_S)
    try:
        await asker.prepared(workload.WORKSPACE, zone, lanes_read([msgspec.convert(THREE, Node)]))
        prepared = await _took(asker, one), await _took(asker, whole)
    finally:
        await asker.close()
    asker = Asker(archive, running.redis, harness.PARTITIONS, PATIENCE_S)
    try:
        begun = time.perf_counter()
        found = await asker.ask(whole)
        first = (time.perf_counter() - begun) * 1_000
        assert found.nodes[0][1] == members, f"preview {found.nodes[0][1]}, evaluator {members}"
        exact = [await _took(asker, whole) for _ in range(ASKS)]
        return first, *prepared, median(exact), median([await _took(asker, one) for _ in range(ASKS)])
    finally:
        await asker.close()


async def _took(asker: Asker, asked: Asked) -> float:
    begun = time.perf_counter()
    await asker.ask(asked)
    return (time.perf_counter() - begun) * 1_000


async def _peer(python: Path, running: Stack, archive: str) -> tuple[float, float, int]:
    async with connect(running.redis) as store:
        clocks = [int(await store.hget(keys.head(p), "clock") or 0) for p in range(harness.PARTITIONS)]
    arguments = [str(Path(__file__).with_name("peer.py")), archive, running.redis, str(max(clocks))]
    process = await asyncio.create_subprocess_exec(str(python), *arguments, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{python} ended with status {process.returncode}: has it chdb and redis?")
    query_s, all_s, members = told.split()[-3:]
    return float(query_s), float(all_s), int(members)


def section(found: Backfilled) -> list[str]:
    """Lines of the page of figures."""
    of = f"{found.workers} evaluators" if found.workers > 1 else "one evaluator"
    lines = [
        f"{found.profiles:,} profiles with {found.profiles * longhistory.EACH:,} events over 60 days in an archive of",
        f"{found.archive_mb:,.0f} MB, {of} on all cores beside broker and Redis (`bench/backfill.py`). From the",
        "segment's record in the topic until every membership is in Redis.", "",
        "| | seconds | members |", "|---|---|---|",
        f"| a sliding count, a sum and an absent sequence | {found.three_s:.1f} | {found.three_members:,} |",
        f"| an attribute alone | {found.plain_s:.1f} | {found.plain_members:,} |",
    ]  # fmt: skip
    if found.peer is not None:
        query_s, all_s, members = found.peer
        lines.append(
            f"| chdb's query for the first, and its load into Redis | {query_s:.1f} + {all_s - query_s:.1f} | {members:,} |"
        )
    lines += [
        "",
        "Wanted for 1,000,000 profiles: ≤ 30 s and ≤ 10 s. Meanwhile, for the first, live traffic included:", "",
        "| | s of processor | µs a profile | MB at most |", "|---|---|---|---|",
        *(
            f"| {role} | {used.cpu_s:.1f} | {used.cpu_s / found.profiles * 1e6:.0f} | {used.peak_mb:,.0f} |"
            for role, used in found.used.items()
        ), "",
    ]  # fmt: skip
    if found.per_s:
        lines.append(
            f"Live traffic of {found.per_s:,} events/s: p99 {found.quiet_ms:.0f} ms before, {found.meanwhile_ms:.0f} ms meanwhile."
        )
    return [
        *lines,
        f"Its preview takes {found.preview_ms:,.0f} ms, the estimate {found.estimate_ms:,.0f} ms (wanted: 1,500 and 200). The first takes",
        f"{found.first_preview_ms:,.0f} ms; where it was prepared as the console does, {found.prepared_preview_ms:,.0f} ms, and the first estimate",
        f"{found.prepared_estimate_ms:,.0f} ms. Made anew in an empty Redis from checkpoints: {found.rebuilt_s:.1f} s, of",
        f"which {found.rebuilt_cpu_s:.1f} s of processor (wanted: ≤ 60 s).", "",
    ]  # fmt: skip


async def _stand(running: Stack, store: Any) -> None:
    """All partitions at one instant, so that every way to ask has the same answer: first all that waits is
    applied, then the clock comes to one instant."""
    for more_ms in (0, STAND_MS):
        clocks = [int(await store.hget(keys.head(p), "clock")) for p in range(harness.PARTITIONS)]
        to_ms = max(clocks) + more_ms
        async with harness.producer(running) as out:
            for partition in range(harness.PARTITIONS):
                record = pack.encode(pack.Clock(to_ms))
                sent = await out.send_and_wait(EVENTS, record, partition=partition, timestamp_ms=to_ms)
                while int(await store.hget(keys.head(partition), "offset")) <= sent.offset:
                    await asyncio.sleep(0.05)


async def _create(running: Stack, store: Any, id_: str, definition: dict[str, Any]) -> float:
    node = msgspec.convert(definition, Node)
    started = time.perf_counter()
    await _define(running, catalog.Segment(workload.WORKSPACE, id_, id_, 1, 1, 0, 0, node))
    while not await _ready(store, id_):
        await asyncio.sleep(0.05)
    return time.perf_counter() - started


async def _define(running: Stack, entry: catalog.Entry) -> None:
    async with harness.producer(running) as out:
        await out.send_and_wait(DEFINITIONS, catalog.encode(entry), key=catalog.key_of(entry).encode())


async def _ready(store: Any, id_: str) -> bool:
    for partition in range(harness.PARTITIONS):
        data = await store.hget(keys.segments(partition, workload.WORKSPACE), id_)
        if data is None or progress.decode(data).state != "ready":
            return False
    return True


async def _members(store: Any, id_: str) -> int:
    counts = [
        await store.zcard(keys.members(p, workload.WORKSPACE, id_))
        + await store.bitcount(keys.bits(p, workload.WORKSPACE, id_))
        for p in range(harness.PARTITIONS)
    ]
    return sum(counts)
