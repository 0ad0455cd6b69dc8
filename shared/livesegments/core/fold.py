"""The measures as folds: the payload that an event adds, the total of payloads, and those that can't matter
again.

Of days and distinct values the largest `leave` of each key matters, and no more keys than a condition
asks about; for min and max an entry is dropped once another is at least as extreme and leaves no earlier.
Sums and averages keep every entry in the window; they are exact, so an entry that leaves is subtracted.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from msgspec import Struct

from livesegments.core import exact
from livesegments.core.definition import Scalar
from livesegments.core.event import Event
from livesegments.core.rows import Rows
from livesegments.core.value import key

P = TypeVar("P")
"""A payload."""
T = TypeVar("T")
"""A total."""

Amount: TypeAlias = int | exact.Exact | Fraction
Number: TypeAlias = int | float | str
"""A number as it is stored. In memory one that no float holds is a decimal, stored as its text."""
Numbers: TypeAlias = Callable[[Event], list[exact.Exact]]
"""The numbers of one event that a measure is over."""


class Bagged(Struct, Generic[P, T], array_like=True, dict=True):
    """The entries of a sliding window.

    inside   (leave, payload), ascending by leave
    waiting  (enter, leave, payload), ascending by enter
    total    that of the payloads inside, of sums and averages
    """

    inside: list[tuple[int, P]]
    waiting: list[tuple[int, int, P]]
    total: T | None

    @property
    def leaves(self) -> dict[P, int]:
        """Payload → its leave, of payloads that are there once; made when first asked for, not stored."""
        known: dict[str, dict[P, int]] = self.__dict__
        found = known.get("leaves")
        if found is None:
            self.inside.sort()  # of one leave: by payload, which makes a pair's place one
            found = known["leaves"] = {payload: leave for leave, payload in self.inside}
        return found

    def moved(self, payload: P, leave: int) -> None:
        """Must be called as soon as a payload has another leave."""
        known = self.__dict__.get("leaves")
        if known is not None:
            known[payload] = leave

    def left(self, payload: P) -> None:
        """Must be called for every payload that is dropped."""
        known = self.__dict__.get("leaves")
        if known is not None:
            del known[payload]


class Of(Protocol[P, T]):
    """A measure other than a plain count, as a fold over the payloads of events."""

    counts: bool
    """The value is how many entries there are."""
    payload: Any
    total: Any
    """The types P and T, as msgspec reads them."""

    def payloads(self, event: Event) -> list[P]: ...
    def merge(self, total: T | None, payload: P) -> T:
        """The total with one more payload; the first total is None."""

    def together(self, payloads: Sequence[P]) -> T | None:
        """The total of payloads, as if they had been merged one by one."""

    def unmerge(self, total: T | None, payload: P) -> T | None:
        """The total without a payload that is in it."""

    def read(self, total: T | None) -> Amount | None:
        """The measure's value."""

    def put(self, bag: Bagged[P, T], leave: int, payload: P) -> None:
        """Puts an entry in its place inside, and drops those that can't matter again."""


def moment(entry: tuple[int, *tuple[Any, ...]]) -> int:
    """The instant at which an entry of a bag moves."""
    return entry[0]


K = TypeVar("K", int, str)


class OneByOne(Generic[P, T]):
    """Measures without a quicker way to a total."""

    def merge(self, total: T | None, payload: P) -> T:
        raise NotImplementedError

    def together(self, payloads: Sequence[P]) -> T | None:
        total: T | None = None
        for payload in payloads:
            total = self.merge(total, payload)
        return total


class Keys(OneByOne[K, "list[K]"], Generic[K]):
    """Days and distinct values. A total is the sorted keys, no more than `depth`."""

    counts = True

    def __init__(self, payloads: Callable[[Event], list[K]], depth: int, key: type[K]) -> None:
        self.payloads: Callable[[Event], list[K]] = payloads
        self.payload: Any = key
        self.total: Any = list[key]  # type: ignore[valid-type]
        self._depth = depth

    def merge(self, total: list[K] | None, payload: K) -> list[K]:
        total = total if total is not None else []
        at = bisect_left(total, payload)
        if len(total) < self._depth and (at == len(total) or total[at] != payload):
            total.insert(at, payload)
        return total

    def unmerge(self, total: list[K] | None, payload: K) -> list[K] | None:
        return total

    def read(self, total: list[K] | None) -> Amount | None:
        return len(total) if total else 0

    def put(self, bag: Bagged[K, list[K]], leave: int, payload: K) -> None:
        inside = bag.inside
        if inside and inside[-1][1] == payload and inside[-1][0] <= leave:
            inside[-1] = leave, payload
            bag.moved(payload, leave)
            return
        leaves = bag.leaves
        before = leaves.get(payload)
        if before is not None:
            if before >= leave:
                return
            del inside[bisect_left(inside, (before, payload))]
        leaves[payload] = leave
        insort(inside, (leave, payload))
        if len(inside) > self._depth:
            bag.left(inside.pop(0)[1])


class Each(OneByOne[int, int]):
    """A count whose window skips: one entry an event, the `depth` that leave last."""

    counts = True
    payload = total = int

    def __init__(self, depth: int) -> None:
        self._depth = depth

    def payloads(self, event: Event) -> list[int]:
        return [1]

    def merge(self, total: int | None, payload: int) -> int:
        return 0

    def unmerge(self, total: int | None, payload: int) -> int | None:
        return total

    def read(self, total: int | None) -> Amount | None:
        return 0

    def put(self, bag: Bagged[int, int], leave: int, payload: int) -> None:
        insort(bag.inside, (leave, payload))
        del bag.inside[: -self._depth]


