"""What a profile that has gone into another hands over to it (module `merging`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct

from livesegments.core.event import Event
from livesegments.core.kin import Place

Hop: TypeAlias = tuple[str, str]
"""A profile that a record went through, and the id of the `$merge` by which that profile is gone."""


class Handed(Struct, frozen=True, array_like=True, tag="h"):
    """A record of topic `events`, by the owner of the profile that is gone.

    `profile` is the other, and that of the events. `via`: the profiles that it comes through; the last one
    has sent it, as `number` and `chunk` of what it sends. `history`: it happened before the `$merge`, and is
    judged at once; `seen`, at its end, is what the sender has seen (module `dedup`). Otherwise the events
    came later. Without history and events it says no more than that the sender has gone into `profile`.
    """

    workspace: str
    profile: str
    via: Sequence[Hop]
    number: int
    chunk: int
    events: Sequence[Event]
    history: bool = False
    seen: bytes = b""

    @property
    def sender(self) -> str:
        return self.via[-1][0]

    @property
    def merge(self) -> str:
        """The id of the `$merge` by which the sender has gone into `profile`."""
        return self.via[-1][1]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to take over."""
        return not self.history and not self.events

    @property
    def round(self) -> bool:
        """Whether it went round: it comes to a profile, or has come to one, for the second time."""
        names = [self.profile, *(name for name, _ in self.via)]
        return len({*names}) < len(names)

    @property
    def place(self) -> Place:
        return self.number, self.chunk
