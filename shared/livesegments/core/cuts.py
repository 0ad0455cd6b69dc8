"""From a change of one value to the conditions whose truth may differ: by hash and by bisect.

Conditions on the same value are kept by what flips them, each with the positions of its segments:
- an order condition flips only where the value crosses its bound. `gte 5` flips between "< 5" and
  "≥ 5" (a cut just below 5), `gt 5` just above it. A value that can't be compared counts as lying
  at that infinity where the condition gives the same answer, so one bisect covers that too;
- an equality flips only for its operands, or when the value becomes (in)comparable and the answer for
  the unmatched differs from the answer for the incomparable;
- whatever is neither (`contains`, `matches`, dates) is asked before and after.
A candidate may turn out not to flip; one that flips is always a candidate.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any

from livesegments.core.definition import Attribute
from livesegments.core.reach import Facts, Guard, Reach
from livesegments.core.value import Key, key, kind, when_missing
from livesegments.core.words import PLURAL_OPS, POSITIVE


class Line:
    """Order conditions on values of one kind that agree with "missing" at the same infinity."""

    def __init__(self, missing_is_low: bool) -> None:
        self._low = missing_is_low
        self._collected: tuple[dict[Any, Reach], dict[Any, Reach]] = ({}, {})
        self._below: tuple[list[Any], list[Reach]] = ([], [])
        self._above: tuple[list[Any], list[Reach]] = ([], [])

    def cut(self, bound: Any, above: bool, position: int, guard: Guard | None) -> None:
        self._collected[above].setdefault(bound, Reach()).add(position, guard)

    def freeze(self) -> None:
        self._below, self._above = (
            (bounds := sorted(cuts), [cuts[bound] for bound in bounds]) for cuts in self._collected
        )

    def crossed(self, old: Any, new: Any) -> Iterator[Reach]:
        """Each cut between two values; None is one that can't be compared."""
        if old is None or new is None:
            known = new if old is None else old
            if known is None:
                return
            bounds, cuts = self._below
            at = bisect_right(bounds, known)
            yield from cuts[:at] if self._low else cuts[at:]
            bounds, cuts = self._above
            at = bisect_left(bounds, known)
            yield from cuts[:at] if self._low else cuts[at:]
            return
        if new < old:
            old, new = new, old
        bounds, cuts = self._below
        yield from cuts[bisect_right(bounds, old) : bisect_right(bounds, new)]
        bounds, cuts = self._above
        yield from cuts[bisect_left(bounds, old) : bisect_left(bounds, new)]


class Cuts:
    """Order and equality conditions on one ordered value, such as a measure."""

    def __init__(self) -> None:
        self._lines = (Line(missing_is_low=False), Line(missing_is_low=True))
        self._unequal = Reach()

    def add(
        self, op: str, bound: Any, position: int, guard: Guard | None, when_missing: bool = False
    ) -> None:
        """`bound` is [low, high] for `between`. False (or `when_missing`) where there is no value."""
        line = self._lines[(op in ("lt", "lte")) == when_missing]
        if op in ("gte", "lt"):
            line.cut(bound, False, position, guard)
        elif op in ("gt", "lte"):
            line.cut(bound, True, position, guard)
        else:
            low, high = bound if op == "between" else (bound, bound)
            line.cut(low, False, position, guard)
            line.cut(high, True, position, guard)
        if op in ("eq", "between") if when_missing else op == "neq":
            self._unequal.add(position, guard)

    def freeze(self) -> None:
        for line in self._lines:
            line.freeze()

    def changed(self, old: Any, new: Any, facts: Facts, into: set[int]) -> None:
        """Adds to `into` the positions that going from `old` to `new` may flip."""
        for line in self._lines:
            for reach in line.crossed(old, new):
                reach.collect(facts, into)
        if (old is None) != (new is None):
            self._unequal.collect(facts, into)


class Equals:
    """Equality conditions on an attribute: by operand, and by kind for those that a kind can flip."""

    def __init__(self) -> None:
        self._by_key: dict[Key, Reach] = {}
        self._by_folded: dict[Key, Reach] = {}
        self._by_kind: dict[str, Reach] = {}

    def add(self, comparison: Attribute, position: int, guard: Guard | None) -> None:
        """Takes eq, in, neq and not_in."""
        negative = comparison.op in POSITIVE
        operands = comparison.value if comparison.op in PLURAL_OPS else [comparison.value]
        index = self._by_folded if comparison.ignore_case else self._by_key
        for operand in operands:
            folded = operand.casefold() if comparison.ignore_case and type(operand) is str else operand
            found = key(folded)
            assert found is not None, "check lets only scalars through"
            index.setdefault(found, Reach()).add(position, guard)
            if when_missing(comparison) != negative:
                self._by_kind.setdefault(kind(operand), Reach()).add(position, guard)

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