class Sum:
    """A payload is the exact sum of one event's numbers, and so is a total."""

    counts = False
    payload = total = Number

    def __init__(self, numbers: Numbers, head: str | None = None) -> None:
        """`head`: the property of which the numbers are, where it isn't one of a property's parts."""
        self._numbers, self._head = numbers, head

    def payloads(self, event: Event) -> list[Any]:
        numbers = self._numbers(event)
        return [exact.stored(reduce(exact.add, numbers))] if numbers else []

    def of_rows(self, rows: Rows) -> list[Any]:
        """The payload of every event; None where it has none."""
        head, found = self._head, list[Any]()
        for at, properties in enumerate(rows.properties):
            value = properties.get(head) if head is not None else None
            if (type(value) is float and not value.is_integer()) or (
                type(value) is int and -exact.INT64 <= value < exact.INT64
            ):
                found.append(value)  # it is its own shortest form
            else:
                found.append(next(iter(self.payloads(*rows.events(at, at + 1))), None))
        return found

    def merge(self, total: Any, payload: Any) -> Any:
        return exact.stored(exact.add(exact.exact(total or 0), exact.exact(payload)))

    def together(self, payloads: Sequence[Any]) -> Any:
        if not payloads:
            return None
        total = exact.in_cents(payloads)
        return exact.stored(reduce(exact.add, map(exact.exact, payloads))) if total is None else total

    def unmerge(self, total: Any, payload: Any) -> Any:
        return exact.stored(exact.subtract(exact.exact(total), exact.exact(payload)))

    def read(self, total: Any) -> Amount | None:
        return exact.exact(total or 0)

    def put(self, bag: Bagged[Any, Any], leave: int, payload: Any) -> None:
        insort(bag.inside, (leave, payload), key=moment)


class Average(OneByOne["tuple[Any, int]", "tuple[Any, int]"]):
    """A payload is (exact sum, how many) of one event's numbers, and so is a total."""

    counts = False
    payload = total = tuple[Number, int]

    def __init__(self, numbers: Numbers) -> None:
        self._sum = Sum(numbers)
        self._numbers = numbers

    def payloads(self, event: Event) -> list[tuple[Any, int]]:
        numbers = self._numbers(event)
        return [(exact.stored(reduce(exact.add, numbers)), len(numbers))] if numbers else []

    def merge(self, total: tuple[Any, int] | None, payload: tuple[Any, int]) -> tuple[Any, int]:
        total = total or (0, 0)
        return self._sum.merge(total[0], payload[0]), total[1] + payload[1]

    def unmerge(self, total: tuple[Any, int] | None, payload: tuple[Any, int]) -> tuple[Any, int]:
        total = total or (0, 0)
        return self._sum.unmerge(total[0], payload[0]), total[1] - payload[1]

    def read(self, total: tuple[Any, int] | None) -> Amount | None:
        return exact.ratio(exact.exact(total[0]), total[1]) if total and total[1] else None

    def put(
        self, bag: Bagged[tuple[Any, int], tuple[Any, int]], leave: int, payload: tuple[Any, int]
    ) -> None:
        insort(bag.inside, (leave, payload), key=moment)


class Extreme(OneByOne[Any, Any]):
    """Min or max. A payload is one event's extreme number, and so is a total.

    What is inside is the better the sooner it leaves, so the first is the extreme of all.
    """

    counts = False
    payload: Any = Number
    total: Any = Number
    _rank: Callable[[Any], Any] = staticmethod(exact.exact)
    """By what payloads are compared."""

    def __init__(self, numbers: Numbers, pick: Callable[..., Any]) -> None:
        self._numbers, self._pick = numbers, pick

    def payloads(self, event: Event) -> list[Any]:
        numbers = self._numbers(event)
        return [exact.stored(self._pick(numbers))] if numbers else []

    def merge(self, total: Any, payload: Any) -> Any:
        return total if total is not None and self._beats(total, self._rank(payload)) else payload

    def unmerge(self, total: Any, payload: Any) -> Any:
        return None

    def read(self, total: Any) -> Any:
        return None if total is None else exact.exact(total)

    def put(self, bag: Bagged[Any, Any], leave: int, payload: Any) -> None:
        inside, rank = bag.inside, self._rank(payload)
        at = bisect_left(inside, leave, key=moment)
        if at < len(inside) and self._beats(inside[at][1], rank):
            return
        end = bisect_right(inside, leave, lo=at, key=moment)
        while at and self._pick(rank, self._rank(inside[at - 1][1])) == rank:
            at -= 1
        inside[at:end] = [(leave, payload)]

    def _beats(self, payload: Any, rank: Any) -> bool:
        """Whether a payload that leaves no earlier is at least as extreme."""
        known = self._rank(payload)
        return bool(self._pick(known, rank) == known)


class Pick(Extreme):
    """The first or last value. A payload is (time, id, value) of one event, and so is a total."""

    payload: Any = tuple[int, str, Scalar]
    total: Any = payload

    def __init__(self, values: Callable[[Event], list[Scalar]], last: bool) -> None:
        self._values, self._last = values, last
        self._pick = max if last else min

    def payloads(self, event: Event) -> list[Any]:
        values = self._values(event)
        return [(event.time_ms, event.id, values[-1 if self._last else 0])] if values else []

    def read(self, total: Any) -> Any:
        return None if total is None else key(total[2])

    @staticmethod
    def _rank(payload: Any) -> Any:
        return payload[:2]
