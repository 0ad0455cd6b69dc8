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
from livesegments.core.value import POSITIVE, Key, key, kind


class Line:
    """Order conditions on values of one kind that agree with "missing" at the same infinity."""

    def __init__(self, missing_is_low: bool) -> None:
        self._low = missing_is_low
        self._collected: tuple[dict[Any, set[int]], dict[Any, set[int]]] = ({}, {})
        self._below: tuple[list[Any], list[set[int]]] = ([], [])
        self._above: tuple[list[Any], list[set[int]]] = ([], [])

    def cut(self, bound: Any, above: bool, position: int) -> None:
        self._collected[above].setdefault(bound, set()).add(position)

    def freeze(self) -> None:
        self._below, self._above = (
            (bounds := sorted(cuts), [cuts[bound] for bound in bounds]) for cuts in self._collected
        )

    def crossed(self, old: Any, new: Any) -> Iterator[set[int]]:
        """Positions at each cut between two values; None is one that can't be compared."""
        if old is None or new is None:
            known = new if old is None else old
            if known is None:
                return
            bounds, positions = self._below
            at = bisect_right(bounds, known)
            yield from positions[:at] if self._low else positions[at:]
            bounds, positions = self._above
            at = bisect_left(bounds, known)
            yield from positions[:at] if self._low else positions[at:]
            return
        if new < old:
            old, new = new, old
        bounds, positions = self._below
        yield from positions[bisect_right(bounds, old) : bisect_right(bounds, new)]
        bounds, positions = self._above
        yield from positions[bisect_left(bounds, old) : bisect_left(bounds, new)]


class Cuts:
    """Order and equality conditions on one ordered value, such as a measure."""

    def __init__(self) -> None:
        self._lines = (Line(missing_is_low=False), Line(missing_is_low=True))
        self._unequal: set[int] = set()

    def add(self, op: str, bound: Any, position: int, when_missing: bool = False) -> None:
        """`bound` is [low, high] for `between`. False (or `when_missing`) where there is no value."""
        line = self._lines[(op in ("lt", "lte")) == when_missing]
        if op in ("gte", "lt"):
            line.cut(bound, False, position)
        elif op in ("gt", "lte"):
            line.cut(bound, True, position)
        else:
            low, high = bound if op == "between" else (bound, bound)
            line.cut(low, False, position)
            line.cut(high, True, position)
        if op in ("eq", "between") if when_missing else op == "neq":
            self._unequal.add(position)

    def freeze(self) -> None:
        for line in self._lines:
            line.freeze()

    def changed(self, old: Any, new: Any, into: set[int]) -> None:
        """Adds to `into` the positions that going from `old` to `new` may flip."""
        for line in self._lines:
            for positions in line.crossed(old, new):
                into |= positions
        if (old is None) != (new is None):
            into |= self._unequal


class Equals:
    """Equality conditions on an attribute: by operand, and by kind for those that a kind can flip."""

    def __init__(self) -> None:
        self._by_key: dict[Key, set[int]] = {}
        self._by_folded: dict[Key, set[int]] = {}
        self._by_kind: dict[str, set[int]] = {}

    def add(self, comparison: Attribute, position: int) -> None:
        """Takes eq, in, neq and not_in."""
        negative = comparison.op in POSITIVE
        operands = comparison.value if comparison.op in ("in", "not_in") else [comparison.value]
        index = self._by_folded if comparison.ignore_case else self._by_key
        for operand in operands:
            folded = operand.casefold() if comparison.ignore_case and type(operand) is str else operand
            found = key(folded)
            assert found is not None, "check lets only scalars through"
            index.setdefault(found, set()).add(position)
            if comparison.when_missing != negative:
                self._by_kind.setdefault(kind(operand), set()).add(position)

    def changed(self, old: Any, new: Any, into: set[int]) -> None:
        nothing: set[int] = set()
        kinds = kind(old), kind(new)
        for value, sort in zip((old, new), kinds, strict=True):
            found = key(value)
            if found is not None:
                into |= self._by_key.get(found, nothing)
                if self._by_folded:
                    folded = value.casefold() if type(value) is str else found
                    into |= self._by_folded.get(folded, nothing)
            if kinds[0] != kinds[1]:
                into |= self._by_kind.get(sort, nothing)
