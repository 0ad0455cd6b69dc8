"""The due instants of a partition's profiles: the next ones in memory, the rest in the store.

Every due instant up to and including `horizon`, an (instant, key), is in memory; the later ones are only
in the store, which holds all of them. So memory alone says which profiles are due before the horizon, in
the order of (instant, key), and its size is bounded however many profiles there are.

What was loaded in order is the run, and what was put since is the heap. An entry of the run is taken off the
end of a list, so that a storm costs no more for an entry than an entry costs.

An entry counts only while `current` has the same instant: when a due instant moves, a new entry is pushed,
and the old one is skipped when it comes up.
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappop, heappush, nsmallest
from typing import Protocol

from livesegments.wire.profilekey import ProfileKey

Entry = tuple[int, ProfileKey]
MANY = 2_000
SHARE = 8
"""A heap of more than `MANY`, and of more than this part of the run, becomes part of the run: sorting it all
at the beginning of a storm would hold events up."""


class DueTimes(Protocol):
    """The port: `Dues`, or the native kernel's."""

    @property
    def current(self) -> Mapping[ProfileKey, int]: ...
    def load(self, entries: list[Entry], complete: bool) -> None: ...
    def covers(self, until_ms: int) -> bool: ...
    def put(self, key: ProfileKey, due_ms: int | None) -> None: ...
    def next(self) -> int | None: ...
    def pop(self, until_ms: int) -> Entry | None: ...
    def first(self, until_ms: int, limit: int) -> list[Entry]: ...
    def keys(self, until_ms: int, limit: int) -> list[ProfileKey]: ...
    def trim(self) -> None: ...


class Dues:
    """About `kept` dues are held in memory. `horizon` None: all of them are.

    `run` is sorted, the earliest last; `heap[0]` is the earliest of the heap.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self.run: list[Entry] = []
        self.heap: list[Entry] = []
        self.current: dict[ProfileKey, int] = {}
        self.horizon: Entry | None = (-(2**62), ProfileKey(""))

    def load(self, entries: list[Entry], complete: bool) -> None:
        """The first dues of the store, in order; `complete` if there are no others."""
        self.run, self.heap = entries[::-1], []
        self.current = {key: due for due, key in entries}
        self.horizon = None if complete else entries[-1]

    def covers(self, until_ms: int) -> bool:
        """Whether everything due up to `until_ms` is in memory."""
        return self.horizon is None or self.horizon[0] > until_ms

    def put(self, key: ProfileKey, due_ms: int | None) -> None:
        if due_ms is None or (self.horizon is not None and (due_ms, key) > self.horizon):
            self.current.pop(key, None)
            return
        self.current[key] = due_ms
        heappush(self.heap, (due_ms, key))
        if len(self.heap) > MANY and SHARE * len(self.heap) > len(self.run):
            self._merge()

    def next(self) -> int | None:
        """The earliest instant in memory."""
        first = self._first()
        return None if first is None else first[0]

    def pop(self, until_ms: int) -> Entry | None:
        """Takes the first due up to `until_ms` out."""
        entry = self._first()
        if entry is None or entry[0] > until_ms:
            return None
        if self.run and self.run[-1] is entry:
            self.run.pop()
        else:
            heappop(self.heap)
        del self.current[entry[1]]
        return entry

    def first(self, until_ms: int, limit: int) -> list[Entry]:
        """The first dues up to `until_ms`, in order; they stay."""
        run, heap, current = self.run, self.heap, self.current
        if heap and heap[0][0] <= until_ms:
            self._merge()
        found: list[Entry] = []
        for entry in reversed(run):
            if entry[0] > until_ms or len(found) == limit:
                break
            if current.get(entry[1]) == entry[0] and (not found or entry != found[-1]):
                found.append(entry)
        return found

    def keys(self, until_ms: int, limit: int) -> list[ProfileKey]:
        """The keys of at most `limit` profiles with a due time up to `until_ms`, in no order; they stay."""
        run, heap, current, found = self.run, self.heap, self.current, dict[ProfileKey, None]()
        for due, key in reversed(run):
            if due > until_ms or len(found) == limit:
                break
            if current.get(key) == due:
                found[key] = None
        places = [0]
        while places and len(found) < limit:
            place = places.pop()
            if place < len(heap) and heap[place][0] <= until_ms:
                due, key = heap[place]
                if current.get(key) == due:
                    found[key] = None
                places += (2 * place + 1, 2 * place + 2)
        return list(found)

    def trim(self) -> None:
        """If there are far too many: forgets all but the first `kept`, and the entries that no longer count.

        Only between steps: what `covers` said holds until then.
        """
        if len(self.current) <= 2 * self._kept and len(self.run) + len(self.heap) <= 4 * self._kept:
            return
        kept = nsmallest(self._kept, ((due, key) for key, due in self.current.items()))
        if len(kept) < len(self.current):
            self.horizon = kept[-1]
        self.current = {key: due for due, key in kept}
        self.run, self.heap = kept[::-1], []

    def _merge(self) -> None:
        """The heap becomes part of the run."""
        self.run += self.heap
        self.run.sort(reverse=True)
        self.heap.clear()

    def _first(self) -> Entry | None:
        """The earliest entry that counts; those before it that do not are dropped."""
        run, heap, current = self.run, self.heap, self.current
        while run and current.get(run[-1][1]) != run[-1][0]:
            run.pop()
        while heap and current.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        if run and (not heap or run[-1] <= heap[0]):
            return run[-1]
        return heap[0] if heap else None
