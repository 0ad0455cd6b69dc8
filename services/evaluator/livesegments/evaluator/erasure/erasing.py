"""A claim's erasures: a person goes from the store at once, and from the files within the stated time.

Example: the log says at offset 1,742 that ada is to be erased. One commit takes her state, her memberships
and her due time away, puts her exits into the outbox, notes the digest of her id, by which later events are
kept out, and notes the erasure. The rest is done for all erasures that wait, in this order; the commits are
errands, each of which says how far it has come:

1. the broker has the exits, what merged profiles hand over, and the requests for her other ids (module
   `pursuit`); outbox and `{p}:handing` are trimmed;
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
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

import structlog
from msgspec.structs import replace

from livesegments.core.handed import Handed
from livesegments.core.profile import Profile
from livesegments.evaluator.commits.errands import Errands, nothing
from livesegments.evaluator.commits.handing import Handing
from livesegments.evaluator.commits.loading import Loader
from livesegments.evaluator.commits.outcome import Outcome
from livesegments.evaluator.commits.partition import Partition
from livesegments.evaluator.commits.suppression import Suppression
from livesegments.evaluator.erasure.pursuit import Others, Pursuit, digests, others_of
from livesegments.evaluator.history.archiver import Archiver
from livesegments.evaluator.history.checkpoints import Checkpoints
from livesegments.evaluator.ports import Ports, Received
from livesegments.evaluator.relay import Relay
from livesegments.history.protocol import Fields, Person
from livesegments.history.workshop import FilesAway
from livesegments.runtime import metrics
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.store.erasures import SEARCH, Erasing, Gone, Suppressed, decode, encode, field_of
from livesegments.store.handing import Forget, Item, LetIn
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
        handing: Handing,
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
        self._handing = handing
        self._suppression = Suppression(ports.options.erasure_key, {})
        self._waiting: dict[str, Erasing] = {}
        self._followed: dict[str, int] = {}
        """Field → offset of the erasures that follow from another id's."""
        self._search = False
        self._known: dict[str, bytes] = {}
        """What `{p}:gone` had when this claim began."""
        self._some = asyncio.Event()
        self._logger = structlog.get_logger(__name__).bind(partition=partition.number)

    async def load(self) -> None:
        """What is stored."""
        number = self._partition.number
        stored = await self._shard.fields(keys.suppressed(number))
        self._suppression = Suppression(self._options.erasure_key, stored)
        self._partition.suppressed = self._suppression.check
        for field, data in (await self._shard.fields(keys.erasures(number))).items():
            if field == SEARCH:
                self._search = True
                continue
            each = decode(data)
            if each.root:
                self._followed[field] = each.offset
            if each.profile is not None:
                self._waiting[field] = each
                self._partition.erased[profile_key(each.workspace, each.profile)] = each.commit
        self._known = await self._shard.fields(keys.gone(number))

    async def take(self, content: Erase | Lift, record: Received) -> Outcome:
        """The record's commit."""
        if isinstance(content, Lift):
            outcome = await self._lift(content, record)
        else:
            outcome = await self._erase(content, record)
        self._partition.suppressed = self._suppression.check
        self._some.set()
        return outcome

    async def pursue(self, handed: Handed) -> Pursuit | None:
        """What a record brings with it that was handed over to a profile which is kept out: those that it
        comes from are erased, too. None if it is not kept out, or they are known."""
        key = profile_key(handed.workspace, handed.profile)
        who = self._suppression.get(digest(self._options.erasure_key, handed.workspace, handed.profile))
        if who is None or self._partition.cache.get(key):
            return None
        number = self._partition.number
        field = who.note or str(who.erasure)
        data = await self._shard.field(keys.erasures(number), field)
        if data is None:
            return None
        note = decode(data)
        fresh = self._digests(handed.workspace, [name for name, _ in handed.via])
        fresh = {name: kin for name, kin in fresh.items() if kin not in note.kin and kin[1] != note.digest}
        if not fresh:
            return None
        note = replace(note, kin=(*note.kin, *fresh.values()))

        def write(commit: Commit) -> None:
            if field in self._waiting:
                self._waiting[field] = note
            commit.put_fields(keys.erasures(number), {field: encode(note)})

        root = note.root or self._root(note.offset)
        return Pursuit([Forget(handed.workspace, list(fresh), note.at_once, root)], write)

    async def _erase(self, content: Erase, record: Received) -> Outcome:
        partition, number = self._partition, self._partition.number
        name = digest(self._options.erasure_key, content.workspace, content.profile)
        field = field_of(content.root, name) if content.root else str(record.offset)
        if self._followed.get(field, record.offset) < record.offset:
            return partition.skip(record.offset + 1)  # a repeat: it may have been lifted meanwhile
        key = profile_key(content.workspace, content.profile)
        await self._loader.profiles(partition.cache.missing([key]))
        others = await others_of(key, partition.cache.get(key) or b"", number, self._shard)
        stamp_ms = record.stamp_ms if self._options.now_ms is not None else None
        before = await self._before(name, record.offset)

        def write(commit: Commit, exits: int, profile: Profile | None) -> None:
            values = () if profile is None else values_of(self._options.erasure_key, _attributes(profile))
            kin = tuple(self._digests(content.workspace, others.ids).values())
            erasing = Erasing(
                content.workspace, name, record.stamp_ms, commit.clock_ms, commit.number, content.at_once,
                exits, content.profile, values,
                offset=record.offset, root=content.root, kin=kin, before=before,
            )  # fmt: skip
            self._note(commit, erasing, others)

        root = content.root or self._root(record.offset)
        items = others.items(key, content.at_once, root)
        metrics.ERASED.inc()
        return partition.erase(key, stamp_ms, record.offset + 1, write, items)

    def _note(self, commit: Commit, erasing: Erasing, others: Others) -> None:
        who = Suppressed(erasing.workspace, erasing.offset, erasing.asked_ms, erasing.field)
        self._suppression.put(commit, erasing.digest, who)
        self._waiting[erasing.field] = erasing
        if erasing.root:
            self._followed[erasing.field] = erasing.offset
        commit.put_fields(keys.erasures(commit.partition), {erasing.field: encode(erasing)})
        commit.put_fields(keys.gone(commit.partition), _gone(erasing))
        commit.drop_fields(keys.merged(commit.partition), others.fields)

    async def _lift(self, content: Lift, record: Received) -> Outcome:
        """The other ids are let in, too, by whatever erasure they were kept out."""
        partition = self._partition
        partition.offset = record.offset + 1
        items: list[Item] = []
        async for note in self._notes(content.digest):
            if not items and content.root not in ("", note.root):
                return partition.seal()
            items.append(LetIn(content.workspace, note.kin, note.root or self._root(note.offset)))
        return partition.lift(lambda commit: self._suppression.drop(commit, content.digest), items)

    async def _before(self, name: str, offset: int) -> str:
        """The field of what kept a profile out before, if others follow from it.

        When the log is applied again, a checkpoint may know of this erasure already, and of later ones.
        """
        async for note in self._notes(name):
            if note.kin and note.offset < offset:
                return note.field
        return ""

    async def _notes(self, name: str) -> AsyncIterator[Erasing]:
        """The erasures that keep a profile out, each one from before the last."""
        who, offset = self._suppression.get(name), ALL
        field = "" if who is None else who.note or str(who.erasure)
        while field and (data := await self._shard.field(keys.erasures(self._partition.number), field)):
            note = decode(data)
            if note.offset >= offset:
                return
            yield note
            offset, field = note.offset, note.before

    def _root(self, offset: int) -> str:
        return f"{self._partition.number}-{offset}"

    def _digests(self, workspace: str, ids: Iterable[str]) -> dict[str, tuple[int, str]]:
        options = self._options
        return digests(options.erasure_key, workspace, ids, options.partitions)

    async def run(self) -> None:
        """Never returns, but raises what the shard raises."""
        await self._correct()
        while True:
            await self._until_due()
            first = sorted(self._waiting, key=lambda field: self._due_ms(self._waiting[field]))[:MOST]
            try:
                if self._search:
                    await self._search_again()
                if first:
                    await self._finish(first)
            except FilesAway as error:
                metrics.ARCHIVE_FAILURES.inc()
                self._logger.warning("an erasure waits: the archive can't be reached", error=str(error))
                await asyncio.sleep(RETRY_S)
            except OSError as error:
                self._logger.warning("an erasure waits: names can't be reached", error=str(error))
                await asyncio.sleep(RETRY_S)

    async def _correct(self) -> None:
        """A checkpoint doesn't have `{p}:gone`, and a snapshot of the store may have what is over."""
        gone: dict[str, str | bytes] = {}
        for each in self._waiting.values():
            gone.update(_gone(each))
        if self._known == gone:
            return

        def write(commit: Commit) -> None:
            commit.put_fields(keys.gone(commit.partition), gone)
            commit.drop_fields(keys.gone(commit.partition), sorted(self._known.keys() - gone.keys()))

        await self._errands.post(write)

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
        upto = self._partition.commit  # who is let in again after that keeps what comes then
        found = await self._archiver.seek(self._suppression.digests)
        persons = [replace(each, upto=upto) for each in found]
        if persons:
            async with self._checkpoints.making:
                await self._archiver.prune(persons)
        key = keys.erasures(self._partition.number)
        await self._errands.post(lambda commit: commit.drop_fields(key, [SEARCH]))
        self._search = False

    async def _finish(self, fields: Sequence[str]) -> None:
        erasings = [self._waiting[field] for field in fields]
        persons = [
            Person(each.workspace, each.profile, each.commit, each.at_ms or each.asked_ms, each.offset)
            for each in erasings
            if each.profile is not None
        ]
        await self._errands.post(nothing)
        latest = max(each.commit for each in erasings)
        await self._relay.reached(latest)
        await self._relay.tidy()
        await self._handing.reached(latest)
        async with self._checkpoints.making:
            values = set(await self._archiver.prune(persons))
            values.update(*(each.values for each in erasings))
            now_ms = self._options.wall_ms()
            await self._write(fields, lambda each: replace(each, archive_ms=now_ms))
            await self._checkpoints.prune(persons, self._fields(fields, now_ms))
            now_ms = self._options.wall_ms()
            await self._write(fields, lambda each: replace(each, checkpoints_ms=now_ms))
            await self._forget_values(erasings, values)
            now_ms = self._options.wall_ms()
            await self._write(fields, lambda each: replace(each, names_ms=now_ms).done(now_ms))
        for field in fields:
            self._waiting.pop(field, None)
        self._logger.info("erased", profiles=len(persons))
        if self._options.rewrite is not None:
            await self._options.rewrite()

    def _fields(self, fields: Sequence[str], now_ms: int) -> list[Fields]:
        """For checkpoints: what the hashes of one from before an offset lack; `ALL`: of every one."""
        number = self._partition.number
        found: list[Fields] = []
        for field in fields:
            each = self._waiting[field]
            who = Suppressed(each.workspace, each.offset, each.asked_ms, field)
            found.append((each.offset + 1, {keys.suppressed(number): {each.digest: encode(who).decode()}}))
            note = {field: encode(each.done(now_ms)).decode()}
            found.append((ALL, {keys.erasures(number): note}))
        return found

    async def _forget_values(self, erasings: Sequence[Erasing], values: set[str]) -> None:
        latest_ms = max(each.asked_ms for each in erasings) + SAMPLED_MS
        await asyncio.sleep(max(0.0, min(latest_ms - self._options.wall_ms(), SAMPLED_MS) / 1_000))
        for workspace in sorted({each.workspace for each in erasings}):
            await self._names.forget(workspace, self._options.erasure_key, values)

    async def _write(self, fields: Sequence[str], change: Callable[[Erasing], Erasing]) -> None:
        """What has come to a note meanwhile stays in it."""

        def write(commit: Commit) -> None:
            self._waiting.update({field: change(self._waiting[field]) for field in fields})
            notes: dict[str, str | bytes] = {field: encode(self._waiting[field]) for field in fields}
            commit.put_fields(keys.erasures(commit.partition), notes)
            commit.drop_fields(keys.gone(commit.partition), fields)  # the archive is written anew by now

        await self._errands.post(write)


def _gone(erasing: Erasing) -> dict[str, str | bytes]:
    """The field of `{p}:gone` while files have rows."""
    if erasing.profile is None or erasing.archive_ms is not None:
        return {}
    return {erasing.field: encode(Gone(erasing.workspace, erasing.profile, erasing.commit))}


def _attributes(profile: Profile) -> dict[str, object]:
    attributes = {name: register.value for name, register in profile.attributes.items()}
    return {**attributes, "groups": profile.groups}
