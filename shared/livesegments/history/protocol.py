"""Requests of an evaluator to the process that works on archive files, and its answers.

Requests and answers are msgpack behind their length. Chunks of a scan have the same form, in a file
(`chunk_files`): their reader needs no Arrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw, Struct

from livesegments.core.event import Event
from livesegments.core.order import Order
from livesegments.history.mark import Mark, Saved
from livesegments.history.ranges import Range
from livesegments.store.tail import Entry


class Written(Struct, frozen=True):
    """A range as a register has it: rows and bytes of both files, first and last instant of its events."""

    events: int
    transitions: int
    bytes: int
    first_ms: int | None = None
    last_ms: int | None = None


class Wanted(Struct, frozen=True):
    """`names`: event name → the properties to bring along.

    `after`: only profiles that sort behind it. `since`: event name → only those from that instant (ms) on.
    `order`: states that are to be made of them. `columns`: chunks come as `history.columns`.
    """

    workspace: str
    names: dict[str, tuple[str, ...]]
    after: str = ""
    since: dict[str, int] = {}
    order: Order | None = None
    columns: bool = False


class Write(Struct, frozen=True, tag=True):
    """The tail's entries of commits `of` as files; answers `Written`."""

    partition: int
    of: Range
    entries: Sequence[tuple[int, Entry]]


class Merge(Struct, frozen=True, tag=True):
    """Neighbouring files as the one file `of`; answers `Written`."""

    partition: int
    parts: Sequence[Range]
    of: Range


class Remove(Struct, frozen=True, tag=True):
    """Files that no register names any more."""

    partition: int
    ranges: Sequence[Range]


class List(Struct, frozen=True, tag=True):
    """Which files there are that were written so long ago; answers their ranges."""

    partition: int
    older_s: float


class Scan(Struct, frozen=True, tag=True):
    """Chunks for a backfill into the file `into`; answers how many events they hold."""

    partition: int
    ranges: Sequence[Range]
    wanted: Wanted
    into: str


class Of(Struct, frozen=True):
    """What happened to some profiles, of some names, up to the commit `upto`."""

    workspace: str
    profiles: Sequence[str]
    names: Sequence[str]
    upto: int


class Read(Struct, frozen=True, tag=True):
    """Chunks of what happened into the file `into`; answers how many events they hold. `store` is the URL of
    the store that has the tail."""

    partition: int
    of: Of
    store: str
    into: str


class Person(Struct, frozen=True):
    """A profile that was erased by commit `upto`, at the instant `at_ms`, and `offset` of the log.

    Rows of later commits are of another life. Where a store was taken back, files stay that no register names
    and whose commits have other numbers: in those the instant says it.
    """

    workspace: str
    profile: str
    upto: int
    at_ms: int
    offset: int


class Seek(Struct, frozen=True, tag=True):
    """Which profiles with these digests have rows in files that are not registered; answers `persons`."""

    partition: int
    registered: Sequence[Range]
    digests: Sequence[str]
    key: str


class Prune(Struct, frozen=True, tag=True):
    """All files with rows of `persons`, anew without them.

    `registered` are those that count; `by` is the tag of the new ones; `key` that of digests.
    Answers `Pruning`.
    """

    partition: int
    registered: Sequence[Range]
    persons: Sequence[Person]
    by: str
    key: str


class Retain(Struct, frozen=True, tag=True):
    """Some registered files with events of workspaces' times `before` an instant, anew without them.

    `by` is the tag of the new ones. Answers `Pruning`; where it has no files, nothing is left to do.
    """

    partition: int
    registered: Sequence[Range]
    before: Mapping[str, int]
    by: str


class Pruned(Struct, frozen=True):
    """The file `new` has what is left of `old`."""

    old: Range
    new: Range
    written: Written


class Pruning(Struct, frozen=True):
    """`values`: digests of the values that the persons' events had; `workspaces`: whose events went for their
    age."""

    pruned: Sequence[Pruned] = ()
    workspaces: Sequence[str] = ()
    values: Sequence[str] = ()


Fields: TypeAlias = tuple[int, dict[str, dict[str, str]]]
"""(an offset of the log, key → field → value that the hashes of a checkpoint from before it get)."""


