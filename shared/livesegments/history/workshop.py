"""The evaluator's side of the process that works on archive files: one request at a time."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

from livesegments.history.chunk_files import Fills, chunks, pieces
from livesegments.history.companion import Companion, Died
from livesegments.history.in_order import InOrder
from livesegments.history.mark import Mark, Row, Saved, Spool, spooled
from livesegments.history.protocol import (
    Chunk,
    Discard,
    Done,
    Failed,
    Fields,
    Filled,
    Forget,
    Life,
    List,
    Lives,
    Load,
    Marks,
    Merge,
    Of,
    Person,
    Piece,
    Prune,
    Pruning,
    Purge,
    Purged,
    Read,
    Remove,
    Request,
    Retain,
    Save,
    Scan,
    Seek,
    Wanted,
    Write,
    Written,
    answers,
    encode,
)
from livesegments.history.ranges import Range
from livesegments.store.tail import Entry

URGENT = (Marks, Load, Seek, Prune, Purge)
"""A partition that is made anew, and erasures, don't wait for checkpoints, merges or scans to begin."""
LOOK_S = 0.02
"""So often it is looked for chunks of a scan that isn't done."""


class FilesAway(OSError):
    """The store of files can't be reached, or the process died: try again later."""


class FilesGone(FilesAway):
    """A file was merged away or removed: resolve the ranges again."""


class Workshop:
    """`url` as in `history.archive`; chunks of scans lie in `folder` until they are read."""

    def __init__(self, url: str, folder: Path, store: str = "") -> None:
        self._store = store
        self._folder = folder
        self._companion = Companion((sys.executable, "-m", "livesegments.history.worker", url))
        self._order = InOrder()

    async def write(self, partition: int, of: Range, entries: Sequence[tuple[int, Entry]]) -> Written:
        """The tail's entries as the files of a range."""
        return _written(await self._ask(Write(partition, of, entries)))

    async def merge(self, partition: int, parts: Sequence[Range], of: Range) -> Written:
        return _written(await self._ask(Merge(partition, parts, of)))

    async def prune(
        self,
        partition: int,
        registered: Sequence[Range],
        persons: Sequence[Person],
        by: str,
        key: str,
    ) -> Pruning:
        """Files anew without persons' rows; the old ones stay until they are removed."""
        return (await self._ask(Prune(partition, registered, persons, by, key))).pruning

    async def retain(
        self, partition: int, registered: Sequence[Range], before: Mapping[str, int], by: str
    ) -> Pruning:
        """Some files anew without what is older than a workspace keeps it; the old ones stay."""
        return (await self._ask(Retain(partition, registered, before, by))).pruning

    async def seek(
        self, partition: int, registered: Sequence[Range], digests: Sequence[str], key: str
    ) -> Sequence[Person]:
        """Profiles with these digests that have rows in files that are not registered."""
        return (await self._ask(Seek(partition, registered, digests, key))).persons

    async def purge(
        self, partition: int, topic: str, persons: Sequence[Person], fields: Sequence[Fields], by: str
    ) -> Sequence[Purged]:
        """Checkpoints anew without persons; the old ones stay until they are discarded."""
        return (await self._ask(Purge(partition, topic, persons, fields, by))).purged

    async def discard(self, partition: int, names: Sequence[str]) -> None:
        """Removes checkpoints."""
        await self._ask(Discard(partition, names))

    async def remove(self, partition: int, ranges: Sequence[Range]) -> None:
        await self._ask(Remove(partition, ranges))

    async def ranges(self, partition: int, older_s: float) -> Sequence[Range]:
        """The ranges of files that were written at least that long ago, whether or not the files count."""
        return (await self._ask(List(partition, older_s))).ranges

    async def scan(
        self, partition: int, ranges: Sequence[Range], wanted: Wanted
    ) -> AsyncIterator[tuple[float, Sequence[Filled]]]:
        """Chunks of whole profiles in sorted order, each with the share of events done after it.

        They are read while the rest is still made. Raises as `_ask`, maybe after some of them.
        """
        into = self._folder / f"scan-{uuid4().hex}"
        made = asyncio.create_task(self._ask(Scan(partition, ranges, wanted, str(into))))
        try:
            chunks = Fills(into, wanted.columns)
            while True:
                whole = made.done()
                for each in chunks.more():
                    yield each
                if whole:
                    made.result()
                    return
                await asyncio.wait([made], timeout=LOOK_S)
        finally:
            made.cancel()
            await asyncio.wait([made])
            into.unlink(missing_ok=True)

    async def lives(
        self,
        partition: int,
        ranges: Sequence[Range],
        entries: Sequence[tuple[int, Entry]],
        wanted: Sequence[Life],
    ) -> AsyncIterator[Piece]:
        """What profiles did up to their merges, in the order of `wanted`; one piece of each at least."""
        into = self._folder / f"lives-{uuid4().hex}"
        try:
            await self._ask(Lives(partition, ranges, entries, wanted, str(into)))
            for each in pieces(into):
                yield each
        finally:
            into.unlink(missing_ok=True)

    async def pasts(self, partition: int, of: Of) -> AsyncIterator[tuple[float, Chunk]]:
        """What happened to some profiles, in chunks as those of `scan`, in order of arrival."""
        into = self._folder / f"pasts-{uuid4().hex}"
        try:
            await self._ask(Read(partition, of, self._store, str(into)))
            for each in chunks(into):
                yield each
        finally:
            into.unlink(missing_ok=True)

    def spool(self) -> Spool:
        """For the rows of a checkpoint; `drop` it when they are saved."""
        return Spool(self._folder / f"rows-{uuid4().hex}")

    async def save(self, mark: Mark, scanned: Spool, images: Spool) -> Saved:
        """A checkpoint of the rows that a scan met; `images`, of what changed meanwhile, go before."""
        scanned.close()
        images.close()
        answer = await self._ask(Save(mark, str(scanned.path), str(images.path)))
        assert answer.saved is not None
        return answer.saved

    async def marks(self, partition: int) -> Sequence[Mark]:
        """Those of the checkpoints that there are."""
        return (await self._ask(Marks(partition))).marks

    async def load(self, mark: Mark) -> AsyncGenerator[tuple[int, list[Row]]]:
        """A checkpoint's rows in batches, each with how many there are in all."""
        into = self._folder / f"rows-{uuid4().hex}"
        try:
            count = (await self._ask(Load(mark, str(into)))).count
            for rows in spooled(into):
                yield count, rows
        finally:
            into.unlink(missing_ok=True)

    async def forget(self, partition: int, older_s: float, but: Sequence[str]) -> None:
        """Removes checkpoints that were written at least that long ago, except those of some names."""
        await self._ask(Forget(partition, older_s, but))

    async def _ask(self, request: Request) -> Done:
        """Raises FilesAway, or FilesGone."""
        async with self._order.turn(isinstance(request, URGENT)):
            try:
                answer = answers.decode(await self._companion.exchange(encode(request)))
            except Died as error:
                raise FilesAway(f"the archive can't be worked on: {error}") from error
        if isinstance(answer, Failed):
            raise (FilesGone if answer.gone else FilesAway)(answer.error)
        return answer

    async def close(self) -> None:
        await self._companion.end()


def _written(answer: Done) -> Written:
    assert answer.written is not None
    return answer.written
