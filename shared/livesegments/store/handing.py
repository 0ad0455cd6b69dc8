"""What the merged profiles of a partition still have to hand over: the stream `{p}:handing`.

The commit that merges a profile, or meets something that came for a merged one, writes one entry with its own
number as the id. So nothing is handed over of what was not applied, and nothing that was applied is
forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct

from livesegments.core.handed import Handed
from livesegments.wire.unreadable import reading


class Leaving(Struct, frozen=True, array_like=True, tag="l"):
    """A profile went into another by the event `merge`. `history`: it has some, which is still in archive and
    tail; that is handed over as `number`, and `seen` with it. Else the other is only told that it went."""

    workspace: str
    profile: str
    into: str
    merge: str
    number: int
    history: bool
    seen: bytes


class Back(Struct, frozen=True, array_like=True, tag="b"):
    """A profile that was merged is there again."""

    workspace: str
    profile: str


class Forget(Struct, frozen=True, array_like=True, tag="f"):
    """Other ids of a person who is erased are to be erased, too (`wire.pack.Erase`)."""

    workspace: str
    profiles: Sequence[str]
    at_once: bool
    root: str


class LetIn(Struct, frozen=True, array_like=True, tag="i"):
    """Other ids of a person who is let in again are let in, too: (partition, digest) of each."""

    workspace: str
    who: Sequence[tuple[int, str]]
    root: str


Item: TypeAlias = Leaving | Back | Handed | Forget | LetIn

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[list[Item]] = msgspec.msgpack.Decoder(list[Item])


def encode(items: Sequence[Item]) -> bytes:
    return _encoder.encode(items)


def decode(data: bytes) -> list[Item]:
    """Raises Unreadable."""
    with reading("what is to be handed over"):
        return _decoder.decode(data)
