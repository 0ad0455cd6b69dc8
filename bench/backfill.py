"""A new segment over a long history: how long until it is live, memberships in the store included.

`python -m bench backfill --profiles 1000000` makes ten events a profile over 60 days, lets the evaluator
apply and archive them, and then creates a segment of three conditions that are all new: a sliding count,
a sum, and a sequence whose last step is absent. Then one that asks for an attribute alone.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec

from bench import harness, workload
from livesegments.core.definition import Node
from livesegments.core.event import PROFILE, Event
from livesegments.history.asker import Asker
from livesegments.history.asking import Asked
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys, progress
from livesegments.store.client import connect
from livesegments.wire import catalog, pack
from livesegments.wire.topics import DEFINITIONS

EACH = 10
PATIENCE_S = 600.0
ASKS = 3
"""So often a preview is asked for after the first, which starts the process."""
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

    `cpu_s` and `peak_mb`: of the evaluator and its process of the archive together, for the first segment.
    `preview_ms`, `estimate_ms`: the same definition asked in SQL, the median of a few, without HTTP.
    `peer`: seconds of chdb's query, of query and load, and members; None where it wasn't asked for.
    """

    profiles: int
    events: int
    three_s: float
    three_members: int
    cpu_s: float
    peak_mb: float
    plain_s: float
    plain_members: int
    preview_ms: float
    estimate_ms: float
    archive_mb: float
    peer: tuple[float, float, int] | None


def events(profiles: int, seed: int = 3) -> Iterator[Event]:
    random = Random(seed)
    count = profiles * EACH
    names = ("email_opened", "order_placed", "cart_updated", "page", PROFILE)
    for index in range(count):
        name = names[0] if index % 4 == 0 else random.choice(names)
        at = workload.START_MS + index * workload.SPAN_MS // count
        id_ = f"profile-{random.randrange(profiles)}"
        yield Event(f"e{index}", workload.WORKSPACE, id_, name, at, _properties(name, random))


def _properties(name: str, random: Random) -> dict[str, Any]:
    if name == PROFILE:
        return {"attributes": {"country": random.choice(workload.COUNTRIES)}}
    if name == "order_placed":
        return {"total": random.randrange(500, 20_000) / 100}
    return {"product_id": f"p{random.randrange(workload.IDS)}"}


async def run(running: Stack, profiles: int, peer: Path | None = None) -> Backfilled:
    await _define(running, catalog.Workspace(workload.WORKSPACE, "Bench", "Europe/Berlin", 0))
    records = harness.packed(events(profiles))
    await harness.preload(running, records)
    ends = [sum(1 for partition, _, _ in records if partition == p) for p in range(harness.PARTITIONS)]
    del records
    with TemporaryDirectory() as folder:
        evaluator = harness.service("evaluator", running, Path(folder), "log")
        await evaluator.start()
        try:
            async with connect(running.redis) as store:
                await _until(store, ends)
                await _stand(running, workload.START_MS + workload.SPAN_MS)
                await _until(store, [end + 1 for end in ends])
                assert evaluator.child is not None
                before = _used(evaluator.child.pid)
                three_s = await _create(running, store, "three", THREE)
                after = _used(evaluator.child.pid)
                plain_s = await _create(running, store, "plain", PLAIN)
                counts = [await _members(store, each) for each in ("three", "plain")]
                asked = await _asked(running, f"{folder}/archive", counts[0])
                other = None if peer is None else await _peer(peer, running, f"{folder}/archive")
        finally:
            await evaluator.stop()
        size = _archived_bytes(Path(folder))
    return Backfilled(
        profiles, profiles * EACH, three_s, counts[0], after[0] - before[0], after[1], plain_s, counts[1],
        *asked, size / 1e6, other,
    )  # fmt: skip


def _used(pid: int) -> tuple[float, float]:
    """CPU seconds and peak MB of a process and those that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    below = [_used(int(child)) for child in children]
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text()
    peak = int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024
    cpu = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
    return cpu + sum(each[0] for each in below), peak + sum(each[1] for each in below)


async def _asked(running: Stack, archive: str, members: int) -> tuple[float, float]:
    """Milliseconds of a preview and of its estimate."""
    asker = Asker(archive, running.redis, harness.PARTITIONS, PATIENCE_S)
    whole = Asked(workload.WORKSPACE, "Europe/Berlin", None, msgspec.convert(THREE, Node), {}, sample=10)
    try:
        found = await asker.ask(whole)
        assert found.nodes[0][1] == members, f"preview {found.nodes[0][1]}, evaluator {members}"
        exact = [await _took(asker, whole) for _ in range(ASKS)]
        one = msgspec.structs.replace(whole, one_of=0, sample=0)
        return median(exact), median([await _took(asker, one) for _ in range(ASKS)])
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
    lines = [
        "## A new segment over a long history", "",
        f"{found.profiles:,} profiles with {found.events:,} events over 60 days in an archive of",
        f"{found.archive_mb:,.0f} MB, one evaluator on all cores beside broker and Redis (`bench/backfill.py`). From the",
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
    return [
        *lines, "",
        f"The first took {found.cpu_s:.1f} s of processor, {found.cpu_s / found.profiles * 1e6:.0f} µs a profile; evaluator and the process",
        f"of the archive together never had more than {found.peak_mb:,.0f} MB. Wanted for 1,000,000 profiles: ≤ 30 s and ≤ 10 s.",
        f"Its preview takes {found.preview_ms:,.0f} ms, the estimate {found.estimate_ms:,.0f} ms (wanted: 1,500 and 200).", "",
    ]  # fmt: skip


async def _until(store: Any, ends: list[int]) -> None:
    while await _offsets(store) != ends:
        await asyncio.sleep(0.2)


async def _stand(running: Stack, to_ms: int) -> None:
    """All partitions at one instant, so that every way to ask has the same answer."""
    clock = pack.encode(pack.Clock(to_ms))
    await harness.preload(running, [(number, to_ms, clock) for number in range(harness.PARTITIONS)])


def _archived_bytes(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.glob("archive/**/*.parquet"))


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


async def _offsets(store: Any) -> list[int]:
    return [int(await store.hget(keys.head(p), "offset") or 0) for p in range(harness.PARTITIONS)]


async def _members(store: Any, id_: str) -> int:
    counts = [await store.zcard(keys.members(p, workload.WORKSPACE, id_)) for p in range(harness.PARTITIONS)]
    return sum(counts)
