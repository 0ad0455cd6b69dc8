"""The result of a step of a partition."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from livesegments.core.bounds import Refusal
from livesegments.core.event import Event, Transition
from livesegments.core.step import Step
from livesegments.evaluator.aside import Aside
from livesegments.store.commit import Commit
from livesegments.store.tail import Derived, Entry
from livesegments.wire.pack import Packed, encode

BLANK = Event("", "", "", "", 0)
"""Stands in the tail where an event of an erased profile was, so that the others keep their places."""


class Outcome(Struct):
    """A commit to send and what to tell when it is applied."""

    commit: Commit
    transitions: list[Transition]
    events: int = 0
    duplicates: int = 0
    unknown_workspace: int = 0
    """Events of workspaces that are not in the catalogue."""
    suppressed: int = 0
    """Events of profiles that were erased."""
    refused: Sequence[tuple[Event, Refusal]] = ()
    """Events that would have brought their profile beyond a bound, in order; nothing of them is applied."""
    aside: list[Aside] = []
    """What could not be evaluated; to be published before the commit is sent."""
    state_bytes: int = 0
    """The length of the first state in it."""


class Tally:
    """What became of a record's events, by their places in it: what the tail and the metrics want to know."""

    __slots__ = ("clocks", "derived", "duplicates", "left_out", "refused", "suppressed", "unknown_workspace")

    def __init__(self) -> None:
        self.duplicates = 0
        self.unknown_workspace = 0
        self.refused: list[tuple[Event, Refusal]] = []
        self.left_out: list[int] = []
        self.suppressed: list[int] = []
        self.derived: list[Derived] = []
        self.clocks: list[int] = []

    def unknown(self, place: int, clock_ms: int) -> None:
        """An event of a workspace that is not in the catalogue."""
        self.unknown_workspace += 1
        self.left_out.append(place)
        self.clocks.append(clock_ms)

    def suppress(self, place: int) -> None:
        """An event of an erased profile."""
        self.suppressed.append(place)
        self.left_out.append(place)

    def left(self, place: int, event: Event, step: Step) -> None:
        """An event that changed nothing: a repeat, or one beyond a bound."""
        self.left_out.append(place)
        if step.refused is not None:
            self.refused.append((event, step.refused))
        else:
            self.duplicates += 1

    def entry(self, record: bytes, events: Sequence[Event]) -> Entry | None:
        """The record's part of history; None where nothing of it was applied."""
        clocks = self.clocks
        if self.suppressed:
            gone = frozenset(self.suppressed)
            kept = [BLANK if place in gone else event for place, event in enumerate(events)]
            record = encode(Packed(kept))
        if len(self.left_out) == len(clocks):
            return None
        at_ms = clocks[0] if clocks[0] == clocks[-1] else clocks
        return Entry(record, self.left_out, at_ms, self.derived)
