"""The segments that a change of a fact may flip, as a plan has them: by edges, by cuts, or all of them."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import Any, Self

import msgspec

from livesegments.core import computed_value
from livesegments.core.attribute import Question
from livesegments.core.chain import Chain
from livesegments.core.cuts import Cuts
from livesegments.core.definition import Computed, Event, Occurrence, Sequence
from livesegments.core.edition import Edition, own
from livesegments.core.exact import exact
from livesegments.core.fact import EventLeaf, Fact, edges
from livesegments.core.kind import Kind
from livesegments.core.reach import Facts, Guard, Reach, mark
from livesegments.core.value import when_missing
from livesegments.core.valued import Valued
from livesegments.core.words import POSITIVE, PRESENCE_OPS, VALUES, WHOLE


class Track:
    """A fact in a plan: where its state goes, how it is kept, whom it concerns."""

    __slots__ = ("edges", "edition", "fact", "id", "kind", "owner", "reach")
    linked = False
    clocks = False
    """Whether conditions on the value are relative to now, so that the clock alone may flip them."""

    def __init__(self, edition: Edition, fact: Fact) -> None:
        self.edition = edition
        self.fact = fact
        self.id: int = fact.id
        self.kind: Kind[Any] = fact.kind
        self.owner = fact.owner
        self.reach = Reach(edition)
        self.edges: list[int] = []

    def copied(self, edition: Edition) -> Self:
        made = type(self)(edition, self.fact)
        made.reach = self.reach.copied(edition)
        return made

    def add(self, leaf: EventLeaf, position: int, guard: Guard | None) -> None:
        self.reach.add(position, guard)

    def discard(self, leaf: EventLeaf, position: int, guard: Guard | None) -> None:
        """Takes out what was put in; the arguments are those that were given to `add`."""
        self.reach.discard(position, guard)

    def changed(self, old: Any, new: Any, facts: Facts, into: set[int]) -> None:
        """Adds to `into` the positions that going from `old` to `new` (they differ) may flip."""
        self.reach.collect(facts, into)

    def ticked(self, facts: Facts, into: set[int]) -> None:
        """Adds the positions that the clock alone may flip, though the value stays as it is."""


class Counted(Track):
    """Counts, days, distinct: whole numbers, so each edge between two of them has its segments."""

    __slots__ = ("_at",)

    def __init__(self, edition: Edition, fact: Fact) -> None:
        super().__init__(edition, fact)
        self._at: dict[int, Reach] = {}

    def copied(self, edition: Edition) -> Self:
        made = super().copied(edition)
        made._at, made.edges = dict(self._at), self.edges
        return made

    def add(self, leaf: EventLeaf, position: int, guard: Guard | None) -> None:
        self._mark(leaf, position, guard, present=True)

    def discard(self, leaf: EventLeaf, position: int, guard: Guard | None) -> None:
        self._mark(leaf, position, guard, present=False)

    def _mark(self, leaf: EventLeaf, position: int, guard: Guard | None, present: bool) -> None:
        before = len(self._at)
        for edge in leaf_edges(leaf):
            mark(self._at, edge, position, guard, self.edition, present)
        if len(self._at) != before:
            self.edges = sorted(self._at)

    def changed(self, old: Any, new: Any, facts: Facts, into: set[int]) -> None:
        if new - old == 1:
            reach = self._at.get(new)
            if reach is not None:
                reach.collect(facts, into)
            return
        if new < old:
            old, new = new, old
        for edge in self.edges[bisect_right(self.edges, old) : bisect_right(self.edges, new)]:
            self._at[edge].collect(facts, into)


class Measured(Track):
    """Sums, averages, extremes: exact amounts, None where undefined."""

    __slots__ = ("_cuts",)

    def __init__(self, edition: Edition, fact: Fact) -> None:
        super().__init__(edition, fact)
        self._cuts = Cuts(edition)

    def copied(self, edition: Edition) -> Self:
        made = super().copied(edition)
        made._cuts = self._cuts.copied(edition)
        return made

    def add(self, leaf: EventLeaf, position: int, guard: Guard | None) -> None:
        self._mark(leaf, position, guard, present=True)

    def discard(self, leaf: EventLeaf, position: int, guard: Guard | None) -> None:
        self._mark(leaf, position, guard, present=False)

    def _mark(self, leaf: EventLeaf, position: int, guard: Guard | None, present: bool) -> None:
        if isinstance(leaf, Event):
            self._cuts.mark(leaf.op, bound(leaf), position, guard, present=present)
            return
        assert isinstance(leaf, Computed)
        asked = leaf.asked
        if asked is None:
            return
        if asked.op in PRESENCE_OPS:
            self._cuts.mark_presence(position, guard, present)
            return
        bounds = computed_value.numbers(asked, Fraction if leaf.measure.of == "avg" else exact)
        without = when_missing(asked)
        if asked.op == "between":
            self._cuts.mark("between", bounds, position, guard, without, present)
            return
        op = {"in": "eq", "not_in": "neq"}.get(asked.op, asked.op)
        for each in bounds:
            self._cuts.mark(op, each, position, guard, without, present)

    def changed(self, old: Any, new: Any, facts: Facts, into: set[int]) -> None:
        self._cuts.changed(old, new, facts, into)


class ValuedTrack(Track):
    """First, last and most frequent values, and dates: any change of the value concerns all who ask about it.

    Its `edges` are those of its kind, module `valued`.
    """

    __slots__ = ("_clocks",)

    def __init__(self, edition: Edition, fact: Fact) -> None:
        super().__init__(edition, fact)
        self._clocks: dict[bytes, Question] = {}

    @property
    def clocks(self) -> bool:  # type: ignore[override]
        return bool(self._clocks)

    def copied(self, edition: Edition) -> Self:
        made = super().copied(edition)
        made._clocks, made.edges = dict(self._clocks), self.edges
        return made

    def add(self, leaf: EventLeaf, position: int, guard: Guard | None) -> None:
        self._mark(leaf, position, guard, present=True)

    def discard(self, leaf: EventLeaf, position: int, guard: Guard | None) -> None:
        self._mark(leaf, position, guard, present=False)

    def _mark(self, leaf: EventLeaf, position: int, guard: Guard | None, present: bool) -> None:
        assert isinstance(leaf, Computed) and isinstance(self.kind, Valued)
        if leaf.asked is None:
            return
        (self.reach.add if present else self.reach.discard)(position, guard)
        around = computed_value.clock(leaf, self.kind.zone)
        if around is None:
            return
        name = msgspec.json.encode((leaf.asked.op, leaf.asked.value))
        question = own(self._clocks, name, self.edition, lambda edition: Question(edition, around))
        (question.reach.add if present else question.reach.discard)(position, guard)
        if not question.reach:
            del self._clocks[name]
        self.edges = [each.answer for each in self._clocks.values()]

    def ticked(self, facts: Facts, into: set[int]) -> None:
        for question in self._clocks.values():
            question.reach.collect(facts, into)


class TrailTrack(Track):
    """The stamps of a later step; the chains that read them follow it."""

    __slots__ = ("followers",)
    linked = True

    def __init__(self, edition: Edition, fact: Fact) -> None:
        super().__init__(edition, fact)
        self.followers: dict[int, ChainTrack] = {}

    def copied(self, edition: Edition) -> Self:
        made = super().copied(edition)
        made.followers = dict(self.followers)
        return made


class ChainTrack(Track):
    """A sequence; `trails` are the facts of its later steps."""

    __slots__ = ("chain", "trails")
    linked = True

    def __init__(self, edition: Edition, fact: Fact) -> None:
        super().__init__(edition, fact)
        assert isinstance(fact.kind, Chain)
        self.chain: Chain[Any] = fact.kind
        self.trails = fact.trails


def leaf_edges(leaf: EventLeaf) -> set[int]:
    """Of a count, days or distinct values: the amounts n at which a condition differs between n - 1 and n."""
    if isinstance(leaf, Event):
        return {*edges(leaf.op, leaf.value)}
    assert isinstance(leaf, Computed)
    asked = leaf.asked
    if asked is None or asked.op in PRESENCE_OPS:
        return set()
    if POSITIVE.get(asked.op, asked.op) in ("eq", "in"):
        return {edge for each in computed_value.numbers(asked, exact) for edge in edges("eq", each)}
    return {*edges(asked.op, asked.value)}


def bound(leaf: Event) -> Any:
    """A measure condition's value, exact, in the form that its measure compares with."""
    form = Fraction if leaf.measure.of == "avg" else exact
    if leaf.op == "between":
        return [form(exact(value)) for value in leaf.value]
    return form(exact(leaf.value))


def track(edition: Edition, fact: Fact, leaf: EventLeaf) -> Track:
    """The kind of track that a leaf's fact wants."""
    if isinstance(fact.kind, Chain):
        return ChainTrack(edition, fact)
    if isinstance(leaf, Occurrence | Sequence):
        return Track(edition, fact)
    if leaf.measure.of in VALUES:
        return ValuedTrack(edition, fact)
    return (Counted if leaf.measure.of in WHOLE else Measured)(edition, fact)
