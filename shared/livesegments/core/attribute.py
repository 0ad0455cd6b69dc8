"""Attribute conditions: their truth, the clock's part in it, and the segments that a change of value may
flip.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import Any, TypeAlias

from livesegments.core.cuts import Cuts, Equals
from livesegments.core.definition import Attribute, Near
from livesegments.core.edition import Edition, own
from livesegments.core.exact import plain
from livesegments.core.reach import Facts, Guard, Reach
from livesegments.core.relative import span_of
from livesegments.core.value import kind, near, test, when_missing
from livesegments.core.value_list import encoded
from livesegments.core.window import FOREVER
from livesegments.core.words import CLOCK_OPS, ORDER_OPS

Truth: TypeAlias = Callable[[Any, int], bool]
"""(value, now) → holds."""


def truth(node: Attribute | Near, zone: tzinfo) -> Truth:
    """Any attribute condition; a value that can't be compared gives `when_missing`."""
    if isinstance(node, Near):
        inside = near(node.lat, node.lon, node.km)
        return lambda value, now: inside(value) is True
    without = when_missing(node)
    if node.op in CLOCK_OPS:
        spanned = span_of(node.op, node.value, zone)

        def holds_now(value: Any, now: int) -> bool:
            span = spanned(value, now)
            return without if span is None else span[0] <= now < span[1]

        return holds_now
    compare = test(node, zone)

    def holds(value: Any, now: int) -> bool:
        verdict = compare(value)
        return without if verdict is None else verdict

    return holds


class Question:
    """One condition that a change of value, or the clock, may flip, and whom that concerns."""

    def __init__(self, edition: Edition, answer: Any) -> None:
        self.edition = edition
        self.answer = answer
        self.reach = Reach(edition)

    def copied(self, edition: Edition) -> Question:
        made = Question(edition, self.answer)
        made.reach = self.reach.copied(edition)
        return made


class Watch:
    """Everything that a workspace's segments ask of one attribute; equal questions are asked once."""

    def __init__(self, edition: Edition, zone: tzinfo) -> None:
        self.edition = edition
        self._zone = zone
        self._equals = Equals(edition)
        self._cuts: dict[str, Cuts] = {}
        self._asked: dict[bytes, Question] = {}
        self._clocks: dict[bytes, Question] = {}

    def copied(self, edition: Edition) -> Watch:
        made = Watch(edition, self._zone)
        made._equals = self._equals.copied(edition)
        made._cuts, made._asked, made._clocks = dict(self._cuts), dict(self._asked), dict(self._clocks)
        return made

    def __bool__(self) -> bool:
        return bool(self._equals or self._cuts or self._asked)

    def add(self, node: Attribute | Near, position: int, guard: Guard | None) -> None:
        self._mark(node, position, guard, present=True)

    def discard(self, node: Attribute | Near, position: int, guard: Guard | None) -> None:
        """Takes out what was put in; the arguments are those that were given to `add`."""
        self._mark(node, position, guard, present=False)

    def _mark(self, node: Attribute | Near, position: int, guard: Guard | None, present: bool) -> None:
        if isinstance(node, Attribute):
            if node.op in ("eq", "in", "neq", "not_in") and node.value_list is None:
                self._equals.mark(node, position, guard, present)
                return
            if node.op in ORDER_OPS and not node.ignore_case:
                self._mark_cut(node, position, guard, present)
                return
        name = encoded(node)
        if isinstance(node, Attribute) and node.op in CLOCK_OPS:
            op, operand = node.op, node.value
            self._mark_question(
                self._clocks, name, lambda: span_of(op, operand, self._zone), position, guard, present
            )
        self._mark_question(self._asked, name, lambda: truth(node, self._zone), position, guard, present)

    def _mark_cut(self, node: Attribute, position: int, guard: Guard | None, present: bool) -> None:
        bounds = [plain(item) for item in node.value] if node.op == "between" else plain(node.value)
        sort = kind(bounds[0] if node.op == "between" else bounds)
        cuts = own(self._cuts, sort, self.edition, Cuts)
        cuts.mark(node.op, bounds, position, guard, when_missing(node), present)
        if not cuts:
            del self._cuts[sort]

    def _mark_question(
        self,
        into: dict[bytes, Question],
        name: bytes,
        answer: Callable[[], Any],
        position: int,
        guard: Guard | None,
        present: bool,
    ) -> None:
        question = own(into, name, self.edition, lambda edition: Question(edition, answer()))
        if present:
            question.reach.add(position, guard)
            return
        question.reach.discard(position, guard)
        if not question.reach:
            del into[name]

    def changed(self, old: Any, new: Any, now_ms: int, facts: Facts, into: set[int]) -> None:
        """Adds to `into` the positions of segments that going from `old` to `new` may flip."""
        self._equals.changed(old, new, facts, into)
        kinds = kind(old), kind(new)
        for sort, cuts in self._cuts.items():
            if sort in kinds:
                before, after = (plain(each) if kind(each) == sort else None for each in (old, new))
                cuts.changed(before, after, facts, into)
        for question in self._asked.values():
            if question.answer(old, now_ms) != question.answer(new, now_ms):
                question.reach.collect(facts, into)

    def due(self, value: Any, now_ms: int) -> int | None:
        """The next instant after now at which the clock alone may change a condition on `value`."""
        moves = []
        for question in self._clocks.values():
            span = question.answer(value, now_ms)
            if span is not None and span[0] < span[1]:
                moves += [move for move in span if now_ms < move < FOREVER]
        return min(moves, default=None)

    def ticked(self, facts: Facts, into: set[int]) -> None:
        """Adds the positions that the clock may flip."""
        for question in self._clocks.values():
            question.reach.collect(facts, into)
