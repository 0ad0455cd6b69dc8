"""Law 6: transitions that are saved are announced. Outbox → topic `memberships`, at least once, and those of
one profile in order.

A commit's transitions come here as soon as it is applied, so announcing needs no read; those that an earlier
owner left in the outbox are read from it first. An entry is trimmed only after the broker has all of it.
Trimming names a commit, so it can be repeated, and a zombie can't trim transitions that are not announced.
The next transitions don't wait for it: it goes to the store with the next commit, or a moment later.

There are two roads to the broker. Commits with many transitions, as a storm of due times makes them, take
one, and commits with few take the other: so what an event did overtakes the storm. Profiles know nothing of
each other, but the transitions of one profile stay in order. Suppose commit 7 has many, and commit 8 has few:
it waits for 7 only if one profile is in both. A commit with many waits for all earlier ones with few. As
every commit waits for earlier ones alone, none waits for ever.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from livesegments.core.event import Transition
from livesegments.evaluator.kernel.announcing import mentions
from livesegments.evaluator.ports import Publisher
from livesegments.runtime import metrics, tasks
from livesegments.store.shard import Shard
from livesegments.store.told import Told

PAGE = 200
LOOKED = 2_000
"""Among so many transitions at most it is looked whether a profile is in them."""


class Road:
    """Commits with their transitions, in order: those that wait, and those that the broker is given now."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[int, Sequence[Transition]]] = deque()
        self.under_way: list[tuple[int, Sequence[Transition]]] = []
        self.some = asyncio.Event()

    @property
    def oldest(self) -> int | None:
        """The first commit that the broker does not have all of; None: it has all."""
        first = self.under_way or self.waiting
        return first[0][0] if first else None


class Relay:
    """Of one claim of one partition; `upto` is the number of the last commit before the claim.

    It is `full` when `limit` transitions wait. A commit with `many` of them takes the road of a storm.
    `settled` is called when some have gone.
    """

    def __init__(
        self,
        partition: int,
        shard: Shard,
        publisher: Publisher,
        upto: int,
        limit: int,
        many: int,
        settled: Callable[[], None],
    ) -> None:
        self._partition = partition
        self._shard = shard
        self._publisher = publisher
        self._upto = upto
        self._limit = limit
        self._many_of = many
        self._settled = settled
        self._few, self._many = Road(), Road()
        self._handed = upto
        """The last commit that was handed over, or that an earlier owner left."""
        self._inherits = True
        """Whether the broker may lack what an earlier owner left."""
        self._waiting = 0
        self._trimmed_to = 0
        self._trimming: asyncio.Future[None] | None = None
        self._broken: BaseException | None = None
        self._idle = asyncio.Event()
        self._some_gone = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Transitions that the broker does not have yet."""
        return self._waiting

    @property
    def full(self) -> bool:
        return self._waiting >= self._limit

    async def reached(self, commit: int) -> None:
        """Returns when the broker has all transitions of commits up to that one; they must be handed over."""
        while self._announced < min(commit, self._handed):
            self._some_gone.clear()
            await self._some_gone.wait()

    def hand(self, commit: int, transitions: Sequence[Transition]) -> None:
        """Of commits that are applied, in order."""
        road = self._few if len(transitions) < self._many_of else self._many
        road.waiting.append((commit, transitions))
        self._handed = commit
        self._waiting += len(transitions)
        self._idle.clear()
        road.some.set()

    async def drain(self, timeout_s: float) -> None:
        """Waits until nothing is pending and the outbox is trimmed, but not for ever."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
                while self._trimming is not None:
                    await asyncio.wait([self._trimming])
        except TimeoutError:
            pass

    async def tidy(self) -> None:
        """Trims once more: a store that was taken back a moment has entries again that are announced."""
        await self._shard.trim(self._announced)

    async def run(self) -> None:
        """Raises what the shard raises: its lane broke, and its owner opens a new one."""
        while page := await self._shard.outbox(self._upto, PAGE):
            await self._announce([each for _, transitions in page for each in transitions])
            await self._shard.trim(page[-1][0])
        self._inherits = False
        self._some_gone.set()
        if not self._waiting:
            self._idle.set()
        roads = [asyncio.create_task(each) for each in (self._go_few(), self._go_many())]
        try:
            done, _ = await asyncio.wait(roads, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            await tasks.cancelled(roads)
            # both break when the store is lost; the first one's error is told
            await asyncio.gather(*roads, return_exceptions=True)

    async def _go_few(self) -> None:
        while True:
            await self._next(self._few)
            ready = []
            for commit, transitions in self._few.waiting:
                if self._is_behind(commit, transitions):
                    break
                ready.append((commit, transitions))
            await self._send(self._few, ready)

    async def _go_many(self) -> None:
        while True:
            await self._next(self._many)
            before = self._few.oldest
            ready = [each for each in self._many.waiting if before is None or each[0] < before]
            await self._send(self._many, ready)

    async def _next(self, road: Road) -> None:
        """Returns when something waits there."""
        while not road.waiting and self._broken is None:
            road.some.clear()
            await road.some.wait()
        if self._broken is not None:
            raise self._broken

    def _is_behind(self, commit: int, transitions: Sequence[Transition]) -> bool:
        """Whether a commit with few transitions has to wait for one with many."""
        many = self._many
        earlier = [each for number, each in (*many.under_way, *many.waiting) if number < commit]
        if not earlier:
            return False
        return sum(map(len, earlier)) > LOOKED or mentions(Told.joined(earlier), Told.of(transitions))

    async def _send(self, road: Road, ready: list[tuple[int, Sequence[Transition]]]) -> None:
        """Gives the broker the first ones that wait; where there are none, it waits for the other road."""
        if not ready:
            self._some_gone.clear()
            await self._some_gone.wait()
            return
        for _ in ready:
            road.waiting.popleft()
        road.under_way = ready
        told = Told.joined(transitions for _, transitions in ready)
        await self._announce(told)
        road.under_way = []
        self._waiting -= len(told)
        if not self._waiting:
            self._idle.set()
        self._trim()
        self._some_gone.set()
        self._settled()

    @property
    def _announced(self) -> int:
        """The broker has all transitions of the commits up to this one."""
        if self._inherits:
            return 0
        oldest = [each for road in (self._few, self._many) if (each := road.oldest) is not None]
        return min(oldest, default=self._handed + 1) - 1

    async def _announce(self, transitions: Sequence[Transition]) -> None:
        await self._publisher.publish(self._partition, transitions)
        metrics.ANNOUNCED.inc(len(transitions))

    def _trim(self) -> None:
        """One trim is under way at a time; what was announced meanwhile is trimmed by the next one."""
        upto = self._announced
        if self._trimming is None and upto > self._trimmed_to:
            self._trimmed_to = upto
            self._trimming = asyncio.ensure_future(self._shard.trim(upto, in_time=False))
            self._trimming.add_done_callback(self._trimmed)

    def _trimmed(self, done: asyncio.Future[None]) -> None:
        self._trimming = None
        if done.cancelled():
            return
        if (error := done.exception()) is not None:
            self._broken = error
            self._few.some.set()
            self._many.some.set()
            self._some_gone.set()
        else:
            self._trim()
