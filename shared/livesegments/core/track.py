"""Which segments a fact's change may flip, as a plan has it: by edges, by cuts, or all of them."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import Any

from livesegments.core.chain import Chain
from livesegments.core.cuts import Cuts
from livesegments.core.definition import Event, Occurrence, Sequence
from livesegments.core.exact import exact
from livesegments.core.fact import EventLeaf, Fact, edges
from livesegments.core.kind import Kind
from livesegments.core.reach import Facts, Guard, Reach
from livesegments.core.words import WHOLE


class Track:
    """A fact in a plan: where its state goes, how it is kept, whom it concerns."""

    __slots__ = ("edges", "id", "kind", "owner", "reach")
    linked = False

    def __init__(self, fact: Fact) -> None:
        self.id: int = fact.id
        self.kind: Kind[Any] = fact.kind
        self.owner = fact.owner
        self.reach = Reach()
        self.edges: list[int] = []

    def add(self, leaf: EventLeaf, position: int, guard: Guard | None) -> None:
        self.reach.add(position, guard)

    def freeze(self) -> None:
        """Called once, after the last `add`."""

    def changed(self, old: Any, new: Any, facts: Facts, into: set[int]) -> None:
        """Adds to `into` the positions that going from `old` to `new` (they differ) may flip."""
        self.reach.collect(facts, into)


class Counted(Track):
    """Counts, days, distinct: whole numbers, so each edge between two of them has its segments."""

    __slots__ = ("_at",)

    def __init__(self, fact: Fact) -> None:
        super().__init__(fact)
        self._at: dict[int, Reach] = {}

    def add(self, leaf: EventLeaf, position: int, guard: Guard | None) -> None:
        assert isinstance(leaf, Event)
        for edge in edges(leaf.op, leaf.value):
            self._at.setdefault(edge, Reach()).add(position, guard)

    def freeze(self) -> None:
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

    def __init__(self, fact: Fact) -> None:
        super().__init__(fact)
        self._cuts = Cuts()

    def add(self, leaf: EventLeaf, position: int, guard: Guard | None) -> None:
        assert isinstance(leaf, Event)
        self._cuts.add(leaf.op, bound(leaf), position, guard)

    def freeze(self) -> None:
        self._cuts.freeze()

    def changed(self, old: Any, new: Any, facts: Facts, into: set[int]) -> None:
        self._cuts.changed(old, new, facts, into)


class TrailTrack(Track):
    """The stamps of a later step; the chains that read them follow it."""

    __slots__ = ("followers",)
    linked = True

    def __init__(self, fact: Fact) -> None:
        super().__init__(fact)
        self.followers: dict[int, ChainTrack] = {}


class ChainTrack(Track):
    """A sequence; `trails` are the facts of its later steps."""

    __slots__ = ("chain", "trails")
    linked = True

    def __init__(self, fact: Fact) -> None:
        super().__init__(fact)
        assert isinstance(fact.kind, Chain)
        self.chain: Chain[Any] = fact.kind
        self.trails = fact.trails


def bound(leaf: Event) -> Any:
    """A measure condition's value, exact, in the form that its measure compares with."""
    form = Fraction if leaf.measure.of == "avg" else exact
    if leaf.op == "between":
        return [form(exact(value)) for value in leaf.value]
    return form(exact(leaf.value))


def track(fact: Fact, leaf: EventLeaf) -> Track:
    """The kind of track that a leaf's fact wants."""
    if isinstance(leaf, Sequence):
        return ChainTrack(fact)
    if isinstance(leaf, Occurrence):
        return Track(fact)
    return Counted(fact) if leaf.measure.of in WHOLE else Measured(fact)
