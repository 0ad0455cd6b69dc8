"""Days and distinct values as a fold: of each key the largest `leave` matters, and no more keys than a
condition asks about.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from livesegments.core import chunks
from livesegments.core.chunks import Chunks
from livesegments.core.event import Event
from livesegments.core.fold import Amount, Bagged, OneByOne
from livesegments.core.hashes import Hashes, hashed

K = TypeVar("K", int, str)


class Keys(OneByOne[K, Any], Generic[K]):
    """Days and distinct values. A total is the sorted keys, no more than `depth`; many of them lie in chunks,
    as (hash, key), because entries begin with a number.

    Whether a key is in a bag, and when it leaves, says a dictionary that is made of the list of entries.
    Where they lie in chunks, the hashes of the keys say it: the entry to which a hash leads is read.
    """

    counts = True
    beside: Any = Hashes

    def __init__(self, payloads: Callable[[Event], list[K]], depth: int, key: type[K]) -> None:
        self.payloads: Callable[[Event], list[K]] = payloads
        self.payload: Any = key
        self.total: Any = list[key] | Chunks[tuple[int, key]]  # type: ignore[valid-type]
        self._depth = depth

    def merge(self, total: Any, payload: K) -> Any:
        if isinstance(total, Chunks):
            probe = hashed(payload), payload
            if len(total) < self._depth and total.at_least(probe) != probe:
                total.put(probe, probe)
            return total
        total = total if total is not None else []
        at = bisect_left(total, payload)
        if len(total) < self._depth and (at == len(total) or total[at] != payload):
            total.insert(at, payload)
            if len(total) > chunks.LISTED:
                return Chunks.of(sorted((hashed(each), each) for each in total))
        return total

    def unmerge(self, total: Any, payload: K) -> Any:
        return total

    def read(self, total: Any) -> Amount | None:
        return len(total) if total else 0

    def put(self, bag: Bagged[K, Any], leave: int, payload: K) -> None:
        inside = bag.inside
        if not isinstance(inside, list):
            self._put_apart(bag, inside, leave, payload)
            return
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

    def _put_apart(self, bag: Bagged[K, Any], inside: Chunks[tuple[int, K]], leave: int, payload: K) -> None:
        hashes, number = _hashes(bag), hashed(payload)
        for before in hashes.found(number):
            if inside.at_least((before, payload)) == (before, payload):
                if before >= leave:
                    return
                inside.remove((before, payload))
                hashes.remove(number, before)
                break
        hashes.put(number, leave)
        inside.put((leave, payload), (leave, payload))
        if len(inside) > self._depth:
            for entry in inside.pop_first(1):
                self.left(bag, *entry)

    def left(self, bag: Bagged[K, Any], leave: int, payload: K) -> None:
        if isinstance(bag.inside, list):
            bag.left(payload)
        else:
            _hashes(bag).remove(hashed(payload), leave)

    def spread(self, bag: Bagged[K, Any]) -> None:
        assert isinstance(bag.inside, list)
        bag.inside.sort()
        bag.total = Hashes.of((hashed(payload), leave) for leave, payload in bag.inside)
        bag.__dict__.pop("leaves", None)

    def gathered(self, bag: Bagged[K, Any]) -> None:
        bag.total = None


def _hashes(bag: Bagged[Any, Any]) -> Hashes:
    found = bag.total
    assert isinstance(found, Hashes)
    return found
