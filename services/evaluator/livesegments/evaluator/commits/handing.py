"""What the merged profiles of a partition hand over goes to the partitions of those that they went into.

Example: `anonymous:a-1` went into `ann` in commit 4,711. That commit left an item in the stream
`{p}:handing`. Its history is read from archive and tail, put into records, and given to the broker, one after
the other; then the item is trimmed. A crash on the way begins the item again: its records have the same
places then, by which their receiver knows them (module `core.kin`). An item is begun only when all records
before it are with the broker, so a sender's records are first in the log in their order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import structlog
from msgspec.structs import replace

from livesegments.core.handed import Handed
from livesegments.evaluator.commits.flight import Refused
from livesegments.evaluator.history.archiver import Archiver
from livesegments.evaluator.ports import Ports
from livesegments.history.protocol import Life
from livesegments.history.workshop import FilesAway
from livesegments.runtime import metrics
from livesegments.store.handing import Back, Forget, Item, Leaving, LetIn
from livesegments.wire.identities import Identity
from livesegments.wire.pack import Erase, Lift, encode
from livesegments.wire.profilekey import ProfileKey, profile_key
from livesegments.wire.topics import partition_of

PAGE = 100
"""Commits whose items are handed over together: their histories are read in one go."""
RETRY_S = 1.0


class Handing:
    """Of one claim. It is `full` when `limit` commits' items wait. `settled` is called when some have
    gone."""

    def __init__(
        self,
        ports: Ports,
        archiver: Archiver,
        token: str,
        number: int,
        erased: Mapping[ProfileKey, int],
        settled: Callable[[], None],
    ) -> None:
        """`erased`: of whom nothing counts up to a commit."""
        self._token = token
        self._number = number
        self._shard = ports.shard
        self._publisher = ports.publisher
        self._history = ports.history
        self._options = ports.options
        self._archiver = archiver
        self._erased = erased
        self._settled = settled
        self.waiting = 0
        """Commits whose items the broker does not have yet, as far as is known."""
        self._some = asyncio.Event()
        self._gone = asyncio.Event()
        self._logger = structlog.get_logger(__name__).bind(partition=number)

    @property
    def full(self) -> bool:
        return self.waiting >= self._options.outbox

    def hand(self) -> None:
        """A commit with items is applied."""
        self.waiting += 1
        self._some.set()

    async def reached(self, commit: int) -> None:
        """Returns when the broker has all that commits up to that one left. Raises what the shard raises, and
        Refused: in a store that was taken back or emptied there may be nothing that was never handed over."""
        while True:
            self._gone.clear()
            oldest = await self._shard.handing(1)
            if not oldest or oldest[0][0] > commit:
                await self._stands(commit)
                return
            await self._gone.wait()

    async def run(self) -> None:
        """Never returns, but raises what the shard raises, and Refused."""
        while True:
            self._some.clear()
            page = await self._shard.handing(PAGE)
            if not page:
                self.waiting = 0
                self._gone.set()
                self._settled()
                await self._some.wait()
                continue
            for run in runs([(commit, item) for commit, items in page for item in items]):
                await self._send(run)
            await self._shard.handed(page[-1][0])
            self.waiting = max(0, self.waiting - len(page))
            self._gone.set()
            self._settled()

    async def _send(self, run: Sequence[tuple[int, Item]]) -> None:
        leaving = [(commit, item) for commit, item in run if isinstance(item, Leaving)]
        past = [(commit, item) for commit, item in leaving if item.history]
        while past:
            try:
                await self._histories(past)
                break
            except FilesAway as error:
                metrics.ARCHIVE_FAILURES.inc()
                self._logger.warning("a merge waits: history can't be read", error=str(error))
                await asyncio.sleep(RETRY_S)
        for _, gone in leaving:
            who = Identity(gone.workspace, gone.profile, gone.into, gone.merge)
            await self._publisher.identify(who)
            if not gone.history:
                via = [(gone.profile, gone.merge)]
                await self._publish(Handed(gone.workspace, gone.into, via, gone.number, 0, []))
        for _, item in run:
            await self._give(item)

    async def _give(self, item: Item) -> None:
        match item:
            case Handed():
                await self._publish(item)
            case Back():
                await self._publisher.identify(Identity(item.workspace, item.profile, None, ""))
            case Forget():
                for profile in item.profiles:
                    partition = partition_of(item.workspace, profile, self._options.partitions)
                    erase = Erase(item.workspace, profile, item.at_once, item.root)
                    await self._publisher.hand(partition, encode(erase))
            case LetIn():
                for partition, digest in item.who:
                    await self._publisher.hand(partition, encode(Lift(item.workspace, digest, item.root)))

    async def _histories(self, past: Sequence[tuple[int, Leaving]]) -> None:
        newest = max(commit for commit, _ in past)
        ranges, entries = await self._archiver.everything(newest)
        await self._stands(newest)
        wanted = [
            Life(item.workspace, item.profile, item.merge, commit, self._erased.get(_key(item), 0))
            for commit, item in past
        ]
        async for piece in self._history.lives(self._number, ranges, entries, wanted):
            _, item = past[piece.index]
            events = [replace(event, profile=item.into) for event in piece.events]
            seen = item.seen if piece.last else b""
            via = [(item.profile, item.merge)]
            await self._publish(
                Handed(item.workspace, item.into, via, item.number, piece.chunk, events, True, seen)
            )

    async def _stands(self, commit: int) -> None:
        """What was read before this is whole up to the commit, or Refused is raised: the store was taken back
        or emptied meanwhile."""
        owner, last = await self._shard.fence()
        if owner != self._token or last < commit:
            raise Refused

    async def _publish(self, handed: Handed) -> None:
        partition = partition_of(handed.workspace, handed.profile, self._options.partitions)
        await self._publisher.hand(partition, encode(handed))
        metrics.HANDED_OVER.inc(len(handed.events))


def runs(items: Sequence[tuple[int, Item]]) -> list[list[tuple[int, Item]]]:
    """Such that histories may go before everything else of a run: a profile that leaves once more begins
    another, and an erasure, or its end, has one of its own."""
    found: list[list[tuple[int, Item]]] = [[]]
    senders: set[tuple[str, str]] = set()
    for commit, item in items:
        if isinstance(item, Forget | LetIn):
            found += [[(commit, item)], []]
            senders = set()
            continue
        who = item.workspace, item.sender if isinstance(item, Handed) else item.profile
        if not isinstance(item, Handed) and who in senders:
            found.append([])
            senders = set()
        senders.add(who)
        found[-1].append((commit, item))
    return found


def _key(item: Leaving) -> ProfileKey:
    return profile_key(item.workspace, item.profile)
