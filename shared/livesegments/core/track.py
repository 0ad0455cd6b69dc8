"""The segments that a change of a fact may flip, as a plan has them: by edges, by cuts, or all of them."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import Any, Self

from livesegments.core.chain import Chain
from livesegments.core.cuts import Cuts
from livesegments.core.definition import Event, Occurrence, Sequence
from livesegments.core.edition import Edition
from livesegments.core.exact import exact
from livesegments.core.fact import EventLeaf, Fact, edges
from livesegments.core.kind import Kind
from livesegments.core.reach import Facts, Guard, Reach, mark
from livesegments.core.words import WHOLE


class Track:
    """A fact in a plan: where its state goes, how it is kept, whom it concerns."""

    __slots__ = ("edges", "edition", "fact", "id", "kind", "owner", "reach")
    linked = False

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
        assert isinstance(leaf, Event)
        before = len(self._at)
        for edge in edges(leaf.op, leaf.value):
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
        assert isinstance(leaf, Event)
        self._cuts.mark(leaf.op, bound(leaf), position, guard)

    def discard(self, leaf: EventLeaf, position: int, guard: Guard | None) -> None:
        assert isinstance(leaf, Event)
        self._cuts.mark(leaf.op, bound(leaf), position, guard, present=False)

    def changed(self, old: Any, new: Any, facts: Facts, into: set[int]) -> None:
        self._cuts.changed(old, new, facts, into)


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
    return (Counted if leaf.measure.of in WHOLE else Measured)(edition, fact)
