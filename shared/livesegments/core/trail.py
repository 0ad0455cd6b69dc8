"""Sequences: conditions on the order of events.

A sequence is kept in parts. A trail holds the stamps (time, id) of the events that match a later step;
sequences with an equal step and window share it. A chain (modules `chain`, `absent`) holds the stamps of
the first step. So a common event that ends a thousand sequences (an order ends every abandoned cart) is
written once, and only the chains that the profile has begun are looked at.

Where does a new event at step j of a b c d matter? Going back from it, the latest stamp of each step
before it bounds the first events that it can follow; going on, the earliest of each step after it says
where the sequence ends. Both take one bisection a step, however many stamps there are.

A later step's stamp matters while a first event before it can be in the window. ⊕ with months is monotone
but for clipping at a month's end and clock changes, which `SLACK_MS` covers; fixed durations need none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeAlias

from livesegments.core import chunks
from livesegments.core.chunks import Chunks
from livesegments.core.entries import below, bounded, fitted, let_go, put
from livesegments.core.event import Event
from livesegments.core.frame import Frame, Sliding
from livesegments.core.kind import MAX_ENTRIES, Kind
from livesegments.core.rows import Rows
from livesegments.core.window import DAY_MS, Shift

SLACK_MS = 4 * DAY_MS
Stamp: TypeAlias = tuple[int, str]
"""(time in ms, event id)."""
Stamps: TypeAlias = list[Stamp] | Chunks[Stamp]
"""Ascending."""


class Trail(Kind[Stamps]):
    """State: the stamps of the events of a later step. Only chains read it."""

    def __init__(self, frame: Frame, within: Shift, months: bool) -> None:
        """`months`: whether the window or `within` is in months."""
        super().__init__(Stamps)
        self._frame, self._within = frame, within
        self._slack = SLACK_MS if months else 0

    def add(self, state: Stamps | None, event: Event, now_ms: int) -> Stamps | None:
        if not self.wants(event.time_ms, now_ms):
            return state
        stamps, stamp = state or [], (event.time_ms, event.id)
        put(stamps, stamp, stamp)
        if not self.wants(stamps[0][0], now_ms):
            let_go(stamps, lambda time_ms: not self.wants(time_ms, now_ms))
        if isinstance(stamps, list) and len(stamps) <= chunks.LISTED:
            return stamps
        return bounded(stamps, MAX_ENTRIES)

    def of_all(self, events: Sequence[Event], now_ms: int) -> Stamps | None:
        wanted = self.wants
        stamps = [(event.time_ms, event.id) for event in events if wanted(event.time_ms, now_ms)]
        return fitted(stamps[-MAX_ENTRIES:]) or None

    def of_rows(self, rows: Rows, now_ms: int) -> dict[int, Stamps]:
        wanted, evenly = self.wants, isinstance(self._frame, Sliding) and self._frame.fixed_ms > 0
        stamps, found = list(zip(rows.times, rows.ids, strict=True)), dict[int, Stamps]()
        for owner, first, end in rows.stretches():
            mine = stamps[first:end]
            if not (evenly and wanted(mine[0][0], now_ms)):
                mine = [stamp for stamp in mine if wanted(stamp[0], now_ms)]
            if mine:
                found[owner] = fitted(mine[-MAX_ENTRIES:])
        return found

    def wants(self, time_ms: int, now_ms: int) -> bool:
        """Whether an event at that time can still matter."""
        if isinstance(self._frame, Sliding):
            return self._frame.leave(time_ms) + self._slack > now_ms
        return self._frame.from_ms <= time_ms <= self._within(self._frame.to_ms) + self._slack

    def value(self, state: Stamps | None, now_ms: int) -> None:
        return None

    def next_ms(self, state: Stamps | None, now_ms: int, edges: Sequence[int]) -> int | None:
        return None


def latest_before(stamp: Stamp, trails: Sequence[Stamps]) -> Stamp | None:
    """Going back through trails, the last of them first, the latest stamp of each; that of the first trail.

    First events before it, and no others, are followed by all trails in order and then by `stamp`.
    """
    for stamps in reversed(trails):
        before = below(stamps, stamp)
        if before is None:
            return None
        stamp = before
    return stamp


def earliest_after(stamp: Stamp, trails: Sequence[Stamps]) -> Stamp | None:
    """Going on through trails, the earliest stamp of each after the one before; that of the last trail."""
    for stamps in trails:
        after = next_after(stamp, stamps)
        if after is None:
            return None
        stamp = after
    return stamp


def next_after(stamp: Stamp, stamps: Stamps) -> Stamp | None:
    if isinstance(stamps, list):
        index = bisect_right(stamps, stamp)
        return stamps[index] if index < len(stamps) else None
    return stamps.at_least((*stamp, ""))
