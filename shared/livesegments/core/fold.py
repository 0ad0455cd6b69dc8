"""The measures as folds: the payload that an event adds, the total of payloads, and those that can't matter
again.

For min and max an entry is dropped once another is at least as extreme and leaves no earlier. Sums and
averages keep every entry in the window; they are exact, so an entry that leaves is subtracted. Days and
distinct values have a module of their own (`keyed`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from msgspec import Struct

from livesegments.core import exact
from livesegments.core.definition import Scalar
from livesegments.core.entries import Entries, at_least, below, pop_first, put, remove
from livesegments.core.event import Event
from livesegments.core.rows import Rows
from livesegments.core.value import key, ordered

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
    total    that of the payloads inside, of sums and averages; of keys that lie in chunks, their hashes
    """

    inside: Entries[tuple[int, P]]
    waiting: Entries[tuple[int, int, P]]
    total: T | None

    @property
    def leaves(self) -> dict[P, int]:
        """Payload → its leave, of payloads that are there once, in a list; made when first asked for, not
        stored."""
        known: dict[str, dict[P, int]] = self.__dict__
        found = known.get("leaves")
        if found is None:
            assert isinstance(self.inside, list)
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

    @property
    def beside(self) -> Any:
        """The type of what a bag keeps beside its entries."""

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

    def left(self, bag: Bagged[P, T], leave: int, payload: P) -> None:
        """Must be called for every entry that is taken out of a bag."""

    def spread(self, bag: Bagged[P, T]) -> None:
        """Must be called before the entries inside are put into chunks."""

    def gathered(self, bag: Bagged[P, T]) -> None:
        """Must be called after they have become a list again."""


def moment(entry: tuple[int, *tuple[Any, ...]]) -> int:
    """The instant at which an entry of a bag moves."""
    return entry[0]


class Plain(Generic[P, T]):
    """Measures whose bag keeps nothing beside its entries."""

    def left(self, bag: Bagged[P, T], leave: int, payload: P) -> None:
        pass

    def spread(self, bag: Bagged[P, T]) -> None:
        pass

    def gathered(self, bag: Bagged[P, T]) -> None:
        pass


class OneByOne(Plain[P, T]):
    """Measures without a quicker way to a total."""

    def merge(self, total: T | None, payload: P) -> T:
        raise NotImplementedError

    def together(self, payloads: Sequence[P]) -> T | None:
        total: T | None = None
        for payload in payloads:
            total = self.merge(total, payload)
        return total


class Each(OneByOne[int, int]):
    """A count whose window skips: one entry an event, the `depth` that leave last."""

    counts = True
    payload = total = beside = int

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
        put(bag.inside, (leave, payload), (leave + 1,))
        if len(bag.inside) > self._depth:
            pop_first(bag.inside, len(bag.inside) - self._depth)


class Sum(Plain[Any, Any]):
    """A payload is the exact sum of one event's numbers, and so is a total."""

    counts = False
    payload = total = beside = Number

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
        put(bag.inside, (leave, payload), (leave + 1,))
        bag.total = self.merge(bag.total, payload)

    def left(self, bag: Bagged[Any, Any], leave: int, payload: Any) -> None:
        bag.total = self.unmerge(bag.total, payload)


class Average(OneByOne["tuple[Any, int]", "tuple[Any, int]"]):
    """A payload is (exact sum, how many) of one event's numbers, and so is a total."""

    counts = False
    payload = total = beside = tuple[Number, int]

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
        put(bag.inside, (leave, payload), (leave + 1,))
        bag.total = self.merge(bag.total, payload)

    def left(
        self, bag: Bagged[tuple[Any, int], tuple[Any, int]], leave: int, payload: tuple[Any, int]
    ) -> None:
        bag.total = self.unmerge(bag.total, payload)


class Extreme(OneByOne[Any, Any]):
    """Min or max. A payload is one event's extreme number, and so is a total.

    What is inside is the better the sooner it leaves, so the first is the extreme of all.
    """

    counts = False
    payload: Any = Number
    total: Any = Number
    beside: Any = Number
    _rank: Callable[[Any], Any] = staticmethod(exact.exact)
    """By what payloads are compared."""

    def __init__(self, numbers: Numbers, pick: Callable[..., Any]) -> None:
        self._numbers, self._pick = numbers, pick

    def payloads(self, event: Event) -> list[Any]:
        numbers = self._numbers(event)
        return [exact.stored(self._pick(numbers))] if numbers else []

    def merge(self, total: Any, payload: Any) -> Any:
        return total if total is not None and self._beats(self._rank(total), self._rank(payload)) else payload

    def unmerge(self, total: Any, payload: Any) -> Any:
        return None

    def read(self, total: Any) -> Any:
        return None if total is None else exact.exact(total)

    def put(self, bag: Bagged[Any, Any], leave: int, payload: Any) -> None:
        inside, rank = bag.inside, self._rank(payload)
        after = at_least(inside, (leave,))
        if after is not None:
            if self._beats(self._rank(after[1]), rank):
                return
            if after[0] == leave:
                remove(inside, (leave,))
        before = below(inside, (leave,))
        while before is not None and self._beats(rank, self._rank(before[1])):
            remove(inside, (before[0],))
            before = below(inside, (leave,))
        put(inside, (leave, payload), (leave,))

    def _beats(self, rank: Any, other: Any) -> bool:
        """Whether it is at least as extreme."""
        return bool(self._pick(rank, other) == rank)


class Pick(Extreme):
    """The first or last value. A payload is (time, id, value) of one event, and so is a total.

    Of events with one time and one id the values decide, by the order of their texts.
    """

    payload: Any = tuple[int, str, Scalar]
    total: Any = payload
    beside: Any = payload

    def __init__(self, values: Callable[[Event], list[Scalar]], last: bool) -> None:
        self._values, self._last = values, last
        self._pick = max if last else min

    def payloads(self, event: Event) -> list[Any]:
        values = self._values(event)
        return [(event.time_ms, event.id, values[-1 if self._last else 0])] if values else []

    def read(self, total: Any) -> Any:
        return None if total is None else key(total[2])

    def _beats(self, rank: Any, other: Any) -> bool:
        stamps = rank[:2], other[:2]
        if stamps[0] == stamps[1]:
            stamps = ordered(rank[2]), ordered(other[2])
        return bool(stamps[0] >= stamps[1] if self._last else stamps[0] <= stamps[1])

    @staticmethod
    def _rank(payload: Any) -> Any:
        return payload
