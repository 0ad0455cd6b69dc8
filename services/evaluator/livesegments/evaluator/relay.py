"""Law 6: transitions that are saved are announced. Outbox → topic `memberships`, in order, at least once.

A commit's transitions come here as soon as it is applied, so announcing needs no read; those that an earlier
owner left in the outbox are read from it first. An entry is trimmed only after the broker has all of it.
Trimming names a commit, so it can be repeated, and a zombie can't trim transitions that are not announced.
The next transitions don't wait for it: it goes to the store with the next commit, or a moment later.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from livesegments.core.event import Transition
from livesegments.evaluator.ports import Publisher
from livesegments.runtime import metrics
from livesegments.store.shard import Shard

PAGE = 200


class Relay:
    """Of one claim of one partition; `upto` is the number of the last commit before the claim.

    It is `full` when `limit` transitions wait. `settled` is called when some have gone.
    """

    def __init__(
        self,
        partition: int,
        shard: Shard,
        publisher: Publisher,
        upto: int,
        limit: int,
        settled: Callable[[], None],
    ) -> None:
        self._partition = partition
        self._shard = shard
        self._publisher = publisher
        self._upto = upto
        self._limit = limit
        self._settled = settled
        self._pending: deque[tuple[int, Sequence[Transition]]] = deque()
        self._waiting = 0
        self._announced = 0
        self._trimming: asyncio.Future[None] | None = None
        self._broken: BaseException | None = None
        self._oldest: int | None = 0
        """The first commit of what the broker is given now; 0: what an earlier owner left."""
        self._some = asyncio.Event()
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
        while self._lacks(commit):
            self._some_gone.clear()
            await self._some_gone.wait()

    def hand(self, commit: int, transitions: Sequence[Transition]) -> None:
        """Of commits that are applied, in order."""
        self._pending.append((commit, transitions))
        self._waiting += len(transitions)
        self._some.set()

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
            await self._announce(page[-1][0], [each for _, transitions in page for each in transitions])
            await self._shard.trim(self._announced)
        self._announced = self._upto
        self._oldest = None
        self._some_gone.set()
        while True:
            if not self._pending:
                self._some.clear()
                self._idle.set()
                await self._some.wait()
            if self._broken is not None:
                raise self._broken
            self._idle.clear()
            batch, self._pending = self._pending, deque()
            self._oldest = batch[0][0]
            transitions = [each for _, transitions in batch for each in transitions]
            await self._announce(batch[-1][0], transitions)
            self._trim()
            self._waiting -= len(transitions)
            self._oldest = None
            self._some_gone.set()
            self._settled()

    def _lacks(self, commit: int) -> bool:
        oldest = self._oldest
        if oldest is None and self._pending:
            oldest = self._pending[0][0]
        return oldest is not None and oldest <= commit

    async def _announce(self, commit: int, transitions: Sequence[Transition]) -> None:
        await self._publisher.publish(self._partition, transitions)
        metrics.ANNOUNCED.inc(len(transitions))
        self._announced = commit

    def _trim(self) -> None:
        """One trim is under way at a time; what was announced meanwhile is trimmed by the next one."""
        if self._trimming is None:
            self._trimming = asyncio.ensure_future(self._shard.trim(self._announced, in_time=False))
            self._trimming.add_done_callback(partial(self._trimmed, self._announced))

    def _trimmed(self, upto: int, done: asyncio.Future[None]) -> None:
        self._trimming = None
        if done.cancelled():
            return
        if (error := done.exception()) is not None:
            self._broken = error
            self._some.set()
        elif self._announced > upto:
            self._trim()
