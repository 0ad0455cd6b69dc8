"""A kind whose value conditions may ask about relative to now: the value moves by its window, and the answer
by the clock besides.

Example: `computed:last_order_at older_than 30d`. Where the last order was on 1 May, the fact's next due time
is 31 May, although nothing leaves a window then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from livesegments.core.event import Event
from livesegments.core.kind import Kind
from livesegments.core.window import FOREVER


class Valued(Kind[Any]):
    """Another kind's state and value. Its `edges` are no counts: each says, as `relative.SpanOf`, around or
    after now when some condition holds for a value."""

    def __init__(self, inner: Kind[Any], zone: tzinfo) -> None:
        self._inner = inner
        self.zone = zone
        self.decode = inner.decode

    def add(self, state: Any, event: Event, now_ms: int) -> Any:
        return self._inner.add(state, event, now_ms)

    def of_all(self, events: Sequence[Event], now_ms: int) -> Any:
        return self._inner.of_all(events, now_ms)

    def value(self, state: Any, now_ms: int) -> Any:
        return self._inner.value(state, now_ms)

    def next_ms(self, state: Any, now_ms: int, edges: Sequence[Any]) -> int | None:
        own = self._inner.next_ms(state, now_ms, ())
        if not edges:
            return own
        moves = [] if own is None else [own]
        value = self._inner.value(state, now_ms)
        for around in edges:
            span = around(value, now_ms)
            if span is not None and span[0] < span[1]:
                moves += [move for move in span if now_ms < move < FOREVER]
        return min(moves, default=None)
