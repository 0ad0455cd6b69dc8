"""Counts, the facts that most events feed.

A sliding count needs only the N largest `leave`s, N being the highest count that a condition asks about:
any other event has left the window before those N have, so it never decides. A late event is put in its
place among them. Nothing retracts, so an unbounded or absolute window needs one total.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from msgspec import Raw

from livesegments.core.event import Event
from livesegments.core.frame import Absolute, Sliding
from livesegments.core.kind import Kept, Kind, edge_below
from livesegments.core.rows import Rows

PACKED = 64
"""From this many leaves on they are kept as packed integers, which are stored and read back as one block."""

Leaves: TypeAlias = "list[int] | array[int]"


class CountEver(Kind[int]):
    """State: how many."""

    def __init__(self, window: Absolute) -> None:
        super().__init__(int)
        self._from, self._to = window.from_ms, window.to_ms

    def add(self, state: int | None, event: Event, now_ms: int) -> int | None:
        if self._from <= event.time_ms < self._to:
            return (state or 0) + 1
        return state

    def without(self, state: int, events: Sequence[Event], rest: int | None, now_ms: int) -> int | None:
        gone = sum(self._from <= event.time_ms < self._to for event in events)
        return max(state - gone, 0) or None

    def value(self, state: int | None, now_ms: int) -> int:
        return state or 0

    def next_ms(self, state: int | None, now_ms: int, edges: Sequence[int]) -> int | None:
        return None


class CountSliding(Kind[Leaves]):
    """State: the `depth` largest leaves, ascending."""

    def __init__(self, window: Sliding, depth: int) -> None:
        super().__init__(list[int])
        assert window.enter is None
        self._window, self._leave, self._depth = window, window.leave, depth
        if depth > PACKED:
            self.decode = unpacked

    def add(self, state: Leaves | None, event: Event, now_ms: int) -> Leaves | None:
        return self.added(state, event, now_ms, ())[0]

    def added(
        self, state: Leaves | None, event: Event, now_ms: int, edges: Sequence[int]
    ) -> tuple[Leaves | None, int, int, int | None]:
        leave = self._leave(event.time_ms)
        if state:
            if state[0] <= now_ms:
                del state[: bisect_right(state, now_ms)]
            old = len(state)
        else:
            if leave <= now_ms:
                return state, 0, 0, None
            state, old = [], 0
        new = old
        if leave > now_ms:
            if not old or leave >= state[-1]:
                state.append(leave)
            else:
                insort(state, leave)
            if old == self._depth:
                del state[0]
            else:
                new += 1
                if new == PACKED:
                    state = array("q", state)
        at = bisect_right(edges, new)
        return state, old, new, state[-edges[at - 1]] if at and new else None

    def of_all(self, events: Sequence[Event], now_ms: int) -> Leaves | None:
        leave = self._leave
        leaves = sorted(moment for event in events if (moment := leave(event.time_ms)) > now_ms)
        leaves = leaves[-self._depth :]
        return array("q", leaves) if len(leaves) >= PACKED else leaves or None

    def of_rows(self, rows: Rows, now_ms: int) -> dict[int, Leaves]:
        leaves, depth, found = self._window.leaves(rows.times), self._depth, dict[int, Leaves]()
        for owner, first, end in rows.stretches():
            mine = leaves[first:end]
            mine.sort()
            if mine[0] <= now_ms:
                del mine[: bisect_right(mine, now_ms)]
            if len(mine) > depth:
                del mine[:-depth]
            if mine:
                found[owner] = array("q", mine) if len(mine) >= PACKED else mine
        return found

    def without(
        self, state: Leaves, events: Sequence[Event], rest: Leaves | None, now_ms: int
    ) -> Leaves | None:
        """A full state has let others go, so only as many of the rest can take its place."""
        del state[: bisect_right(state, now_ms)]
        full = len(state) == self._depth
        for leave in (self._leave(event.time_ms) for event in events):
            at = bisect_left(state, leave)
            if at < len(state) and state[at] == leave:
                del state[at]
            elif leave > now_ms and not full:
                raise Kept
        if full and len(state) < self._depth:
            if self.value(rest, now_ms) < self._depth:
                raise Kept
            return rest
        return state if len(state) >= PACKED or not isinstance(state, array) else list(state)

    def value(self, state: Leaves | None, now_ms: int) -> int:
        if not state:
            return 0
        return len(state) if state[0] > now_ms else len(state) - bisect_right(state, now_ms)

    def next_ms(self, state: Leaves | None, now_ms: int, edges: Sequence[int]) -> int | None:
        edge = edge_below(edges, self.value(state, now_ms))
        return state[-edge] if edge and state else None


def packed(state: object) -> memoryview:
    """Packed numbers (leaves, or of chunks) as msgpack stores them: 8 bytes each, little-endian."""
    assert isinstance(state, array), f"msgpack can't carry {type(state)}"
    return memoryview(_little(state))


_LIST = msgspec.msgpack.Decoder(list[int])
_BYTES = msgspec.msgpack.Decoder(bytes)
_BIN = frozenset((0xC4, 0xC5, 0xC6))
"""The first bytes of msgpack's type bin."""


def unpacked(raw: Raw | bytes) -> Leaves:
    """Leaves as they are stored, packed or as a list."""
    if memoryview(raw)[0] not in _BIN:
        return _LIST.decode(raw)
    leaves = array("q")
    leaves.frombytes(_BYTES.decode(raw))
    return _little(leaves)


def _little(leaves: array[int]) -> array[int]:
    if sys.byteorder == "big":
        leaves = array("q", leaves)
        leaves.byteswap()
    return leaves
