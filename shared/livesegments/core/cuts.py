"""From a change of one value to the conditions whose truth may differ: by hash and by bisect.

Conditions on the same value are grouped by the changes that flip them, with the positions of their segments:
- an order condition flips only where the value crosses its bound. `gte 5` flips between "< 5" and
  "≥ 5" (a cut just below 5), `gt 5` just above it. A value that can't be compared counts as lying
  at that infinity where the condition gives the same answer, so one bisect covers that too;
- an equality flips only for its operands, or when the value becomes (in)comparable and the answer for
  the unmatched differs from the answer for the incomparable;
- any other condition (`contains`, `matches`, dates) is tested before and after.
A candidate may turn out not to flip; one that flips is always a candidate.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Any

from livesegments.core.definition import Attribute
from livesegments.core.edition import Edition
from livesegments.core.reach import Facts, Guard, Reach, mark
from livesegments.core.value import Key, key, kind, when_missing
from livesegments.core.words import PLURAL_OPS, POSITIVE


class Marks:
    """The cuts just below (or just above) their bounds: bounds ascending, and whom each one flips."""

    __slots__ = ("bounds", "cuts")

    def __init__(self, bounds: Iterable[Any] = (), cuts: Iterable[Reach] = ()) -> None:
        self.bounds = list(bounds)
        self.cuts = list(cuts)

    def mark(self, bound: Any, position: int, guard: Guard | None, edition: Edition, present: bool) -> None:
        at = bisect_left(self.bounds, bound)
        found = self.cuts[at] if at < len(self.bounds) and self.bounds[at] == bound else None
        one = {} if found is None else {bound: found}
        mark(one, bound, position, guard, edition, present)
        self.bounds[at : at + (found is not None)] = one.keys()
        self.cuts[at : at + (found is not None)] = one.values()


class Line:
    """Order conditions on values of one kind that agree with "missing" at the same infinity."""

    def __init__(self, missing_is_low: bool) -> None:
        self._low = missing_is_low
        self._below = Marks()
        self._above = Marks()

    def copied(self) -> Line:
        made = Line(self._low)
        made._below = Marks(self._below.bounds, self._below.cuts)
        made._above = Marks(self._above.bounds, self._above.cuts)
        return made

    def __bool__(self) -> bool:
        return bool(self._below.bounds or self._above.bounds)

    def cut(
        self, bound: Any, above: bool, position: int, guard: Guard | None, edition: Edition, present: bool
    ) -> None:
        marks = self._above if above else self._below
        marks.mark(bound, position, guard, edition, present)

    def crossed(self, old: Any, new: Any) -> Iterator[Reach]:
        """Each cut between two values; None is one that can't be compared."""
        if old is None or new is None:
            known = new if old is None else old
            if known is None:
                return
            bounds, cuts = self._below.bounds, self._below.cuts
            at = bisect_right(bounds, known)
            yield from cuts[:at] if self._low else cuts[at:]
            bounds, cuts = self._above.bounds, self._above.cuts
            at = bisect_left(bounds, known)
            yield from cuts[:at] if self._low else cuts[at:]
            return
        if new < old:
            old, new = new, old
        bounds, cuts = self._below.bounds, self._below.cuts
        yield from cuts[bisect_right(bounds, old) : bisect_right(bounds, new)]
        bounds, cuts = self._above.bounds, self._above.cuts
        yield from cuts[bisect_left(bounds, old) : bisect_left(bounds, new)]


class Cuts:
    """Order and equality conditions on one ordered value, such as a measure."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self._lines = (Line(missing_is_low=False), Line(missing_is_low=True))
        self._unequal = Reach(edition)

    def copied(self, edition: Edition) -> Cuts:
        made = Cuts(edition)
        made._lines = (self._lines[0].copied(), self._lines[1].copied())
        made._unequal = self._unequal.copied(edition)
        return made

    def __bool__(self) -> bool:
        return any(self._lines)

    def mark(
        self,
        op: str,
        bound: Any,
        position: int,
        guard: Guard | None,
        when_missing: bool = False,
        present: bool = True,
    ) -> None:
        """`bound` is [low, high] for `between`. False (or `when_missing`) where there is no value.

        `present` False: what was put in so is taken out.
        """
        line = self._lines[(op in ("lt", "lte")) == when_missing]
        given = position, guard, self.edition, present
        if op in ("gte", "lt"):
            line.cut(bound, False, *given)
        elif op in ("gt", "lte"):
            line.cut(bound, True, *given)
        else:
            low, high = bound if op == "between" else (bound, bound)
            line.cut(low, False, *given)
            line.cut(high, True, *given)
        if op in ("eq", "between") if when_missing else op == "neq":
            self.mark_presence(position, guard, present)

    def mark_presence(self, position: int, guard: Guard | None, present: bool = True) -> None:
        """Whether there is a value at all."""
        if present:
            self._unequal.add(position, guard)
        else:
            self._unequal.discard(position, guard)

    def changed(self, old: Any, new: Any, facts: Facts, into: set[int]) -> None:
        """Adds to `into` the positions that going from `old` to `new` may flip."""
        for line in self._lines:
            for reach in line.crossed(old, new):
                reach.collect(facts, into)
        if (old is None) != (new is None):
            self._unequal.collect(facts, into)


class Equals:
    """Equality conditions on an attribute: by operand, and by kind for those that a kind can flip."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self._by_key: dict[Key, Reach] = {}
        self._by_folded: dict[Key, Reach] = {}
        self._by_kind: dict[str, Reach] = {}

    def copied(self, edition: Edition) -> Equals:
        made = Equals(edition)
        made._by_key, made._by_folded = dict(self._by_key), dict(self._by_folded)
        made._by_kind = dict(self._by_kind)
        return made

    def __bool__(self) -> bool:
        return bool(self._by_key or self._by_folded)

    def mark(self, comparison: Attribute, position: int, guard: Guard | None, present: bool = True) -> None:
        """Takes eq, in, neq and not_in. `present` False: what was put in so is taken out."""
        negative = comparison.op in POSITIVE
        operands = comparison.value if comparison.op in PLURAL_OPS else [comparison.value]
        index = self._by_folded if comparison.ignore_case else self._by_key
        given = position, guard, self.edition, present
        for operand in operands:
            folded = operand.casefold() if comparison.ignore_case and type(operand) is str else operand
            found = key(folded)
            assert found is not None, "check lets only scalars through"
            mark(index, found, *given)
            if when_missing(comparison) != negative:
                mark(self._by_kind, kind(operand), *given)

    def changed(self, old: Any, new: Any, facts: Facts, into: set[int]) -> None:
        """Adds to `into` the positions that going from `old` to `new` may flip."""
        for reach in self._reached(old, new):
            if reach is not None:
                reach.collect(facts, into)

    def _reached(self, old: Any, new: Any) -> Iterator[Reach | None]:
        kinds = kind(old), kind(new)
        for value, sort in zip((old, new), kinds, strict=True):
            found = key(value)
            if found is not None:
                yield self._by_key.get(found)
                if self._by_folded:
                    yield self._by_folded.get(value.casefold() if type(value) is str else found)
            if kinds[0] != kinds[1]:
                yield self._by_kind.get(sort)
