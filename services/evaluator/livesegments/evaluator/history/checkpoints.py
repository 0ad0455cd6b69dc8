"""A claim's checkpoints: now and then its states are written beside the archive, as of one commit.

It begins between two commits: the last one is C. From then on the state of every profile before its first
later change is kept (module `images`), and the hashes of definitions are read before the next commit is
made. Then, while events go on:

1. the tail up to C is archived, in files that end at C, and the stored profiles are scanned;
2. a commit of ours after the scan says that no other owner has written anything meanwhile;
3. the broker has all transitions up to C, and all that merged profiles hand over: nothing that only the
outbox
   knew is left behind;
4. the file is written, and one commit registers it.

From step 4 on the file counts, registered or not, because a store that lost everything has no register. A
death before it leaves nothing, or a draft that nobody reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import structlog
from msgspec.structs import replace

from livesegments.core.states import STATES
from livesegments.evaluator.commits.errands import Errands, nothing
from livesegments.evaluator.commits.handing import Handing
from livesegments.evaluator.commits.partition import NEVER_MS, Partition
from livesegments.evaluator.history.archiver import Archiver
from livesegments.evaluator.history.images import Images
from livesegments.evaluator.ports import Ports
from livesegments.evaluator.relay import Relay
from livesegments.history.mark import Mark, Saved, Spool, commit_of
from livesegments.history.protocol import Fields, Person
from livesegments.history.workshop import FilesAway
from livesegments.runtime import metrics
from livesegments.store import keys
from livesegments.store.commit import Commit

KEPT = 2
"""Checkpoints that stay however old they are."""
PAGE = 500
"""Profiles that are scanned at once."""
SPREAD = 0.618
"""Partitions take their first checkpoint at different times: this share of the interval apart."""


class Checkpoints:
    """`moved` is called when there is one to begin."""

    def __init__(
        self,
        by: str,
        ports: Ports,
        partition: Partition,
        errands: Errands,
        archiver: Archiver,
        relay: Relay,
        handing: Handing,
        moved: Callable[[], None],
    ) -> None:
        """`by`: what the names of this claim's files end in."""
        self._number = partition.number
        self._by = by
        self._topic = ports.log.topic
        self._shard = ports.shard
        self._history = ports.history
        self._options = ports.options
        self._partition = partition
        self._errands = errands
        self._archiver = archiver
        self._relay = relay
        self._handing = handing
        self._moved = moved
        self._register: dict[str, Saved] = {}
        self._wanted: asyncio.Future[_Begun] | None = None
        self._prunings = 0
        self.making = asyncio.Lock()
        """Held while one is taken, or all are written anew."""
        self._logger = structlog.get_logger(__name__).bind(partition=self._number)

    async def run(self) -> None:
        """Never returns, but raises what the shard raises."""
        stored = await self._shard.fields(keys.checkpoint(self._number))
        self._register = {name: msgspec.json.decode(data, type=Saved) for name, data in stored.items()}
        newest = max(self._register.values(), key=lambda each: each.upto, default=None)
        last = newest.upto if newest else 0
        every_s = self._options.checkpoint_every_s
        await asyncio.sleep(every_s * (1 + self._number * SPREAD % 1) / 2)
        while True:
            if self._partition.commit > last:
                try:
                    async with self.making:
                        last = await self._take() or last
                except FilesAway as error:
                    metrics.ARCHIVE_FAILURES.inc()
                    self._logger.warning("no checkpoint: the archive can't be reached", error=str(error))
            await asyncio.sleep(every_s)

    async def step(self) -> bool:
        """Begins one if it is wanted: nobody makes commits meanwhile. False if none is."""
        wanted, self._wanted = self._wanted, None
        if wanted is None or wanted.done():
            return False
        partition, number = self._partition, self._number
        adopted = await self._shard.fields(keys.adopted(number))
        workspaces = sorted(adopted.keys() | partition.plans.keys())
        names = [
            each(number)
            for each in (
                keys.adopted, keys.degraded, keys.suppressed, keys.erasures, keys.retained, keys.merged,
                keys.numbers, keys.dense,
            )
        ]  # fmt: skip
        for workspace in workspaces:
            names += (each(number, workspace) for each in (keys.facts, keys.served, keys.segments))
        found = await asyncio.gather(*(self._shard.fields(name) for name in names))
        hashes = {
            name: {field: data.decode() for field, data in fields.items()}
            for name, fields in zip(names, found, strict=True)
            if fields
        }
        clock_ms = None if partition.clock_ms == NEVER_MS else partition.clock_ms
        mark = Mark(
            number, partition.commit, self._by, partition.offset, clock_ms, self._topic,
            partition.catalog, hashes, states=STATES,
        )  # fmt: skip
        images = partition.images = Images(self._options.checkpoint_images)
        self._archiver.borders.add(mark.commit)
        wanted.set_result(_Begun(mark, workspaces, images, self._work))
        return True

    async def prune(self, persons: Sequence[Person], fields: Sequence[Fields]) -> None:
        """Writes all of them anew without persons; who does that holds `making`. Raises FilesAway.

        `fields`: (an offset of the log, the fields that the hashes of a checkpoint from before it get).
        """
        self._prunings += 1
        tag = f"{self._by}x{self._prunings:x}"
        purged = await self._history.purge(self._number, self._topic, persons, fields, tag)
        ours = [each for each in purged if each.old in self._register]
        entries = {each.new: replace(each.saved, upto=self._register[each.old].upto) for each in ours}

        def register(commit: Commit) -> None:
            if ours:
                named: dict[str, str | bytes] = {
                    name: msgspec.json.encode(saved) for name, saved in entries.items()
                }
                commit.put_fields(keys.checkpoint(self._number), named)
                commit.drop_fields(keys.checkpoint(self._number), [each.old for each in ours])

        await self._errands.post(register)
        for each in ours:
            del self._register[each.old]
            self._register[each.new] = entries[each.new]
        await self._history.discard(self._number, [each.old for each in purged])

    # -- inside

    async def _take(self) -> int | None:
        """The last commit that it makes needless to take another; None if it was given up."""
        self._wanted = asyncio.get_running_loop().create_future()
        self._moved()
        begun = await self._wanted
        mark = begun.mark
        scanned, before = self._history.spool(), self._history.spool()
        try:
            await self._errands.post(nothing)
            await self._archiver.cut()
            if not await self._scan(begun, scanned):
                self._logger.warning("no checkpoint: too much changes meanwhile", commit=mark.commit)
                return None
            await self._errands.post(nothing)
            if begun.images.spilt:
                return None
            before.put(begun.images.rows())
            await self._relay.reached(mark.commit)
            await self._handing.reached(mark.commit)
            mark = replace(mark, archive=self._archiver.register(mark.commit))
            upto = await self._enter(begun, mark, await self._history.save(mark, scanned, before))
        finally:
            self._partition.images = None
            scanned.drop()
            before.drop()
            self._archiver.borders -= {mark.commit} - set(map(commit_of, self._register))
        await self._forget(mark)
        return upto

    async def _scan(self, begun: _Begun, spool: Spool) -> bool:
        """All stored profiles; False if the images are of no use any more."""
        for workspace in begun.workspaces:
            cursor = 0
            while True:
                cursor, stored = await self._shard.scan(workspace, cursor, PAGE)
                if begun.images.spilt:
                    return False
                spool.put([(workspace, id_, state) for id_, state in stored.items()])
                if cursor == 0:
                    break
        return True

    @property
    def _work(self) -> int:
        """How many commits did more than errands."""
        return self._partition.commit - self._errands.made

    async def _enter(self, begun: _Begun, mark: Mark, saved: Saved) -> int:
        """Into the register, and the oldest out of it. If nothing but errands came after the mark, no other
        checkpoint is needed up to the commit that registers it."""
        entries: list[Saved] = []
        names = sorted({*self._register, mark.name}, key=lambda name: commit_of(name) or 0)
        dropped = [name for name in names[:-KEPT] if name != mark.name]

        def register(commit: Commit) -> None:
            upto = commit.number if self._work == begun.work else mark.commit
            entries.append(replace(saved, upto=upto))
            commit.put_fields(keys.checkpoint(self._number), {mark.name: msgspec.json.encode(entries[0])})
            commit.drop_fields(keys.checkpoint(self._number), dropped)

        await self._errands.post(register)
        self._register[mark.name] = entries[0]
        for name in dropped:
            self._archiver.borders.discard(commit_of(name) or 0)
            self._register.pop(name, None)
        metrics.CHECKPOINTS.inc()
        self._logger.info("checkpoint", commit=mark.commit, profiles=saved.profiles, bytes=saved.bytes)
        return entries[0].upto

    async def _forget(self, mark: Mark) -> None:
        """Those that no register names, unless they reach further into the log than ours.

        Suppose the store was taken back an hour: our checkpoint holds the events applied again so far, and
        the log may have forgotten the records between that and the newest checkpoint from before.
        """
        further = [
            each.name
            for each in await self._history.marks(self._number)
            if each.topic == mark.topic and each.offset > mark.offset
        ]
        await self._history.forget(self._number, self._grace_s, [*self._register, *further])

    @property
    def _grace_s(self) -> float:
        """A reader of a checkpoint that is no longer registered has this time left."""
        return min(self._options.archive_grace_s, 2 * self._options.checkpoint_every_s)


class _Begun(NamedTuple):
    mark: Mark
    workspaces: Sequence[str]
    images: Images
    work: int
