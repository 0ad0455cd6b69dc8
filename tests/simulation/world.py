"""A seeded world for the evaluator's loop: log, store, workers, and what goes wrong between any two awaits.

Everything of the evaluator runs as it does in production, but for Kafka and Redis, which are stand-ins,
and time, which is virtual. A worker's tasks carry its name in a context variable, so that killing it
ends exactly them, in the middle of whatever they wait for.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Coroutine, Generator, Iterable, Mapping, Sequence
from contextvars import ContextVar
from functools import partial
from itertools import count
from typing import Any, TypeVar

from livesegments.core.event import Transition
from livesegments.core.plan import Plan, compile
from livesegments.core.staging import Staging
from livesegments.evaluator.commits.pace import Pace
from livesegments.evaluator.history.turns import Turns
from livesegments.evaluator.kernel import native
from livesegments.evaluator.owner import Owner
from livesegments.evaluator.ports import Options, Ports, Received
from livesegments.evaluator.worker import Worker
from livesegments.wire.identities import Identity
from livesegments.wire.rejected import Rejected
from tests.simulation.files import MemoryFiles
from tests.simulation.memory import MemoryShard, MemoryStore

T = TypeVar("T")

START_MS = 1_700_000_000_000
KEY = "the installation's"
"""Of digests of erased profiles."""
FETCH_S = 0.02
"""So often a worker looks for new records where it has read them all: a simulated second of nothing costs its looks."""
_worker: ContextVar[str] = ContextVar("worker", default="")


class World:
    def __init__(self, seed: int, partitions: int, live: bool = False) -> None:
        self.random = random.Random(seed)
        random.seed(seed)  # the pauses between attempts draw from it
        self.partitions = partitions
        self.live = live
        self.chunk: int | None = None
        self.tiny = False
        """Whether every bound of an owner is as small as can be; else some are, by chance."""
        self.native = seed % 2 == 1
        """Whether records go to the native kernel, where it was built; it raises no faults of the core's."""
        self.store = MemoryStore()
        self.files = MemoryFiles(self.pause, self.store)
        self.logs: list[list[tuple[int, bytes]]] = [[] for _ in range(partitions)]
        self.firsts = [0] * partitions
        """The first offset that a log still has."""
        self.acked: dict[int, int] = {}
        """Of a partition, the offset up to which the broker was told that it is applied."""
        self.archive_after_s: float | None = None
        """None: by chance."""
        self.checkpoint_every_s = 0.0
        self.audits_per_s = 0.0
        self.erase_within_s = 0.0
        self.announced: list[list[Transition]] = [[] for _ in range(partitions)]
        self.identities: dict[str, str | None] = {}
        self.topic = "topic-1"
        self.rejected: list[Rejected] = []
        self.faults: Mapping[str, str] = {}
        self.history_days: dict[str, int | None] = {}
        self.plans: Mapping[str, Plan] = {}
        self.revision = -1
        self.listeners: set[Callable[[], None]] = set()
        self.stopped: set[str] = set()
        self.resumed = asyncio.Event()
        self.broker = asyncio.Event()
        self.broker.set()
        self.crashes: list[BaseException] = []
        asyncio.get_running_loop().set_task_factory(_named_task)

    # -- the outside world

    def now_ms(self) -> int:
        return START_MS + round(asyncio.get_running_loop().time() * 1_000)

    def append(self, partition: int, value: bytes, stamp_ms: int | None = None) -> None:
        self.logs[partition].append((self.now_ms() if stamp_ms is None else stamp_ms, value))

    def publish_plans(self, plans: Mapping[str, Plan], revision: int) -> None:
        self.plans, self.revision = plans, revision
        for listener in list(self.listeners):
            listener()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        self.listeners.add(listener)
        return lambda: self.listeners.discard(listener)

    async def refresh(self) -> None:
        await asyncio.sleep(0)

    async def staged(self, latest: Plan, staging: Staging, timezone: str) -> Plan:
        await asyncio.sleep(0)
        return compile(
            latest.workspace, timezone, staging.served.values(), latest.revision, latest.limits, latest,
            staging.staged.values(), latest.timezone,
        )  # fmt: skip

    async def publish(self, partition: int, transitions: Sequence[Transition]) -> None:
        await self.pause()
        await self.broker.wait()
        self.announced[partition] += transitions
        await self.pause()

    async def reject(self, rejected: Rejected) -> None:
        await self.pause()
        self.rejected.append(rejected)

    async def hand(self, partition: int, value: bytes) -> None:
        await self.pause()
        await self.broker.wait()
        self.append(partition, value)
        await self.pause()

    async def identify(self, identity: Identity) -> None:
        await self.pause()
        self.identities[identity.profile] = identity.into

    async def pause(self) -> None:
        """Every I/O takes its time; that of a stopped process takes until it is resumed."""
        delay = self.random.choice((0, 0, 0, 0.001, 0.01))
        await asyncio.sleep(delay)
        while _worker.get() in self.stopped:
            await self.resumed.wait()

    # -- what goes wrong

    def forget(self, partition: int) -> None:
        """The log keeps only what lies behind the newest checkpoint."""
        marks = [mark for mark, _ in self.files.checkpoints.get(partition, {}).values()]
        reached = max((mark.offset for mark in marks), default=0)
        self.firsts[partition] = max(self.firsts[partition], reached)

    def stop(self, worker: str) -> None:
        self.stopped.add(worker)

    def resume(self) -> None:
        self.stopped.clear()
        self.resumed.set()
        self.resumed = asyncio.Event()

    def kill(self, worker: str) -> None:
        """What the process had written to its sockets may still arrive, the rest is gone."""
        for task in asyncio.all_tasks():
            if task.get_name() != worker:
                continue
            sent = getattr(task.get_coro(), "__qualname__", "") == "MemoryShard._run"
            if not sent or self.random.random() < 0.5:
                task.cancel()

    def tokens(self) -> str:
        return f"{self.random.getrandbits(64):x}"


