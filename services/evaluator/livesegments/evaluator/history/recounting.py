"""A claim's recounts: what was taken back is taken out of a profile's facts, by its history.

Example: a `$retract` for ada is applied by commit 4,711, which notes that she waits. From commit 4,720 on
what happens to her is kept in memory. All that happened up to there is read from archive and tail, by the
process that works on the archive. Between two records her facts are then counted anew from both, and she is
judged. The commit of that takes the note away. The history of a profile that has very much is counted before
that, in slices, while records are applied; only what came meanwhile is added between two records.

A death on the way leaves the note, and the next owner begins anew. Until then her memberships stand as they
were, but an event that comes after its retraction doesn't count from the start.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence

import structlog

from livesegments.core.backfill import Past
from livesegments.core.event import PROFILE, RETRACT, Event
from livesegments.core.fault import Fault
from livesegments.core.plan import Plan
from livesegments.core.profile import decode
from livesegments.core.recount import not_taken
from livesegments.evaluator.commits.errands import nothing
from livesegments.evaluator.history.anew import Anew
from livesegments.evaluator.history.parts import Parts
from livesegments.evaluator.history.retracting import Read, begins, owes, waits
from livesegments.history.protocol import Chunk, Of
from livesegments.history.workshop import FilesAway
from livesegments.runtime import metrics
from livesegments.wire.pack import Packed, encode
from livesegments.wire.profilekey import profile_key, split
from livesegments.wire.rejected import Rejected
from livesegments.wire.topics import EVENTS

MOST = 200
"""Profiles that are read together."""
EVENTS_AT_ONCE = 1_000
RETRY_S = 0.5

_log = structlog.get_logger(__name__)


class Recounting(Anew):
    """`run` in a task of its own, `step` between records; `moved` is called when there is something to do."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._publisher = parts.ports.publisher
        self._shard = parts.ports.shard
        self._some = asyncio.Event()
        self._ready: deque[_Ready] = deque()

    async def run(self) -> None:
        """Never returns, but raises what the shard raises."""
        await self._archiver.opened()
        while True:
            if not self._partition.retracting.waiting:
                self._some.clear()
                await self._some.wait()
            async with self._following:
                done = await self._next()
            if not done:
                await asyncio.sleep(RETRY_S)

    async def step(self) -> bool:
        """Puts what was read; False if there is nothing to do now."""
        if self._partition.retracting.waiting:
            self._some.set()
        if not self._ready:
            return False
        ready = self._ready.popleft()
        await self._put(ready)
        ready.done.set()
        return True

    # -- inside

    async def _next(self) -> bool:
        """Those that wait longest, of one workspace; False if that can't be done now."""
        partition = self._partition
        waiting = [(of, id_) for of, id_ in map(split, partition.retracting.waiting) if of in partition.plans]
        if not waiting:
            return False
        workspace, _ = waiting[0]
        plan = partition.plans[workspace]
        ids = [id_ for of, id_ in waiting if of == workspace][:MOST]
        keys_ = [profile_key(workspace, id_) for id_ in ids]
        of = Of(workspace, ids, sorted({*plan.feeds, RETRACT, PROFILE}), partition.commit)
        partition.retracting.follow(keys_)
        try:
            await self._errands.post(nothing)  # all that is to be read is stored
            left = dict.fromkeys(ids)
            async for _, chunk in self._history.pasts(partition.number, of):
                for id_, _ in chunk:
                    del left[id_]
                for piece in pieces(chunk):
                    await self._hand(plan, piece)
            await self._hand(plan, [(id_, []) for id_ in left])
        except FilesAway as error:
            metrics.ARCHIVE_FAILURES.inc()
            _log.warning("history can't be read", partition=partition.number, error=str(error))
            return False
        finally:
            partition.retracting.unfollow(keys_)
        return True

    async def _hand(self, plan: Plan, chunk: Chunk) -> None:
        """Returns when it is put."""
        if chunk:
            reads = [await self._read(plan, id_, past) for id_, past in chunk]
            ready = _Ready(plan, reads)
            self._ready.append(ready)
            self._moved()
            await ready.done.wait()

    async def _read(self, plan: Plan, id_: str, past: Sequence[Past]) -> Read:
        """What happened to a profile; where that is much, with what can be counted beforehand."""
        partition, key = self._partition, profile_key(plan.workspace, id_)
        after = self._walks.lacking_of(plan.workspace, id_)
        if len(past) <= EVENTS_AT_ONCE:
            return Read(key, past, after)
        (stored,) = await self._shard.profiles(plan.workspace, [id_])
        profile = decode(stored) if stored is not None else None
        if profile is None or not (waits(profile) or owes(profile)):
            return Read(key, past, after)
        since = begins(key, profile, partition.erased)
        slices = self._for(plan).ahead(
            profile, [each for each in past if each[0] > since], after, partition.clock_ms, owes(profile)
        )
        while True:
            try:
                next(slices)
            except StopIteration as done:
                return Read(key, past, after, since, done.value)
            await asyncio.sleep(0)

    async def _put(self, ready: _Ready) -> None:
        """Under another plan than the one it was read for it is read once more."""
        partition, plan = self._partition, ready.plan
        workspace = plan.workspace
        if partition.plans.get(workspace) is not plan:
            return
        await self._loader.profiles(partition.cache.missing(each.key for each in ready.reads))
        for each in ready.reads:
            await self._refuse(each.past, partition.cache.get(each.key) or b"")
        self._pass()
        recounts = self._for(plan)
        partition.take_back(
            recounts,
            [
                each._replace(after=self._walks.lacking_of(workspace, split(each.key)[1]))
                for each in ready.reads
            ],
            self._archiver.complete_since(workspace),
        )
        kept, recounts.kept = recounts.kept, []
        for event in dict.fromkeys(event for _, event in kept):
            await self._reject(event, _gone(event))
        outcome = partition.seal()
        metrics.RECOUNTED.inc(len(ready.reads))
        await self._walks.send(outcome, f"retraction/{plan.revision}")

    async def _refuse(self, past: Sequence[Past], state: bytes) -> None:
        """A retraction of a change of the profile goes to `rejected`; after a death here, perhaps twice."""
        taken = decode(state).taken if state else None
        for event in not_taken(past, taken.waiting if taken is not None else ()):
            await self._reject(event, _fault(event))

    async def _reject(self, event: Event, fault: Fault) -> None:
        source = f"{EVENTS}/{self._partition.number}/retraction/{event.id}"
        raw = encode(Packed([event]))
        await self._publisher.reject(
            Rejected(event.workspace, source, self._partition.clock_ms, [fault], raw)
        )


def pieces(chunk: Chunk) -> Iterator[Chunk]:
    """One piece is counted between two records, so live events wait for the counting of few events only.

    Every profile is whole in one of them.
    """
    piece: Chunk = []
    events = 0
    for id_, past in chunk:
        if piece and events + len(past) > EVENTS_AT_ONCE:
            yield piece
            piece, events = [], 0
        piece.append((id_, past))
        events += len(past)
    if piece:
        yield piece


class _Ready:
    """What was read for a plan; `done` when it is put."""

    def __init__(self, plan: Plan, reads: Sequence[Read]) -> None:
        self.plan = plan
        self.reads = reads
        self.done = asyncio.Event()


def _fault(event: Event) -> Fault:
    id_ = event.properties["event_id"]
    return Fault(
        "/properties/event_id",
        "not_retractable",
        f"{id_!r} is a change of the profile, which can't be taken back: send the value that holds instead",
    )


def _gone(event: Event) -> Fault:
    id_ = event.properties["event_id"]
    return Fault(
        "/properties/event_id",
        "history_gone",
        f"{id_!r} still counts in conditions that reach back beyond the history that is kept: what else they "
        "are made of is not known any more",
    )
