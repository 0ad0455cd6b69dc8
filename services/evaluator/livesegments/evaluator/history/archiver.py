"""A claim's archiver: the tail becomes files, and small files become larger ones.

A cut goes like this. The tail's entries from where the archive ends up to the last applied commit are read
and written as files named by their range of commits. Then one commit registers the range and trims the tail
by it. A crash before that commit leaves files that no register names, and the whole tail: the next owner
removes those and cuts anew. A crash after it leaves nothing to do. So every event is in the tail or in one
registered file, and never in both.

Merging is the same: the merged file is written, and one commit registers it in the place of its parts.

A file that no register names stays for a grace time, because a store that was taken back to an earlier
snapshot names the parts again that were merged since then. Such a file is removed only after a commit of this
claim, which shows that the register is still ours; no later claim writes a file of the same name.

A checkpoint's commit is a border: a file ends there, and no merge goes across. So the archive as of a
checkpoint is whole files.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

import structlog

from livesegments.evaluator.commits.errands import Errands, nothing
from livesegments.evaluator.ports import Ports
from livesegments.history.mark import commit_of
from livesegments.history.protocol import Person, Pruned, Written, encode_written, written
from livesegments.history.ranges import Range, mergeable, parse
from livesegments.history.workshop import FilesAway
from livesegments.runtime import metrics
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.store.tail import Entry

TAG = 7
"""Characters of the tag of a file that is written anew."""
PAGE = 200
"""The most entries of the tail that are read at once."""
PAGE_BYTES = 256 * 1024
"""About so much of the tail is read at once: live commits wait behind it in the store."""
MERGE_PARTS = 8
MERGE_BYTES = 64 * 1024 * 1024
LOOK_S = 1.0
PUT_OFF_S = 60.0
"""A tail that is old enough waits so long for the end of a storm."""
SWEEP_S = 300.0
RETRY_S = 1.0
FULL = 16
"""When the tail is this many times as large as one that is archived, the partition waits."""


class Archiver:
    """`applied` says the number of the last commit that is applied."""

    def __init__(
        self,
        number: int,
        by: str,
        ports: Ports,
        errands: Errands,
        applied: Callable[[], int],
        keeps: Callable[[], Mapping[str, int]],
    ) -> None:
        """`by`: what the names of this claim's files end in. `keeps`: workspace → the first instant of which
        events are kept."""
        self._keeps = keeps
        self._number = number
        self._by = by
        self._shard = ports.shard
        self._history = ports.history
        self._options = ports.options
        self._pace = ports.pace
        self._errands = errands
        self._applied = applied
        self._register: dict[Range, Written] = {}
        self._upto = 0
        self._lost: set[Range] = set()
        self._retained: dict[str, int] = {}
        self._replaced: list[tuple[float, Range]] = []
        """Files that others have taken the place of, and since when."""
        self.full = False
        self.borders: set[int] = set()
        """The commits of checkpoints."""
        self._open = asyncio.Event()
        self._cutting = asyncio.Lock()
        self._prunings = 0
        self._there: frozenset[Range] = frozenset()
        self._swept_s = 0.0
        self._logger = structlog.get_logger(__name__).bind(partition=number)

    @property
    def ranges(self) -> list[Range]:
        """The files that count, oldest first."""
        return sorted(self._register.keys() - self._lost)

    def register(self, upto: int) -> dict[str, str]:
        """Name → JSON of `Written`, of the files up to a commit."""
        return {
            each.name: encode_written(self._register[each]).decode()
            for each in self.ranges
            if each.last <= upto
        }

    @property
    def since_ms(self) -> int | None:
        """What was before this instant is not in the archive; None where it reaches back to the beginning."""
        if self._lost:
            return max((self._register[each].last_ms or 0 for each in self._lost), default=None)
        oldest = min(self._register, default=None)
        return None if oldest is None or oldest.first == 1 else self._register[oldest].first_ms

    def complete_since(self, workspace: str) -> int | None:
        """Of a workspace's events, those before this instant may be missing; None: none are."""
        known = (self.since_ms, self._retained.get(workspace))
        return max((each for each in known if each is not None), default=None)

    async def run(self) -> None:
        """Never returns, but raises what the shard raises."""
        retained = await self._shard.fields(keys.retained(self._number))
        self._retain_from({workspace: int(at_ms) for workspace, at_ms in retained.items()})
        stored = await self._shard.fields(keys.archive(self._number))
        for name, data in stored.items():
            range_ = parse(name)
            if range_ is not None:
                self._register[range_] = written.decode(data)
        self._upto = max((each.last for each in self._register), default=0)
        checkpoints = await self._shard.fields(keys.checkpoint(self._number))
        self.borders |= {commit for name in checkpoints if (commit := commit_of(name)) is not None}
        await self._steadily(self._tidy)
        self._open.set()
        while True:
            await self._until_due()
            await self.cut()
            async with self._cutting:
                await self._steadily(self._merge)
            if asyncio.get_running_loop().time() - self._swept_s >= SWEEP_S:
                await self._steadily(self._sweep)

    async def opened(self) -> None:
        """Returns when it is known what there is."""
        await self._open.wait()

    async def everything(self, upto: int) -> tuple[list[Range], list[tuple[int, Entry]]]:
        """The files that count, and beside them the tail's entries up to a commit: nothing is missing between
        them."""
        await self._open.wait()
        async with self._cutting:
            entries, _ = await self._entries(upto, None)
            return self.ranges, entries

    async def cut(self) -> None:
        """Archives everything that is applied now; events that come meanwhile stay in the tail."""
        await self._open.wait()
        async with self._cutting:
            target = self._applied()
            while self._upto < target and await self._cut_once():
                pass

    async def _cut_once(self) -> bool:
        """One range; False if the tail has nothing more."""
        applied, entries, after = self._applied(), list[tuple[int, Entry]](), 0
        for last in sorted({each for each in self.borders if self._upto < each < applied} | {applied}):
            entries, after = await self._entries(last, self._options.archive_after_bytes)
            if entries:
                break
        else:
            return False
        of = Range(self._upto + 1, after, self._by)
        found: list[Written] = []

        async def write() -> None:
            found.append(await self._history.write(self._number, of, entries))

        await self._steadily(write)

        def register(commit: Commit) -> None:
            commit.put_fields(keys.archive(self._number), {of.name: encode_written(found[0])})
            commit.archived(of.last)
            self._register[of] = found[0]
            self._upto = of.last

        await self._errands.post(register)
        metrics.ARCHIVED.inc(found[0].events)
        metrics.ARCHIVED_BYTES.inc(found[0].bytes)
        return True

    async def seek(self, digests: Sequence[str]) -> Sequence[Person]:
        """Profiles with these digests that have rows in files that do not count. Raises FilesAway."""
        await self._open.wait()
        registered, key = list(self._register), self._options.erasure_key
        return await self._history.seek(self._number, registered, digests, key)

    async def prune(self, persons: Sequence[Person]) -> Sequence[str]:
        """Writes files anew without the rows of persons.

        Returns the digests of the values that persons had. Files that no register names are written anew,
        too: a store that was taken back may name them again. Raises FilesAway.
        """
        await self.cut()
        async with self._cutting:
            tag, key = self._tag(), self._options.erasure_key
            counting = list(self._register)
            pruning = await self._history.prune(self._number, counting, persons, tag, key)
            self._there |= {each.new for each in pruning.pruned}
            ours = [each for each in pruning.pruned if each.old in self._register]

            def register(commit: Commit) -> None:
                files = keys.archive(self._number)
                if ours:
                    commit.put_fields(files, {each.new.name: encode_written(each.written) for each in ours})
                    commit.drop_fields(files, [each.old.name for each in ours])
                self._replace(ours)

            await self._errands.post(register)
            await self._history.remove(self._number, [each.old for each in pruning.pruned])
        return pruning.values

    async def retain(self, before: Mapping[str, int]) -> None:
        """Drops events of workspaces before an instant from the files that count. Raises FilesAway.

        The commit that registers new files says from when on events are kept, so whoever reads the register
        knows it; we say it before. The old files stay for the grace time.
        """
        await self._open.wait()
        tag, more = self._tag(), True
        while more:
            async with self._cutting:
                more = await self._retain_some(before, tag)

    async def clear(self) -> None:
        """Removes replaced files whose grace time is over. Raises FilesAway."""
        now_s = asyncio.get_running_loop().time()
        over = [of for at_s, of in self._replaced if now_s - at_s >= self._options.archive_grace_s]
        if over:
            await self._errands.post(nothing)
            await self._history.remove(self._number, over)
            self._replaced = [each for each in self._replaced if each[1] not in over]

    async def _retain_some(self, before: Mapping[str, int], tag: str) -> bool:
        """A few files; whether there were any."""
        found = await self._history.retain(self._number, self.ranges, before, tag)
        pruned = found.pruned
        if not pruned:
            return False
        self._there |= {each.new for each in pruned}
        said = {workspace: before[workspace] for workspace in found.workspaces}
        self._retain_from(said)

        def register(commit: Commit) -> None:
            files, kept = keys.archive(self._number), {name: str(self._retained[name]) for name in said}
            commit.put_fields(keys.retained(self._number), kept)
            commit.put_fields(files, {each.new.name: encode_written(each.written) for each in pruned})
            commit.drop_fields(files, [each.old.name for each in pruned])
            now_s = asyncio.get_running_loop().time()
            self._replaced += [(now_s, each.old) for each in pruned]
            self._replace(pruned)

        await self._errands.post(register)
        metrics.RETAINED.inc(len(pruned))
        return True

    def _replace(self, pruned: Iterable[Pruned]) -> None:
        """In the call that makes the commit, like all that is registered: whoever asked for it may be
        cancelled while it is under way, and the next cut must know of it."""
        for each in pruned:
            del self._register[each.old]
            self._register[each.new] = each.written

    def _tag(self) -> str:
        """Of files that are written anew; no file that is there has it."""
        taken = {each.by[-TAG:] for each in self._there | self._register.keys()}
        tag = ""
        for _ in range(256):
            self._prunings = (self._prunings + 1) % 256
            tag = f"{self._by[: TAG - 2]}{self._prunings:02x}"
            if tag not in taken:
                break
        return tag

    def _retain_from(self, before: Mapping[str, int]) -> None:
        """What is dropped never comes back, so the instants only rise."""
        for workspace, at_ms in before.items():
            self._retained[workspace] = max(at_ms, self._retained.get(workspace, at_ms))

    async def _entries(self, upto: int, most: int | None) -> tuple[list[tuple[int, Entry]], int]:
        """The tail's entries up to a commit, or their first `most` bytes; and the last commit covered."""
        entries: list[tuple[int, Entry]] = []
        after, size, count = self._upto, 0, 10
        async with self._pace.reading:
            while page := await self._shard.tail(after, upto, count):
                entries += page
                after = page[-1][0]
                bytes_ = sum(len(entry.record or b"") + len(entry.told or b"") for _, entry in page)
                size += bytes_
                if most is not None and size >= most:
                    return entries, after
                if len(page) < count:
                    break
                count = min(PAGE, max(1, PAGE_BYTES * count // max(bytes_, 1)))
        return entries, upto

    async def _merge(self) -> None:
        sizes = [(each, self._register[each].bytes) for each in self.ranges]
        if self._lost:
            return
        parts = mergeable(sizes, self._upto, MERGE_BYTES, MERGE_PARTS, self.borders)
        if not parts:
            return
        whole = Range(parts[0].first, parts[-1].last, self._by)
        merged = await self._history.merge(self._number, parts, whole)

        def register(commit: Commit) -> None:
            commit.put_fields(keys.archive(self._number), {whole.name: encode_written(merged)})
            commit.drop_fields(keys.archive(self._number), [part.name for part in parts])
            for part in parts:
                del self._register[part]
            self._register[whole] = merged

        await self._errands.post(register)

    async def _tidy(self) -> None:
        """Checks that every registered file is there, and removes files that no register names after the
        grace time."""
        there = {*await self._history.ranges(self._number, 0.0)}
        self._there = frozenset(there)
        self._swept_s = asyncio.get_running_loop().time()
        await self._follow(there)
        self._lost = self._register.keys() - there
        if self._lost:
            self._logger.error("registered files are not there", files=[each.name for each in self._lost])
        if there and not self._register:
            self._logger.error("the register of the archive is gone", files=len(there))
        old = await self._history.ranges(self._number, self._options.archive_grace_s)
        strays = [each for each in old if each not in self._register]
        if strays:
            await self._errands.post(nothing)
            await self._history.remove(self._number, strays)

    async def _sweep(self) -> None:
        """Files that have come since this claim began, and are not ours: a worker that had lost the partition
        has written them. No register will ever name them, and they may hold rows of somebody erased since."""
        self._swept_s = asyncio.get_running_loop().time()
        there = await self._history.ranges(self._number, 0.0)
        strays = [each for each in there if each not in self._there and not each.by.startswith(self._by)]
        if strays:
            await self._errands.post(nothing)
            await self._history.remove(self._number, strays)

    async def _follow(self, there: Collection[Range]) -> None:
        """A store that was taken back names files that were written anew since then, without the rows of
        persons who were erased: those take their place."""
        written_anew = {each.origin: each for each in there if each.origin != each}
        moved = {
            old: new
            for old in self._register.keys() - there
            if (new := written_anew.get(old.origin)) is not None
        }
        if not moved:
            return
        self._retain_from(self._keeps())  # what was taken back may say less than the files went without

        def register(commit: Commit) -> None:
            files = keys.archive(self._number)
            commit.put_fields(
                files, {new.name: encode_written(self._register[old]) for old, new in moved.items()}
            )
            commit.drop_fields(files, [old.name for old in moved])
            for old, new in moved.items():
                self._register[new] = self._register.pop(old)

        await self._errands.post(register)

    async def _until_due(self) -> None:
        """Waits until the tail is large enough, or old enough and no storm of due times is on."""
        waited, enough = 0.0, self._options.archive_after_s
        while waited < enough or (self._pace.storming and waited < enough + PUT_OFF_S):
            await asyncio.sleep(min(LOOK_S, self._options.archive_after_s))
            waited += LOOK_S
            if await self._shard.tail_bytes() >= self._options.archive_after_bytes:
                return

    async def _steadily(self, what: Callable[[], Awaitable[None]]) -> None:
        """Until it has been done: while the files can't be reached the tail keeps everything."""
        while True:
            try:
                await what()
            except FilesAway as error:
                metrics.ARCHIVE_FAILURES.inc()
                self._logger.warning("the archive can't be reached", error=str(error))
                self.full = await self._shard.tail_bytes() >= FULL * self._options.archive_after_bytes
                await asyncio.sleep(RETRY_S)
            else:
                self.full = False
                return
