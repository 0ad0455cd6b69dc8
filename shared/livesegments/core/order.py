"""The states of new facts that are wanted of everybody's history, as data (module `bulk` makes them)."""

from __future__ import annotations

from msgspec import Struct

from livesegments.core.definition import Computed, Node, Occurrence
from livesegments.core.definition import Event as EventCondition
from livesegments.core.definition import Sequence as SequenceCondition


class Part(Struct, frozen=True):
    """A leaf whose facts are wanted, of a segment; `edges` as the plan will have them for the leaf's fact
    once the segments that wait are served."""

    leaf: EventCondition | Occurrence | SequenceCondition | Computed
    segment: str
    edges: list[int]


class Order(Struct, frozen=True):
    """What is to be made: of events up to the commit `upto`, as of the instant `now_ms`.

    `needed`: segment → what must hold for whoever is in it, and reads nothing but the facts that are made
    (module `needed`). It holds for nobody without events.
    """

    parts: list[Part]
    timezone: str
    upto: int
    now_ms: int
    needed: dict[str, Node] = {}
