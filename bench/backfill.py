"""A new segment over a long history: how long until it is live, memberships in the store included.

`python -m bench backfill --profiles 1000000` makes ten events a profile over 60 days, lets the evaluator
apply and archive them, and then creates a segment of three conditions that are all new: a sliding count,
a sum, and a sequence whose last step is absent. Then one that asks for an attribute alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec

from bench import harness, workload
from livesegments.core.definition import Node
from livesegments.core.event import PROFILE, Event
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys, progress
from livesegments.store.client import connect
from livesegments.wire import catalog
from livesegments.wire.topics import DEFINITIONS

EACH = 10
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
    """Seconds from a segment's record in the topic until all partitions are ready; its members."""

    profiles: int
    events: int
    three_s: float
    three_members: int
    plain_s: float
    plain_members: int
    archive_mb: float


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


async def run(running: Stack, profiles: int) -> Backfilled:
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
                while await _offsets(store) != ends:
                    await asyncio.sleep(0.2)
                three_s = await _create(running, store, "three", THREE)
                plain_s = await _create(running, store, "plain", PLAIN)
                counts = [await _members(store, each) for each in ("three", "plain")]
        finally:
            await evaluator.stop()
        size = _archived_bytes(Path(folder))
    return Backfilled(profiles, profiles * EACH, three_s, counts[0], plain_s, counts[1], size / 1e6)


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