class Names:
    async def forget(self, workspace: str, key: str, values: Collection[str]) -> None:
        """Nobody samples any here."""


class Process:
    """A worker process: the real `Worker`, given its partitions and records as Faust gives them."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.worker = Worker(self._make, world.crashes.append)
        self._pace = Pace(30, 4, lambda: 0.0, count().__next__)
        self._kernels = native.Kernels()
        self._positions: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._assigning: asyncio.Task[None] | None = None
        self._feeding: list[asyncio.Task[None]] = []

    @property
    def topic(self) -> str:
        return self.world.topic

    def assign(self, partitions: Iterable[int]) -> None:
        """The whole assignment, in the background."""
        token = _worker.set(self.name)
        self._assigning = asyncio.create_task(self._assign(self._assigning, set(partitions)))
        _worker.reset(token)

    async def revoke(self) -> None:
        """Takes all partitions away, as a rebalance does; an assignment under way is awaited first."""
        if self._assigning is not None:
            await asyncio.wait([self._assigning])
        await self._revoke()

    async def seek(self, partition: int, offset: int) -> int:
        await self.world.pause()
        self._positions[partition] = actual = max(offset, self.world.firsts[partition])
        return actual

    def end(self, partition: int) -> int | None:
        return self._ends.get(partition)

    def lose(self, partition: int) -> None:
        """The consumer lets what it has not given to the owner yet fall, and goes on behind it."""
        if partition in self._positions:
            self._positions[partition] = len(self.world.logs[partition])

    def _make(self, partition: int) -> Owner:
        world = self.world

        def choice(least: int, usual: int) -> int:
            return least if world.tiny else world.random.choice((least, usual))

        options = Options(
            now_ms=world.now_ms if world.live else None,
            token=world.tokens,
            partitions=world.partitions,
            in_flight=choice(1, 4),
            cache_bytes=choice(1_000, 1_000_000),
            grace_s=1.0,
            wall_ms=world.now_ms,
            erase_within_s=world.erase_within_s,
            erasure_key=KEY,
            archive_after_s=world.archive_after_s or world.random.choice((0.2, 30.0)),
            archive_after_bytes=choice(1, 1_000_000),
            checkpoint_every_s=world.checkpoint_every_s,
            checkpoint_images=choice(3, 100_000),
            chunk=world.chunk or choice(2, 500),
            queue=choice(1, 32),
            dues=choice(3, 20_000),
            outbox=choice(2, 20_000),
            kernels=self._kernels if world.native and native.BUILT else None,
            audits=Turns(world.audits_per_s) if world.audits_per_s else None,
            many=choice(2, 50),
        )
        shard = MemoryShard(world.store, partition, world.pause)
        return Owner(partition, Ports(shard, self, world, world, world.files, options, self._pace, Names()))

    async def _assign(self, before: asyncio.Task[None] | None, partitions: set[int]) -> None:
        if before is not None:
            await asyncio.wait([before])
        await self._revoke()
        await self.worker.assign(partitions)
        logs = self.world.logs
        ends = {partition: len(logs[partition]) for partition in partitions}
        firsts = {partition: self.world.firsts[partition] for partition in partitions}
        self._positions = await self.worker.bound(firsts, ends)
        self._ends = {}
        self._feeding = [asyncio.create_task(self._feed(partition)) for partition in partitions]

    async def _revoke(self) -> None:
        for task in self._feeding:
            task.cancel()
        self._feeding = []
        await self.worker.revoke(list(self.worker.owners))

    def _ack(self, partition: int, offset: int) -> None:
        acked = self.world.acked
        acked[partition] = max(acked.get(partition, 0), offset + 1)

    async def _feed(self, partition: int) -> None:
        log, owner = self.world.logs[partition], self.worker.owners[partition]
        while True:
            if owner.full:
                await asyncio.sleep(0.005)
                continue
            await self.world.pause()
            at = max(self._positions[partition], self.world.firsts[partition])
            self._ends[partition] = len(log)  # known from a fetch; between two there is nothing newer
            if at < len(log):
                stamp_ms, value = log[at]
                self._positions[partition] = at + 1
                owner.offer(Received(at, stamp_ms, value, partial(self._ack, partition, at)))
            else:
                await asyncio.sleep(FETCH_S)


def _named_task(
    loop: asyncio.AbstractEventLoop,
    coroutine: Generator[Any, None, T] | Coroutine[Any, Any, T],
    **options: Any,
) -> asyncio.Task[T]:
    options.setdefault("name", _worker.get())
    return asyncio.Task(coroutine, loop=loop, **options)
