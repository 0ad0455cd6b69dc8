"""What the api asks of the process that queries history, and what that answers: msgpack behind its length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec
from msgspec import Struct

from livesegments.core.definition import Node


class Asked(Struct, frozen=True, tag=True):
    """Who fulfils a definition at an instant; `now_ms` None: at the newest instant of the partitions' clocks.

    definition  None: the static segment `segment`
    segments    those of the workspace that it depends on: id → definition, or the version of a static one
    before      the definition that it would replace: whom the change concerns is answered too
    sample      so many profiles of every kind at most
    after       members that sort behind it, `limit` of them at most, in order
    """

    workspace: str
    timezone: str
    now_ms: int | None
    definition: Node | None
    segments: Mapping[str, Node | int]
    segment: str | None = None
    before: Node | None = None
    sample: int = 0
    after: str | None = None
    limit: int = 0


class Was(Struct, frozen=True, tag=True):
    """The newest transition of a profile and a segment up to an instant; None: of now."""

    workspace: str
    profile: str
    segment: str
    now_ms: int | None


Request: TypeAlias = Asked | Was


class Sampled(Struct, frozen=True):
    """A profile with the truth and the compared value (JSON text, or None) of every node."""

    profile: str
    holds: list[bool]
    values: list[str | None]


class Found(Struct, frozen=True, tag=True):
    """`nodes`: JSON pointer of every node, and for how many profiles it holds, the whole definition first."""

    at_ms: int
    profiles: int
    nodes: list[tuple[str, int]]
    sample: list[Sampled]
    entering: int = 0
    leaving: int = 0
    sample_entering: list[Sampled] = []
    sample_leaving: list[Sampled] = []
    members: list[str] = []
    more: bool = False


class Transitioned(Struct, frozen=True):
    kind: str
    at_ms: int
    cause: str
    version: int
    event_id: str | None


class WasFound(Struct, frozen=True, tag=True):
    at_ms: int
    last: Transitioned | None


class Failed(Struct, frozen=True, tag=True):
    """The store or the files are away."""

    error: str


Answer: TypeAlias = Found | WasFound | Failed

LENGTH = 4
encode = msgspec.msgpack.Encoder().encode
requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
