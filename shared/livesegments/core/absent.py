"""Sequences whose last step must stay away: an abandoned cart, a trial without a purchase.

From a first event e1 such a sequence holds from e1 ⊕ within on (or from when e1 enters the window, if that is
later) until e1 leaves the window, if it is complete then: the steps before the last came in time, and after
their latest possible end nothing came that should stay away.

While events come in order, nothing after e1 ⊕ within changes that. So a first event is *open* until the
clock comes to the instant at which the sequence would begin to hold, and it is looked at once, at that
instant. From there on it is *decided*; only an event that is late can break or mend it. Where there is no
step between (cart, then no order), the event that should stay away ends all first events before it for
good, and they are let go at once.

`until` is how long it holds by any of the decided first events, and `best` is the first event by which it
does.

In order, an event costs one bisection a step. A late one looks at the decided first events whose
e1 ⊕ within lies after it, newest first until one is complete: at worst at all that are kept
(`MAX_ENTRIES`), one bisection a step each.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from livesegments.core import chunks
from livesegments.core.chain import Chain
from livesegments.core.chunks import Chunks
from livesegments.core.entries import (
    Entries,
    at_least,
    below,
    few,
    fitted,
    let_go,
    listed,
    pop_first,
    remove,
    until,
    without,
)
from livesegments.core.event import Event
from livesegments.core.frame import Frame, Sliding, span
from livesegments.core.kind import MAX_ENTRIES
from livesegments.core.rows import Rows
from livesegments.core.trail import Stamp, Stamps, next_after
from livesegments.core.window import FOREVER, Shift, Span

Open: TypeAlias = tuple[int, int, str]
"""(the instant at which it would begin to hold, time, id)."""
LOOKED_AT = 4
"""At most this many open first events are looked at for the next due instant; with more of them a due time
may fire though nothing changes."""


class Awaited(Struct, array_like=True):
    """
    open     first events that the clock has not decided yet, ascending
    decided  those that it has and that are in the window; without steps between, only complete ones
    until    it holds until then, if that is not past
    best     which first event makes it hold until then
    due_ms   the next instant to be looked at
    old      the spans of a state that was stored in an older shape and not looked at since
    """

    open: list[Open] | Chunks[Open]
    decided: Stamps
    until: int = 0
    best: Stamp | None = None
    due_ms: int | None = None
    old: list[Span] | None = None


class Absent(Chain[Awaited]):
    """A sequence whose last step is absent. `between`: whether there are steps between first and last."""

    def __init__(self, frame: Frame, within: Shift, months: bool, between: bool) -> None:
        super().__init__(Awaited, frame, within, months)
        self._between = between

    def add(self, state: Awaited | None, event: Event, now_ms: int) -> Awaited | None:
        counted = self._span(event.time_ms)
        if counted is None or counted[1] <= now_ms:
            return state
        state = state or Awaited([], [])
        entry = counted[0], event.time_ms, event.id
        if isinstance(state.open, list):
            insort(state.open, entry)
        else:
            state.open.put(entry, entry)
        self._bound(state)
        return state

    def begun(self, events: Sequence[Event], trails: Sequence[Stamps], now_ms: int) -> Awaited | None:
        if self._between or len(events) > MAX_ENTRIES:
            return super().begun(events, trails, now_ms)
        firsts = [(event.time_ms, event.id) for event in events]
        return self._begun(firsts, listed(trails[-1]), now_ms)

    def begun_rows(
        self, rows: Rows, trails: Sequence[Mapping[int, Stamps]], now_ms: int
    ) -> dict[int, Awaited]:
        if self._between:
            return super().begun_rows(rows, trails, now_ms)
        stamps, found = list(zip(rows.times, rows.ids, strict=True)), dict[int, Awaited]()
        for owner, first, end in rows.stretches():
            away = listed(trails[-1].get(owner, []))
            if end - first > MAX_ENTRIES:
                state = self.begun(rows.events(first, end), [away], now_ms)
            else:
                state = self._begun(stamps[first:end], away, now_ms)
            if state is not None:
                found[owner] = state
        return found

    def _begun(self, firsts: Sequence[Stamp], away: list[Stamp], now_ms: int) -> Awaited | None:
        """Without steps between; `firsts` ascend, and `away` has all that should have stayed away."""
        span, within, opened, decided = self._span, self._within, list[Open](), list[Stamp]()
        counts, latest, best = False, 0, None
        for first in firsts:
            time_ms, id_ = first
            counted = span(time_ms)
            if counted is None or counted[1] <= now_ms:
                continue
            counts = True
            if away:
                index = bisect_right(away, first)
                if index < len(away) and away[index][0] <= within(time_ms):
                    continue
            enter, leave = counted
            if enter > now_ms:
                opened.append((enter, time_ms, id_))
                continue
            decided.append(first)
            if leave > latest:
                latest, best = leave, first
        if not counts:
            return None
        opened.sort()
        state = Awaited(fitted(opened), fitted(decided), latest, best)
        state.due_ms = self._due(state, [away], now_ms)
        return state

    def follow(
        self,
        state: Awaited,
        event: Event,
        first: bool,
        at: Collection[int],
        trails: Sequence[Stamps],
        now_ms: int,
    ) -> None:
        stamp = event.time_ms, event.id
        self._adopt_old(state, trails)
        last = len(trails) - 1
        if first and not self._between:
            self._end_if_late(state, stamp, trails)
        if last in at:
            if self._between:
                self._break(state, stamp, trails)
            else:
                self._end(state, stamp)
        if any(index != last for index in at):
            self._mend(state, stamp, trails)
        self.settle(state, trails, now_ms)

    def single(self, stamp: Stamp) -> Awaited:
        until = self._leave(stamp[0])
        return Awaited([], [stamp], until, stamp, until if until < FOREVER else None)

    def settle(self, state: Awaited, trails: Sequence[Stamps], now_ms: int) -> None:
        self._adopt_old(state, trails)
        if state.open and state.open[0][0] <= now_ms:
            for _, time_ms, id_ in until(state.open, now_ms):
                self._decide(state, (time_ms, id_), trails, now_ms)
            if not isinstance(state.open, list):
                state.open = fitted(state.open)
        if state.decided and self._leave(state.decided[0][0]) <= now_ms:
            let_go(state.decided, lambda time_ms: self._leave(time_ms) <= now_ms)
            state.decided = fitted(state.decided)
        state.due_ms = self._due(state, trails, now_ms)

    def value(self, state: Awaited | None, now_ms: int) -> bool:
        if state is None:
            return False
        if state.old is not None:
            return any(enter <= now_ms < leave for enter, leave in state.old)
        return now_ms < state.until

    def next_ms(self, state: Awaited | None, now_ms: int, edges: Sequence[int]) -> int | None:
        if state is None:
            return None
        if state.old is not None:
            moves = (move for part in state.old for move in part if now_ms < move < FOREVER)
            return min(moves, default=None)
        return state.due_ms

    # -- what an event does to first events

    def _decide(self, state: Awaited, first: Stamp, trails: Sequence[Stamps], now_ms: int) -> None:
        leave = self._leave(first[0])
        if leave <= now_ms:
            return
        if isinstance(state.decided, list):
            insort(state.decided, first)
            if len(state.decided) > chunks.LISTED:
                state.decided = fitted(state.decided)
        else:
            state.decided.put(first, first)
        if leave > state.until and (not self._between or self._complete(first, trails)):
            state.until, state.best = leave, first

    def _end_if_late(self, state: Awaited, first: Stamp, trails: Sequence[Stamps]) -> None:
        """A first event after which the event that should stay away has come already."""
        if not self._complete(first, trails):
            counted = self._span(first[0])
            entry = (counted[0], *first) if counted else None
            if entry and at_least(state.open, entry) == entry:
                remove(state.open, entry)

    def _end(self, state: Awaited, stamp: Stamp) -> None:
        """The event that should stay away has come: it ends the first events for which it is in time."""
        state.open = self._survive(state.open, stamp, 1)
        state.decided = self._survive(state.decided, stamp, 0)
        if state.best is not None and self._concerns(stamp, state.best):
            self._find_best(state, None)

    def _survive(self, entries: Entries[Any], stamp: Stamp, skip: int) -> Entries[Any]:
        """Those that it doesn't end; `skip` is where an entry's stamp begins."""
        within, gone = self._within, []
        for entry in reversed(entries):
            first = entry[skip:]
            if first < stamp:
                last_ms = within(first[0])
                if last_ms >= stamp[0]:
                    gone.append(entry)
                elif last_ms + self._slack < stamp[0]:
                    break
        return without(entries, gone) if gone else entries

    def _break(self, state: Awaited, stamp: Stamp, trails: Sequence[Stamps]) -> None:
        best = state.best
        if best is None or not self._concerns(stamp, best) or self._complete(best, trails):
            return
        self._find_best(state, trails)

    def _find_best(self, state: Awaited, trails: Sequence[Stamps] | None) -> None:
        """`trails` where a decided first event may be incomplete."""
        state.until, state.best = 0, None
        for first in reversed(state.decided):
            leave = self._leave(first[0])
            if leave + self._slack <= state.until:
                break
            if leave > state.until and (trails is None or self._complete(first, trails)):
                state.until, state.best = leave, first

    def _mend(self, state: Awaited, stamp: Stamp, trails: Sequence[Stamps]) -> None:
        """A step between that is late may complete decided first events."""
        for first in reversed(state.decided):
            if first >= stamp:
                continue
            if self._within(first[0]) + self._slack < stamp[0]:
                break
            leave = self._leave(first[0])
            if leave + self._slack <= state.until:
                break
            if leave > state.until and self._complete(first, trails):
                state.until, state.best = leave, first

    # -- one first event

    def _concerns(self, stamp: Stamp, first: Stamp) -> bool:
        return first < stamp and stamp[0] <= self._within(first[0])

    def _complete(self, first: Stamp, trails: Sequence[Stamps]) -> bool:
        end = self._within(first[0]) + 1, ""
        at = first
        if self._between:
            for stamps in trails[:-1]:
                after = next_after(at, stamps)
                if after is None or after >= end:
                    return False
                at = after
            # The latest end leaves the least time in which what should stay away could come.
            at = below(trails[-2], end) or at
        after = next_after(at, trails[-1])
        return after is None or after >= end

    def _span(self, time_ms: int) -> Span | None:
        counted = span(self._frame, time_ms)
        if counted is None:
            return None
        enter, leave = max(counted[0], self._within(time_ms)), counted[1]
        return (enter, leave) if enter < leave else None

    def _leave(self, time_ms: int) -> int:
        """Of one that is kept: only those with a span are."""
        return self._frame.leave(time_ms) if isinstance(self._frame, Sliding) else FOREVER

    # -- the whole state

    def _due(self, state: Awaited, trails: Sequence[Stamps], now_ms: int) -> int | None:
        if state.until > now_ms:
            return state.until if state.until < FOREVER else None
        if not self._between:
            return state.open[0][0] if state.open else None
        for begins, time_ms, id_ in few(state.open, LOOKED_AT):
            if self._complete((time_ms, id_), trails):
                return begins
        return state.open[LOOKED_AT][0] if len(state.open) > LOOKED_AT else None

    def _bound(self, state: Awaited) -> None:
        if len(state.open) > chunks.LISTED:
            state.open = fitted(state.open)
        beyond = len(state.open) + len(state.decided) - MAX_ENTRIES
        if beyond > 0:
            old = min(beyond, len(state.decided))
            pop_first(state.decided, old)
            pop_first(state.open, beyond - old)

    def _from_old(self, firsts: list[Stamp], spans: list[Span]) -> Awaited:
        found = [(counted[0], *first) for first in firsts if (counted := self._span(first[0]))]
        return Awaited(sorted(found), [], old=spans)

    def _adopt_old(self, state: Awaited, trails: Sequence[Stamps]) -> None:
        """Ends the older shape: what it had decided is decided again, now that the trails are there."""
        if state.old is None:
            return
        state.old = None
        if not self._between:
            state.open = [entry for entry in state.open if self._complete((entry[1], entry[2]), trails)]
