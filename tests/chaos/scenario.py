"""CDNOW replayed at speed while things die; then every segment held against SQL over the raw file.

A fault happens in the middle of the work: the events are sent in portions, and as soon as something of a
portion is applied, a fault strikes while the rest is still to be done.
"""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from redis.exceptions import RedisError

from livesegments.cli.demo import wheels
from livesegments.cli.demo.cdnow import LOG
from livesegments.cli.demo.proof import Analyst, Comparison, compare
from livesegments.core.event import Event
from livesegments.runtime.embedded.stack import Stack, stack
from livesegments.runtime.settings import Settings
from livesegments.runtime.topics import create_topics
from livesegments.store import keys
from livesegments.wire.topics import partition_of
from tests.delivery import check_delivery
from tests.services.evaluator.rig import PARTITIONS, Evaluator, Rig, rig

RECORD = 10
"""Events a record: small, so that there are many commits to die between."""
MOVE_S = 120.0
SETTLE_S = 180.0
PAUSE_MS = 30_000
"""Redis is kept from writing for at most this long."""

Fault = Callable[["Chaos"], Awaitable[None]]
Report = Callable[[str], None]


class Chaos:
    """Two workers on a stack of their own."""

    def __init__(self, rig: Rig, report: Report) -> None:
        self.rig = rig
        self.report = report
        self.workers: list[Evaluator] = []
        self.refused = 0.0
        self._kills = 0

    def start(self) -> None:
        self.workers.append(self.rig.start())

    async def kill_worker(self) -> None:
        """kill -9 of the one that has lived longest; another starts at once."""
        dead = self.workers.pop(0)
        self.report(f"kill -9 of worker {dead.child.pid}")
        await dead.child.kill()
        self.start()

    async def kill_server(self, name: str) -> None:
        """kill -9 of Valkey or Kafka, and a restart on its data."""
        server = next(each for each in self.rig.stack.servers if each.name == name)
        self.report(f"kill -9 of {name}")
        await server.kill()
        await server.restart()

    async def zombie(self) -> None:
        """A worker stands still until another has all its partitions, then goes on as if nothing had
        happened.

        Redis is kept from writing until the worker has fetched records and can't apply them: so it surely
        stands still with work in hand, which it will try to commit when it goes on.
        """
        stopped, other = self.workers
        before = await stopped.metric(REFUSALS)
        await self.rig.redis.client_pause(PAUSE_MS, all=False)

        async def has_work() -> bool:
            return await stopped.metric(LAG) > 0

        await self.rig.until(has_work)
        self.report(f"SIGSTOP of worker {stopped.child.pid}")
        stopped.child.signal(signal.SIGSTOP)
        await self.rig.redis.client_unpause()

        async def taken_over() -> bool:
            return await other.metric("livesegments_evaluator_partitions") == PARTITIONS

        await self.rig.until(taken_over, MOVE_S)
        self.report(f"SIGCONT of worker {stopped.child.pid}")
        stopped.child.signal(signal.SIGCONT)

        async def back() -> bool:
            return await stopped.metric("livesegments_evaluator_partitions") == PARTITIONS / 2

        await self.rig.until(back, MOVE_S)
        self.refused += await stopped.metric(REFUSALS) - before
        self.workers.reverse()

    async def applied(self) -> int | None:
        """Records applied in all partitions; None while Redis is away."""
        try:
            offsets = [await self.rig.redis.hget(keys.head(p), "offset") for p in range(PARTITIONS)]
        except (RedisError, OSError):
            return None
        return sum(int(offset or 0) for offset in offsets)

    async def moved(self, before: int | None) -> None:
        """Waits until more than `before` is applied."""

        async def holds() -> bool:
            now = await self.applied()
            return now is not None and now > (before or 0)

        await self.rig.until(holds, MOVE_S)


REFUSALS = "livesegments_evaluator_fence_refusals_total"
LAG = "livesegments_evaluator_lag_records"


def kill_worker(chaos: Chaos) -> Awaitable[None]:
    return chaos.kill_worker()


