"""The first or last matching event: its stamp, and the span in which it lies in the window.

Example: "the last order was returned" keeps the last order, whatever its status, and a span that is empty
unless its status is `returned`. Of several with one time and one id it is enough if one was returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from livesegments.core.event import Event
from livesegments.core.frame import Frame, span
from livesegments.core.kind import Kind
from livesegments.core.where import Predicate
from livesegments.core.window import FOREVER

Found: TypeAlias = tuple[int, str, int, int]


class Occurrence(Kind[Found]):
    """State: [time, id, enter, leave] of the first or last matching event; enter = leave if it never is in,
    or is not as `has` wants it."""

    def __init__(self, frame: Frame, last: bool, has: Predicate | None = None) -> None:
        super().__init__(Found)
        self._frame, self._last, self._has = frame, last, has

    def add(self, state: Found | None, event: Event, now_ms: int) -> Found:
        stamp = event.time_ms, event.id
        if state is not None and stamp != state[:2] and (stamp < state[:2]) == self._last:
            return state
        enter, leave = span(self._frame, event.time_ms) or (0, 0)
        if self._has is not None and not self._has(event.properties, event.time_ms):
            enter = leave = 0
        if state is not None and stamp == state[:2] and state[2] < state[3]:
            return state
        return *stamp, enter, leave

    def value(self, state: Found | None, now_ms: int) -> bool:
        return state is not None and state[2] <= now_ms < state[3]

    def next_ms(self, state: Found | None, now_ms: int, edges: Sequence[int]) -> int | None:
        if state is None:
            return None
        _, _, enter, leave = state
        if now_ms < enter < leave:
            return enter
        return leave if now_ms < leave < FOREVER else None
