"""A claim's erasures: a person goes from the store at once, and from the files within the stated time.

Example: the log says at offset 1,742 that ada is to be erased. One commit takes her state, her memberships
and her due time away, puts her exits into the outbox, notes the digest of her id, by which later events are
kept out, and notes the erasure. The rest is done for all erasures that wait, in this order; the commits are
errands, each of which says how far it has come:

1. the broker has the exits, and the outbox is trimmed;
2. the tail is archived, and every file of the partition that holds rows of hers is written anew without
   them, registered in the place of the old one, and the old one is removed;
3. the same with the checkpoints. Those from before get the digest, too: who begins with one of them reads
   her events again from the log, and must not take them in;
4. the values that she had are taken out of the names that were seen;
5. the erasure is noted as done, and her id is nowhere any more.

A partition that was made anew from a checkpoint has the digests alone. What its life before has left in files
that no register names is searched for by them.

A death on the way leaves the note of an erasure that isn't done; the next owner does it from step 1. What
has been done already finds nothing more to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog
from msgspec.structs import replace

from livesegments.core.profile import Profile
from livesegments.evaluator.archiver import Archiver
from livesegments.evaluator.checkpoints import Checkpoints
from livesegments.evaluator.errands import Errands, nothing
from livesegments.evaluator.loading import Loader
from livesegments.evaluator.outcome import Outcome
from livesegments.evaluator.partition import Partition
from livesegments.evaluator.ports import Ports, Received
from livesegments.evaluator.relay import Relay
from livesegments.evaluator.suppression import Suppression
from livesegments.history.protocol import Fields, Person
from livesegments.history.workshop import FilesAway
from livesegments.runtime import metrics
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.store.erasures import SEARCH, Erasing, Suppressed, decode, encode
from livesegments.wire.pack import Erase, Lift
from livesegments.wire.profilekey import profile_key
from livesegments.wire.suppressed import digest, values_of

MOST = 100
"""Erasures that are done together."""
ALL = 2**62
"""Beyond every offset."""
LOOK_S = 60.0
RETRY_S = 1.0
SAMPLED_MS = 5_000
"""Ingest has stored the values that it sampled before it knew of an erasure."""


class Erasures:
    """`load` before the first record; then `take` records, and `run` in a task of its own."""

    def __init__(
        self,
        by: str,
        ports: Ports,
        partition: Partition,
        loader: Loader,
        errands: Errands,
        archiver: Archiver,
        checkpoints: Checkpoints,
        relay: Relay,
    ) -> None:
        """`by`: what the names of this claim's files begin with."""
        self._by = by
        self._shard = ports.shard
        self._names = ports.names
        self._options = ports.options
        self._partition = partition
        self._loader = loader
        self._errands = errands
        self._archiver = archiver
        self._checkpoints = checkpoints
        self._relay = relay
        self._suppression = Suppression(ports.options.erasure_key, {})
        self._waiting: dict[int, Erasing] = {}
        self._search = False
        self._some = asyncio.Event()
        self._logger = structlog.get_logger(__name__).bind(partition=partition.number)

    async def load(self) -> None:
        """What is stored."""
        number = self._partition.number
        stored = await self._shard.fields(keys.suppressed(number))
        self._suppression = Suppression(self._options.erasure_key, stored)
        self._partition.suppressed = self._suppression.check
        for offset, data in (await self._shard.fields(keys.erasures(number))).items():
            if offset == SEARCH:
                self._search = True
                continue
            each = decode(data)
            if each.profile is not None:
                self._waiting[int(offset)] = each
                self._partition.erased[profile_key(each.workspace, each.profile)] = each.commit

    async def take(self, content: Erase | Lift, record: Received) -> Outcome:
        """The record's commit."""
        partition = self._partition
        if isinstance(content, Lift):
            partition.offset = record.offset + 1
            outcome = partition.seal(lambda commit: self._suppression.drop(commit, content.digest))
        else:
            key = profile_key(content.workspace, content.profile)
            await self._loader.profiles(partition.cache.missing([key]))
            stamp_ms = record.stamp_ms if self._options.now_ms is not None else None

            def write(commit: Commit, exits: int, profile: Profile | None) -> None:
                self._note(commit, content, record, exits, profile)

            outcome = partition.erase(key, stamp_ms, record.offset + 1, write)
            metrics.ERASED.inc()
        partition.suppressed = self._suppression.check
        self._some.set()
        return outcome

    def _note(
        self, commit: Commit, content: Erase, record: Received, exits: int, profile: Profile | None
    ) -> None:
        name = digest(self._options.erasure_key, content.workspace, content.profile)
        values = () if profile is None else values_of(self._options.erasure_key, _attributes(profile))
        erasing = Erasing(
            content.workspace, name, record.stamp_ms, commit.clock_ms, commit.number, content.at_once, exits,
            content.profile, values,
        )  # fmt: skip
        who = Suppressed(content.workspace, record.offset, record.stamp_ms)
        self._suppression.put(commit, name, who)
        self._waiting[record.offset] = erasing
        commit.put_fields(keys.erasures(commit.partition), {str(record.offset): encode(erasing)})

    async def run(self) -> None:
        """Never returns, but raises what the shard raises."""
        while True:
            await self._until_due()
            first = sorted(self._waiting.items(), key=lambda item: self._due_ms(item[1]))[:MOST]
            try:
                if self._search:
                    await self._search_again()
                if first:
                    await self._finish(dict(first))
            except FilesAway as error:
                metrics.ARCHIVE_FAILURES.inc()
                self._logger.warning("an erasure waits: the archive can't be reached", error=str(error))
                await asyncio.sleep(RETRY_S)
            except OSError as error:
                self._logger.warning("an erasure waits: names can't be reached", error=str(error))
                await asyncio.sleep(RETRY_S)

    def _due_ms(self, erasing: Erasing) -> int:
        """Half of the stated time is for waiting for others, half for the work."""
        wait_s = 0 if erasing.at_once else self._options.erase_within_s / 2
        return erasing.asked_ms + round(wait_s * 1_000)

    async def _until_due(self) -> None:
        while not self._search:
            self._some.clear()
            due_ms = min(map(self._due_ms, self._waiting.values()), default=None)
            wait_s = LOOK_S if due_ms is None else (due_ms - self._options.wall_ms()) / 1_000
            if wait_s <= 0:
                return
            try:
                async with asyncio.timeout(min(wait_s, LOOK_S)):
                    await self._some.wait()
            except TimeoutError:
                pass

    async def _search_again(self) -> None:
        """Made anew from a checkpoint: a life that ended before it came to an erasure may have left files."""
        persons = await self._archiver.seek(self._suppression.digests)
        if persons:
            async with self._checkpoints.making:
                await self._archiver.prune(persons, {})
        key = keys.erasures(self._partition.number)
        await self._errands.post(lambda commit: commit.drop_fields(key, [SEARCH]))
        self._search = False

    async def _finish(self, erasings: dict[int, Erasing]) -> None:
        persons = [
            Person(each.workspace, each.profile, each.commit, each.at_ms or each.asked_ms, offset)
            for offset, each in erasings.items()
            if each.profile is not None
        ]
        await self._errands.post(nothing)
        await self._relay.reached(max(each.commit for each in erasings.values()))
        await self._relay.tidy()
        async with self._checkpoints.making:
            values = set(await self._archiver.prune(persons, {}))
            values.update(*(each.values for each in erasings.values()))
            now_ms = self._options.wall_ms()
            await self._write(erasings, lambda each: replace(each, archive_ms=now_ms))
            ended = {offset: each.done(now_ms) for offset, each in erasings.items()}
            await self._checkpoints.prune(persons, self._fields(erasings, ended))
            now_ms = self._options.wall_ms()
            await self._write(erasings, lambda each: replace(each, checkpoints_ms=now_ms))
            await self._forget_values(erasings, values)
            now_ms = self._options.wall_ms()
            await self._write(erasings, lambda each: replace(each, names_ms=now_ms).done(now_ms))
        for offset in erasings:
            self._waiting.pop(offset, None)
        self._logger.info("erased", profiles=len(persons))

    def _fields(self, erasings: Mapping[int, Erasing], ended: Mapping[int, Erasing]) -> list[Fields]:
        """For checkpoints: what the hashes of one from before an offset lack; `ALL`: of every one."""
        number = self._partition.number
        found: list[Fields] = []
        for offset, each in erasings.items():
            who = Suppressed(each.workspace, offset, each.asked_ms)
            found.append((offset + 1, {keys.suppressed(number): {each.digest: encode(who).decode()}}))
            note = {str(offset): encode(ended[offset]).decode()}
            found.append((ALL, {keys.erasures(number): note}))
        return found

    async def _forget_values(self, erasings: Mapping[int, Erasing], values: set[str]) -> None:
        latest_ms = max(each.asked_ms for each in erasings.values()) + SAMPLED_MS
        await asyncio.sleep(max(0.0, min(latest_ms - self._options.wall_ms(), SAMPLED_MS) / 1_000))
        for workspace in sorted({each.workspace for each in erasings.values()}):
            await self._names.forget(workspace, self._options.erasure_key, values)

    async def _write(self, erasings: dict[int, Erasing], change: Callable[[Erasing], Erasing]) -> None:
        for offset, each in erasings.items():
            erasings[offset] = change(each)
        fields: dict[str, str | bytes] = {str(offset): encode(each) for offset, each in erasings.items()}
        key = keys.erasures(self._partition.number)
        await self._errands.post(lambda commit: commit.put_fields(key, fields))


def _attributes(profile: Profile) -> dict[str, object]:
    attributes = {name: register.value for name, register in profile.attributes.items()}
    return {**attributes, "groups": profile.groups}
