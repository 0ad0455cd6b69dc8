"""The result of a step of a partition."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from msgspec import Struct

from livesegments.core.bounds import Refusal
from livesegments.core.event import Event
from livesegments.core.step import Step
from livesegments.evaluator.faults.aside import Aside
from livesegments.store.commit import Commit
from livesegments.store.tail import Derived, Entry
from livesegments.store.told import Told
from livesegments.wire.pack import Packed, encode


def blank(event: Event) -> Event:
    """Stands in the tail where an event of an erased profile was, so that the others keep their places and
    their instants."""
    return Event("", "", "", "", event.time_ms)


NOTHING = Told((), 0)


class Outcome(Struct):
    """A commit to send and what to tell when it is applied."""

    commit: Commit
    transitions: Told = NOTHING
    events: int = 0
    duplicates: int = 0
    unknown_workspace: int = 0
    """Events of workspaces that are not in the catalogue."""
    suppressed: int = 0
    """Events of profiles that were erased."""
    refused: Sequence[tuple[int, Event, Refusal]] = ()
    """(place, event, bound): events that would have brought their profile beyond a bound, in order; nothing
    of them is applied."""
    aside: list[Aside] = []
    """Events and due times that could not be evaluated; they are published before the commit is sent."""
    handed: int = 0
    """Events taken over from merged profiles."""
    hands: bool = False
    """Whether it has something to be handed over."""
    state_bytes: int = 0
    """The length of the first state in it."""


class Tally:
    """What became of a record's events, by their places in it: what the tail and the metrics want to know.

    `clock_ms`: the clock before the first of them. `starts`: the places of the first events of the records
    that are applied together (`together`), 0 for one alone. `stamps`, in mode `wall`: (place, instant) of all
    but the first of them; before the event there the clock comes to that instant.
    """

    __slots__ = (
        "clock_ms", "derived", "duplicates", "left_out", "refused", "stamps", "starts", "suppressed",
        "unknown",
    )  # fmt: skip

    def __init__(
        self, clock_ms: int, starts: Sequence[int] = (), stamps: Sequence[tuple[int, int]] = ()
    ) -> None:
        self.clock_ms = clock_ms
        self.starts = starts
        self.stamps = stamps
        self.duplicates = 0
        self.refused: list[tuple[int, Event, Refusal]] = []
        self.left_out: list[int] = []
        self.suppressed: list[int] = []
        self.unknown: set[int] = set()
        self.derived: list[Derived] = []

    def leave_unknown(self, place: int) -> None:
        """An event of a workspace that is not in the catalogue; it does not move the clock."""
        self.unknown.add(place)
        self.left_out.append(place)

    def suppress(self, place: int) -> None:
        """An event of an erased profile."""
        self.suppressed.append(place)
        self.left_out.append(place)

    def leave(self, place: int, event: Event, step: Step) -> None:
        """An event that changed nothing: a repeat, or one beyond a bound."""
        if step.refused is not None:
            self.refuse(place, event, step.refused)
        else:
            self.left_out.append(place)
            self.duplicates += 1

    def refuse(self, place: int, event: Event, refusal: Refusal) -> None:
        """An event that would have brought its profile beyond a bound."""
        self.left_out.append(place)
        self.refused.append((place, event, refusal))

    def record_of(self, place: int) -> int:
        """Which of the records has the event there, from 1; 0 of what a merged profile hands over."""
        return bisect_right(self.starts, place)

    def clocks(self, events: Sequence[Event]) -> dict[int, int]:
        """Of each record (`record_of`) the clock after its last event."""
        clock_ms, stamps, found = self.clock_ms, dict(self.stamps), dict[int, int]()
        for place, event in enumerate(events):
            clock_ms = max(clock_ms, stamps.get(place, clock_ms))
            if place not in self.unknown:
                clock_ms = max(clock_ms, event.time_ms)
            found[self.record_of(place)] = clock_ms
        return found

    def entry(self, record: bytes, events: Sequence[Event]) -> Entry | None:
        """The record's part of history; None where nothing of it was applied."""
        if len(self.left_out) == len(events):
            return None
        if self.suppressed:
            gone = frozenset(self.suppressed)
            kept = [blank(event) if place in gone else event for place, event in enumerate(events)]
            record = encode(Packed(kept))
        still = [place for place in sorted(self.unknown) if events[place].time_ms > self.clock_ms]
        return Entry(record, self.left_out, self.clock_ms, still, self.derived, stamps=self.stamps)