def kill_valkey(chaos: Chaos) -> Awaitable[None]:
    return chaos.kill_server("valkey")


def kill_kafka(chaos: Chaos) -> Awaitable[None]:
    return chaos.kill_server("kafka")


def zombie(chaos: Chaos) -> Awaitable[None]:
    return chaos.zombie()


def purchases(raw: Path) -> list[Event]:
    found = []
    for happening in LOG.read(raw):
        body: dict[str, Any] = msgspec.json.decode(happening.body)
        found.append(
            Event(body["id"], LOG.id, happening.profile, body["name"], happening.time_ms, body["properties"])
        )
    return found


@asynccontextmanager
async def chaos(folder: Path, report: Report) -> AsyncIterator[Chaos]:
    """A fresh stack in `folder`, CDNOW's segments, two workers that share the partitions."""
    async with stack(folder) as running:
        await create_topics(running.kafka, Settings(kafka=running.kafka, redis=running.redis))
        async with rig(Stack(running.kafka, running.redis, running.servers), folder) as made:
            await made.workspace(LOG.id, LOG.timezone)
            for segment in LOG.segments:
                definition = msgspec.json.encode(LOG.definition(segment)["definition"]).decode()
                await made.segment(segment, definition, workspace=LOG.id)
            world = Chaos(made, report)
            world.start()
            world.start()
            await made.settled()

            async def shared() -> bool:
                owned = [await each.metric("livesegments_evaluator_partitions") for each in world.workers]
                return owned == [PARTITIONS / 2] * 2

            await made.until(shared, MOVE_S)
            yield world


def records_of(events: Sequence[Event]) -> int:
    """How many records they are sent as."""
    shares = Counter(partition_of(event.workspace, event.profile, PARTITIONS) for event in events)
    return sum(-(-share // RECORD) for share in shares.values())


async def replay(world: Chaos, events: Sequence[Event], faults: Sequence[Fault]) -> None:
    """All events, a fault in the middle of each portion but the last; settled at the end.

    Raises AssertionError if there was nothing left to apply when a fault struck: it would show nothing.
    """
    size, total = -(-len(events) // (len(faults) + 1)), 0
    for number, fault in enumerate([*faults, None]):
        before = await world.applied()
        portion = events[number * size : (number + 1) * size]
        total += records_of(portion)
        async with asyncio.TaskGroup() as group:
            group.create_task(world.rig.send(portion, RECORD))
            await world.moved(before)
            if fault is not None:
                applied = await world.applied()
                assert applied is not None and applied < total, "struck too late"
                world.report(f"{applied} of {total} records applied")
                await fault(world)
    end = LOG.checkpoints[-1]
    await world.rig.clock(int(end.timestamp() * 1_000))
    world.report("settling")
    await world.rig.settled(SETTLE_S)


async def verdict(world: Chaos, raw: Path) -> list[Comparison]:
    """Raises AssertionError if the announcements have a gap, or if two different ones have one id."""
    announced = check_delivery(await world.rig.heard())
    analyst = Analyst(LOG, raw)
    try:
        return [
            compare(
                segment,
                await world.rig.members(segment, LOG.id),
                {profile for _, its, profile in announced if its == segment},
                await asyncio.to_thread(analyst.members, segment, LOG.checkpoints[-1]),
            )
            for segment in LOG.segments
        ]
    finally:
        analyst.close()


async def trial(
    folder: Path, faults: Sequence[Fault], report: Report, every: int = 1
) -> tuple[list[Comparison], float]:
    """One replay with its faults: the comparisons, and how many of a zombie's commits were refused.

    Only every `every`-th customer's purchases are replayed (and compared).
    """
    raw, source = wheels.obtain(LOG, folder)
    header, *lines = raw.read_text("ascii").splitlines(keepends=True)
    raw.write_text(header + "".join(line for line in lines if int(line.split()[0]) % every == 0), "ascii")
    events = purchases(raw)
    report(f"{len(events):,} purchases of {source}")
    (folder / "stack").mkdir()
    async with chaos(folder / "stack", report) as world:
        await replay(world, events, faults)
        return await verdict(world, raw), world.refused