class Purge(Struct, frozen=True, tag=True):
    """All checkpoints anew, without persons and with `fields`; answers `Purged` for each.

    `topic` is the identity of the log that offsets are of.
    """

    partition: int
    topic: str
    persons: Sequence[Person]
    fields: Sequence[Fields]
    by: str


class Purged(Struct, frozen=True):
    """Names of checkpoints: `new` has what is left of `old`."""

    old: str
    new: str
    saved: Saved


class Discard(Struct, frozen=True, tag=True):
    """Checkpoints that are not wanted any more."""

    partition: int
    names: Sequence[str]


class Life(Struct, frozen=True):
    """A profile that went into another by the event `merge`, in a commit. Up to commit `since` nothing
    counts."""

    workspace: str
    profile: str
    merge: str
    commit: int
    since: int = 0


class Piece(Struct, frozen=True):
    """Events of a life, `index` among those that are wanted; `last`: it has no more."""

    index: int
    chunk: int
    events: Sequence[Event]
    last: bool = False


class Lives(Struct, frozen=True, tag=True):
    """What profiles did up to their merges, into the file `into` (module `lives`); answers how many
    events."""

    partition: int
    ranges: Sequence[Range]
    entries: Sequence[tuple[int, Entry]]
    wanted: Sequence[Life]
    into: str


class Save(Struct, frozen=True, tag=True):
    """A checkpoint of spooled rows (`mark.Spool`); answers `Saved`."""

    mark: Mark
    scanned: str
    images: str


class Marks(Struct, frozen=True, tag=True):
    """Which checkpoints there are; answers their marks."""

    partition: int


class Load(Struct, frozen=True, tag=True):
    """A checkpoint's rows into the spool `into`; answers how many."""

    mark: Mark
    into: str


class Forget(Struct, frozen=True, tag=True):
    """Checkpoints that were written at least that long ago, except those of some names."""

    partition: int
    older_s: float
    but: Sequence[str]


Request: TypeAlias = (
    Write
    | Merge
    | Remove
    | List
    | Scan
    | Save
    | Marks
    | Load
    | Forget
    | Prune
    | Retain
    | Purge
    | Discard
    | Lives
    | Seek
    | Read
)


class Done(Struct, frozen=True, tag=True):
    count: int = 0
    ranges: Sequence[Range] = ()
    written: Written | None = None
    saved: Saved | None = None
    marks: Sequence[Mark] = ()
    pruning: Pruning = Pruning()
    purged: Sequence[Purged] = ()
    persons: Sequence[Person] = ()


class Failed(Struct, frozen=True, tag=True):
    """The store of files is away, or refused; `gone` where a file was not there."""

    error: str
    gone: bool = False


Answer: TypeAlias = Done | Failed

encode = msgspec.msgpack.Encoder().encode
requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def encode_written(value: Written) -> bytes:
    """As a register has it."""
    return msgspec.json.encode(value)


written: msgspec.json.Decoder[Written] = msgspec.json.Decoder(Written)
"""Of a register's values, which are JSON."""

Chunk: TypeAlias = list[tuple[str, list[tuple[int, Event]]]]
"""(profile, its events with the numbers of their commits)."""


NULL = Raw(b"\xc0")
"""In msgpack."""


Stretch: TypeAlias = tuple[list[int], list[str], list[int], list[str], list[str]]
"""A profile's events as columns: numbers of commits, names, times, ids, properties as JSON."""


class Filled(Struct, frozen=True, array_like=True):
    """What a profile's new facts are filled from; both are in msgpack.

    `past`: its events, a `Stretch`, which is read of few profiles. `made`: the states that were made of them,
    fact id → state, and `dues` and `holds` as of `bulk.Made`; null where it takes the events.
    """

    profile: str
    past: Raw
    made: Raw
    dues: dict[int, int] = {}
    holds: bool = True

    @property
    def facts(self) -> Raw | None:
        return None if self.made == NULL else self.made

    def events(self, workspace: str) -> list[tuple[int, Event]]:
        """With the numbers of their commits."""
        profile, read = self.profile, _properties.decode
        return [
            (commit, Event(id_, workspace, profile, name, time_ms, read(data)))
            for commit, name, time_ms, id_, data in zip(*_stretch.decode(self.past), strict=True)
        ]


_stretch: msgspec.msgpack.Decoder[Stretch] = msgspec.msgpack.Decoder(Stretch)
_properties: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])
