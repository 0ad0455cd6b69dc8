"""A checkpoint's description of itself, and the rows that it consists of.

Example: the checkpoint of commit 4,711 has the state of every profile exactly as that commit left it. Its
mark says the next offset of the log, the clock, the definitions that were served, and which files were the
archive then. A partition whose store was emptied begins with that, and goes on from the log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeAlias

import msgspec
from msgspec import Struct

from livesegments.core.states import STATES
from livesegments.history.ranges import Range, parse

_NAME = re.compile(r"(\d{16})-([0-9a-z]{1,16})\.parquet")
_LENGTH = 4

Row: TypeAlias = tuple[str, str, bytes | None]
"""(workspace, profile, its stored state; None: there was none then)."""


class Mark(Struct, frozen=True):
    """A partition as of `commit`; `by` is the tag of the claim that wrote the file.

    offset   of the log's next record; `topic` is the identity of the log that it belongs to
    clock_ms the partition's clock, None before the first event
    catalog  the adopted revision of the catalogue
    hashes   key → field → value, as the store has them
    archive  the name of a file's range → JSON of `Written`: the register as of `commit`
    states   the version of the states (`core.states.STATES`); those of an earlier one say 0
    """

    partition: int
    commit: int
    by: str
    offset: int
    clock_ms: int | None
    topic: str
    catalog: int
    hashes: Mapping[str, Mapping[str, str]] = {}
    archive: Mapping[str, str] = {}
    states: int = 0

    @property
    def name(self) -> str:
        """The file's name, which is its identity."""
        return f"{self.commit:016d}-{self.by}.parquet"


class Saved(Struct, frozen=True):
    """A checkpoint as the register has it. Up to commit `upto` nothing needs another one."""

    profiles: int
    bytes: int
    offset: int = 0
    upto: int = 0


def commit_of(name: str) -> int | None:
    """The commit of a file's name; None for a file that is none of ours."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None


def newest(marks: Iterable[Mark], topic: str, beyond: int) -> Mark | None:
    """The one that reaches furthest into the log, of those that are of this log, lie beyond an offset, and
    have states that this version reads.

    Two lives of a partition may have left checkpoints, for a store can be taken back: commits then have the
    same numbers in both, but an offset of the log means the same records.
    """
    readable = (each for each in marks if each.states == STATES)
    fitting = [each for each in readable if each.topic == topic and each.offset > beyond]
    return max(fitting, key=_reach, default=None)


def resolved(mark: Mark, there: Iterable[Range]) -> list[Range]:
    """The files that are the archive as of a mark: those that it names, or what took their place:
    the same ones written anew, or what they were merged into.

    `there` are the files that there are. Where neither is there, the archive ends before the gap.
    """
    named = {range_ for name in mark.archive if (range_ := parse(name)) is not None}
    origins = {each.origin for each in named}
    usable = [each for each in there if each.last <= mark.commit]
    chosen: list[Range] = []
    following = min((each.first for each in named), default=0)
    while best := max(
        (each for each in usable if each.first == following),
        default=None,
        key=lambda each: (each in named, each.origin in origins, each.last),
    ):
        chosen.append(best)
        following = best.last + 1
    return chosen


def _reach(mark: Mark) -> tuple[int, int, int]:
    return mark.offset, -(2**62) if mark.clock_ms is None else mark.clock_ms, mark.commit


class Spool:
    """Rows on their way between two processes, in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None

    def put(self, rows: Sequence[Row]) -> None:
        if self._file is None:
            self._file = self.path.open("wb")
        data = _encode(rows)
        self._file.write(len(data).to_bytes(_LENGTH))
        self._file.write(data)

    def close(self) -> None:
        """Nothing more is put. A spool without rows is an empty file."""
        if self._file is None:
            self._file = self.path.open("wb")
        self._file.close()

    def drop(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)


def spooled(path: Path) -> Iterator[list[Row]]:
    """What was put, in the same pieces."""
    with path.open("rb") as file:
        while head := file.read(_LENGTH):
            yield _rows.decode(file.read(int.from_bytes(head)))


_encode: Callable[[object], bytes] = msgspec.msgpack.Encoder().encode
_rows: msgspec.msgpack.Decoder[list[Row]] = msgspec.msgpack.Decoder(list[Row])
