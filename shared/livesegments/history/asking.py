"""What the api asks of the process that queries history, and what that answers, in msgpack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct

from livesegments.core.declared import Declared
from livesegments.core.definition import Node
from livesegments.history.sql.relations import Lane


class Asked(Struct, frozen=True, tag=True):
    """Who fulfils a definition at an instant; `now_ms` None: at the newest instant of the partitions' clocks.

    definition  None: the static segment `segment`
    segments    those of the workspace that it depends on: id → definition, or the version of a static one
    before      the definition that it would replace: whom the change concerns is answered too
    sample      at most this many profiles of every kind are answered
    after       members that sort behind it, `limit` of them at most, in order
    one_of      only the profiles of the partition of this number; None: of all partitions
    weighed     the events of these names, of `WEIGHED` profiles at most that are drawn by their ids, of many
                profiles from those of one partition
    counted     so many different values at most of the attribute that is the whole definition
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
    one_of: int | None = None
    weighed: Sequence[str] = ()
    counted: int = 0


class Was(Struct, frozen=True, tag=True):
    """Whether a profile was in a segment at an instant, and why; None: now.

    definition  by which it is said why, None: of the static segment; `segments` as in `Asked`
    events      so many of the events behind a condition at most
    """

    workspace: str
    timezone: str
    profile: str
    segment: str
    now_ms: int | None
    definition: Node | None
    segments: Mapping[str, Node | int]
    events: int = 0


class Flowing(Struct, frozen=True, tag=True):
    """Who entered and left a segment in the last `days` days of the workspace, today among them."""

    workspace: str
    timezone: str
    segment: str
    days: int
    now_ms: int | None


class Fitting(Struct, frozen=True, tag=True):
    """Which values of an attribute, as profiles have it now, a declaration would refuse."""

    workspace: str
    timezone: str
    attribute: str
    declared: Declared
    now_ms: int | None = None


class Preparing(Struct, frozen=True, tag=True):
    """What a preview of now needs, whatever its definition: of one partition, to be read and kept.

    lanes  what it likely reads, the likeliest first
    """

    workspace: str
    timezone: str
    partition: int
    lanes: Sequence[Lane] = ()


Request: TypeAlias = Asked | Was | Flowing | Fitting | Preparing


class Sampled(Struct, frozen=True):
    """A profile with the truth and the compared value (JSON text, or None) of every node."""

    profile: str
    holds: list[bool]
    values: list[str | None]


class Behind(Struct, frozen=True):
    """An event that a condition counts; `properties` is JSON text."""

    id: str
    name: str
    time_ms: int
    properties: str


class Sent(Struct, frozen=True):
    """A profile's events of the names that were asked for."""

    profile: str
    events: list[Behind]


class Found(Struct, frozen=True, tag=True):
    """`nodes`: JSON pointer of every node, and for how many profiles it holds, the whole definition first.

    `lacking`: JSON pointer of every condition of an attribute, and how many profiles lack it.
    `values`: JSON text of different values, and how many members have each, the most frequent first.
    """

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
    lacking: list[tuple[str, int]] = []
    sent: list[Sent] = []
    values: list[tuple[str, int]] = []


class Transitioned(Struct, frozen=True):
    kind: str
    at_ms: int
    cause: str
    version: int
    event_id: str | None


class Seen(Struct, frozen=True):
    """A node as it was of one profile: truth, compared value (JSON text, or None), events, newest first."""

    pointer: str
    holds: bool
    value: str | None
    events: list[Behind]


class WasFound(Struct, frozen=True, tag=True):
    """`last`: the newest transition by then. `nodes`: empty where the profile had done nothing by then."""

    at_ms: int
    last: Transitioned | None
    nodes: list[Seen]


class Moved(Struct, frozen=True):
    """How many entered or exited on a day, by one cause. `day` counts from 1 January 1970."""

    day: int
    kind: str
    cause: str
    count: int


class FlowFound(Struct, frozen=True, tag=True):
    """`size`: members now, at the end of `today` so far."""

    at_ms: int
    today: int
    size: int
    moves: list[Moved]


class Misfitting(Struct, frozen=True):
    """`value` is JSON text, `told` says what it must be; `profiles` have it."""

    value: str
    told: str
    profiles: int


class FitFound(Struct, frozen=True, tag=True):
    """Of the profiles that have the attribute: `fit` as they are, `read` as another value, `odd` not at all.

    `sample` has the most frequent odd values."""

    at_ms: int
    fit: int
    read: int
    odd: int
    sample: list[Misfitting]


class Prepared(Struct, frozen=True, tag=True):
    """`kept`: whether it is. It isn't where all partitions would need more than there may be."""

    kept: bool


class Failed(Struct, frozen=True, tag=True):
    """The store or the files are away."""

    error: str


Answer: TypeAlias = Found | WasFound | FlowFound | FitFound | Prepared | Failed

encode = msgspec.msgpack.Encoder().encode
requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
