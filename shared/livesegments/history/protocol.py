"""Requests of an evaluator to the process that works on archive files, and its answers.

Requests and answers are msgpack behind their length. Chunks of a scan have the same form, in a file:
their reader needs neither Arrow nor JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TypeAlias

import msgspec
from msgspec import Struct

from livesegments.core.event import Event
from livesegments.history.mark import Mark, Saved
from livesegments.history.ranges import Range
from livesegments.store.tail import Entry

LENGTH = 4


class Written(Struct, frozen=True):
    """A range as a register has it: rows and bytes of both files, first and last instant of its events."""

    events: int
    transitions: int
    bytes: int
    first_ms: int | None = None
    last_ms: int | None = None


class Wanted(Struct, frozen=True):
    """`names`: event name → the properties to bring along.

    `after`: only profiles that sort behind it. `since_ms`: only events from that instant on.
    """

    workspace: str
    names: dict[str, tuple[str, ...]]
    after: str = ""
    since_ms: int | None = None


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
    """Checkpoints that were written so long ago, but for those of some names."""

    partition: int
    older_s: float
    but: Sequence[str]


Request: TypeAlias = Write | Merge | Remove | List | Scan | Save | Marks | Load | Forget


class Done(Struct, frozen=True, tag=True):
    count: int = 0
    ranges: Sequence[Range] = ()
    written: Written | None = None
    saved: Saved | None = None
    marks: Sequence[Mark] = ()


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

_chunks: msgspec.msgpack.Decoder[tuple[float, Chunk]] = msgspec.msgpack.Decoder(tuple[float, Chunk])


def put_chunk(file: BinaryIO, share: float, chunk: Chunk) -> None:
    """`share` of all events are done with this chunk."""
    data = encode((share, chunk))
    file.write(len(data).to_bytes(LENGTH))
    file.write(data)


def chunks(path: Path) -> Iterator[tuple[float, Chunk]]:
    """The chunks that `put_chunk` wrote: (share, chunk)."""
    with path.open("rb") as file:
        while head := file.read(LENGTH):
            yield _chunks.decode(file.read(int.from_bytes(head)))
