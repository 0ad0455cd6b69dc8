"""The measures as folds: what an event adds, how payloads make a total, which can't matter again.

Of days and distinct values the largest `leave` of each key matters, and no more keys than a condition
asks about; for min and max an entry is dropped once another is at least as extreme and leaves no earlier.
Sums and averages keep every entry in the window; they are exact, so what leaves is subtracted.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from typing import Any, Protocol, TypeAlias

from livesegments.core import exact
from livesegments.core.event import Event

Amount: TypeAlias = int | exact.Exact | Fraction


class Of(Protocol):
    """A measure other than a plain count, as a fold over the payloads of events."""

    counts: bool
    """The value is how many entries there are."""

    def payloads(self, event: Event) -> list[Any]: ...
    def merge(self, total: Any, payload: Any) -> Any:
        """The total with one more payload; the first total is None."""

    def unmerge(self, total: Any, payload: Any) -> Any:
        """The total without a payload that is in it."""

    def read(self, total: Any) -> Amount | None:
        """The measure's value."""

    def prune(self, inside: list[list[Any]]) -> None:
        """Drops from entries [leave, payload], ascending by leave, those that can't matter again."""


class Keys:
    """Days and distinct values. A total is the sorted keys, no more than `depth`."""

    counts = True

    def __init__(self, payloads: Callable[[Event], list[Any]], depth: int) -> None:
        self.payloads = payloads
        self._depth = depth

    def merge(self, total: Any, payload: Any) -> Any:
        total = total if total is not None else []
        if len(total) < self._depth and payload not in total:
            insort(total, payload)
        return total

    def unmerge(self, total: Any, payload: Any) -> Any:
        return total

    def read(self, total: Any) -> Amount | None:
        return len(total) if total else 0

    def prune(self, inside: list[list[Any]]) -> None:
        seen: set[Any] = set()
        for index in range(len(inside) - 1, -1, -1):
            payload = inside[index][1]
            if payload in seen or len(seen) == self._depth:
                del inside[index]
            else:
                seen.add(payload)


class Each:
    """A count whose window skips: one entry an event, the `depth` that leave last."""

    counts = True

    def __init__(self, depth: int) -> None:
        self._depth = depth

    def payloads(self, event: Event) -> list[Any]:
        return [1]

    def merge(self, total: Any, payload: Any) -> Any:
        return total

    def unmerge(self, total: Any, payload: Any) -> Any:
        return total

    def read(self, total: Any) -> Amount | None:
        return 0

    def prune(self, inside: list[list[Any]]) -> None:
        del inside[: -self._depth]


class Sum:
    """A payload is the exact sum of one event's numbers, and so is a total."""

    counts = False

    def __init__(self, numbers: Callable[[Event], list[exact.Exact]]) -> None:
        self._numbers = numbers

    def payloads(self, event: Event) -> list[Any]:
        numbers = self._numbers(event)
        return [exact.stored(reduce(exact.add, numbers))] if numbers else []

    def merge(self, total: Any, payload: Any) -> Any:
        return exact.stored(exact.add(exact.exact(total or 0), exact.exact(payload)))

    def unmerge(self, total: Any, payload: Any) -> Any:
        return exact.stored(exact.subtract(exact.exact(total), exact.exact(payload)))

    def read(self, total: Any) -> Amount | None:
        return exact.exact(total or 0)

    def prune(self, inside: list[list[Any]]) -> None:
        pass


class Average:
    """A payload is [exact sum, how many] of one event's numbers, and so is a total."""

    counts = False

    def __init__(self, numbers: Callable[[Event], list[exact.Exact]]) -> None:
        self._sum = Sum(numbers)
        self._numbers = numbers

    def payloads(self, event: Event) -> list[Any]:
        numbers = self._numbers(event)
        return [[exact.stored(reduce(exact.add, numbers)), len(numbers)]] if numbers else []

    def merge(self, total: Any, payload: Any) -> Any:
        total = total or [0, 0]
        return [self._sum.merge(total[0], payload[0]), total[1] + payload[1]]

    def unmerge(self, total: Any, payload: Any) -> Any:
        return [self._sum.unmerge(total[0], payload[0]), total[1] - payload[1]]

    def read(self, total: Any) -> Amount | None:
        return exact.ratio(exact.exact(total[0]), total[1]) if total and total[1] else None

    def prune(self, inside: list[list[Any]]) -> None:
        pass


class Extreme:
    """Min or max. A payload is one event's extreme number, and so is a total.

    Pruned entries are the better the sooner they leave, so the first is the extreme of all.
    """

    counts = False

    def __init__(self, numbers: Callable[[Event], list[exact.Exact]], pick: Callable[..., Any]) -> None:
        self._numbers, self._pick = numbers, pick

    def payloads(self, event: Event) -> list[Any]:
        numbers = self._numbers(event)
        return [exact.stored(self._pick(numbers))] if numbers else []

    def merge(self, total: Any, payload: Any) -> Any:
        number = exact.exact(payload)
        return exact.stored(number if total is None else self._pick(exact.exact(total), number))

    def unmerge(self, total: Any, payload: Any) -> Any:
        return None

    def read(self, total: Any) -> Amount | None:
        return None if total is None else exact.exact(total)

    def prune(self, inside: list[list[Any]]) -> None:
        best = None
        for index in range(len(inside) - 1, -1, -1):
            number = exact.exact(inside[index][1])
            if best is not None and self._pick(best, number) == best:
                del inside[index]
            else:
                best = number
