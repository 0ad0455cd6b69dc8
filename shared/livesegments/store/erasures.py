"""Erasures of a partition: how far each is, and whom it keeps out since.

Both hashes are written by the partition's evaluator in its commits, so they go with the checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from livesegments.store import keys
from livesegments.store.client import Client
from livesegments.store.standing import Heads, whole
from livesegments.store.together import together

CHANGED = "changed"
"""The field of `{p}:suppressed` that is no digest: the number of the commit that changed it last."""


SEARCH = "search"
"""The field of `{p}:erasures` that is no note: the partition was made anew from a checkpoint, and files of
its life before may hold what was erased already."""


class Suppressed(Struct, frozen=True):
    """A profile of `workspace` that is not taken in. `erasure` is the offset of the request, `note` the field
    of `{p}:erasures` that says more (of older ones: none)."""

    workspace: str
    erasure: int
    at_ms: int
    note: str = ""


class Erasing(Struct, frozen=True, omit_defaults=True):
    """One erasure. `profile` is named as long as its files are not rewritten, and None afterwards.

    offset      of the request in the log
    root        the id of the erasure from which this one follows, of another id of the same person
    kin         (partition, digest) of the ids that it was merged with: each has an erasure that follows
    before      the field of an earlier one of the same profile that is not lifted, and has kin
    asked_ms    when the request came; `at_once`: its files do not wait for those of others
    at_ms       the partition's clock when state, memberships and due time went, in commit `commit`
    exits       how many segments it was in
    values      digests of the values that its attributes had, until they are out of the names that were seen
    archive_ms, checkpoints_ms, names_ms   when those had nothing of it any more (wall clock); None: not yet
    done_ms     when all was done
    """

    workspace: str
    digest: str
    asked_ms: int
    at_ms: int | None
    commit: int
    at_once: bool = False
    exits: int = 0
    profile: str | None = None
    values: tuple[str, ...] = ()
    archive_ms: int | None = None
    checkpoints_ms: int | None = None
    names_ms: int | None = None
    done_ms: int | None = None
    offset: int = -1
    root: str = ""
    kin: tuple[tuple[int, str], ...] = ()
    before: str = ""

    @property
    def field(self) -> str:
        """Its name in `{p}:erasures`."""
        return field_of(self.root, self.digest) if self.root else str(self.offset)

    def done(self, at_ms: int) -> Erasing:
        return replace(self, profile=None, values=(), done_ms=at_ms)


class Gone(Struct, frozen=True, array_like=True):
    """A profile that was erased in commit `commit`. What files and tail have of it up to then, that commit
    included, is nobody's; who asks about history is not to see it."""

    workspace: str
    profile: str
    commit: int


def field_of(root: str, digest: str) -> str:
    """Of an erasure that follows from another one."""
    return f"{root}/{digest}"


class Found(Struct, frozen=True):
    """`applied`: the partition has come beyond the request; `note` is None where it has left none. `others`:
    of the person's other ids; None for those whose erasure isn't applied yet."""

    note: Erasing | None
    applied: bool
    others: tuple[Erasing | None, ...] = ()


class Notes:
    """The erasures of all partitions, as the api reads them. Raises Away, or Restoring."""

    def __init__(self, store: Client, heads: Heads) -> None:
        self._together = together(store)
        self.heads = heads
        self._partitions = heads.partitions

    @whole
    async def read(self, partition: int, offset: int) -> Found:
        if partition >= self._partitions:
            return Found(None, True)
        (head, data) = await self._together.ask(
            ("HGET", keys.head(partition), "offset"), ("HGET", keys.erasures(partition), offset)
        )
        note = None if data is None else decode(data)
        others = () if note is None else await self._others(f"{partition}-{offset}", note)
        return Found(note, int(head or 0) > offset, others)

    @whole
    async def newest(self, workspace: str) -> tuple[int, ...]:
        """Per partition, the offset of the newest erasure in a workspace; −1 where there is none."""
        commands = (("HVALS", keys.erasures(partition)) for partition in range(self._partitions))
        replies = await self._together.ask(*commands)
        return tuple(max((each.offset for each in _notes(found, workspace)), default=-1) for found in replies)

    async def _others(self, root: str, note: Erasing) -> tuple[Erasing | None, ...]:
        """From one id to the next, whatever way they were merged."""
        found: dict[tuple[int, str], Erasing | None] = {}
        seen, following = {note.digest}, note.kin
        while following := tuple(each for each in following if each[1] not in seen):
            seen.update(digest for _, digest in following)
            replies = await self._together.ask(
                *(("HGET", keys.erasures(place), field_of(root, digest)) for place, digest in following)
            )
            notes = [None if data is None else decode(data) for data in replies]
            found.update(zip(following, notes, strict=True))
            following = tuple(kin for each in notes if each is not None for kin in each.kin)
        return tuple(found.values())

    async def suppresses(self, partition: int, digest: str) -> bool:
        return bool(await self._together.one("HEXISTS", keys.suppressed(partition), digest))


def _notes(found: Iterable[bytes], workspace: str) -> Iterator[Erasing]:
    for data in found:
        if data.startswith(b"{"):  # the field `search` has none
            note = decode(data)
            if note.workspace == workspace:
                yield note


_encode = msgspec.json.Encoder().encode
_erasing = msgspec.json.Decoder(Erasing)
_suppressed = msgspec.json.Decoder(Suppressed)
_gone = msgspec.json.Decoder(Gone)


def encode(value: Erasing | Suppressed | Gone) -> bytes:
    return _encode(value)


def decode(data: bytes) -> Erasing:
    return _erasing.decode(data)


def decode_gone(data: bytes) -> Gone:
    return _gone.decode(data)


def decode_suppressed(data: bytes) -> Suppressed:
    return _suppressed.decode(data)
