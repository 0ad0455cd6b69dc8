"""The due instants of a partition's profiles: the next ones in a heap, the rest in the store.

Every due instant up to and including `horizon`, an (instant, key), is in the heap; the later ones are only
in the store, which holds all of them. So the heap alone says which profiles are due before the horizon, in
the order of (instant, key), and its size is bounded however many profiles there are.

An entry of the heap counts only while `current` has the same instant: when a due instant moves, a new entry
is pushed, and the old one is skipped when it comes up.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush, nsmallest

from livesegments.wire.profilekey import ProfileKey

Entry = tuple[int, ProfileKey]


class Dues:
    """About `kept` dues are held in memory. `horizon` None: everything is in the heap."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self.heap: list[Entry] = []
        self.current: dict[ProfileKey, int] = {}
        self.horizon: Entry | None = (-(2**62), ProfileKey(""))

    def load(self, entries: list[Entry], complete: bool) -> None:
        """The first dues of the store, in order; `complete` if there are no others."""
        self.heap = list(entries)
        self.current = {key: due for due, key in entries}
        self.horizon = None if complete else entries[-1]

    def covers(self, until_ms: int) -> bool:
        """Whether everything due up to `until_ms` is in the heap."""
        return self.horizon is None or self.horizon[0] > until_ms

    def put(self, key: ProfileKey, due_ms: int | None) -> None:
        if due_ms is None or (self.horizon is not None and (due_ms, key) > self.horizon):
            self.current.pop(key, None)
            return
        self.current[key] = due_ms
        heappush(self.heap, (due_ms, key))

    def next(self) -> int | None:
        """The earliest instant in the heap."""
        heap, current = self.heap, self.current
        while heap:
            due, key = heap[0]
            if current.get(key) == due:
                return due
            heappop(heap)
        return None

    def pop(self, until_ms: int) -> Entry | None:
        """Takes the first due up to `until_ms` out."""
        due = self.next()
        if due is None or due > until_ms:
            return None
        entry = heappop(self.heap)
        del self.current[entry[1]]
        return entry

    def first(self, until_ms: int, limit: int) -> list[Entry]:
        """The first dues up to `until_ms`, in order; they stay."""
        found: list[Entry] = []
        while len(found) < limit and (entry := self.pop(until_ms)):
            found.append(entry)
        for due, key in found:
            self.current[key] = due
            heappush(self.heap, (due, key))
        return found

    def keys(self, until_ms: int, limit: int) -> list[ProfileKey]:
        """Whose dues lie up to `until_ms`, in no order, at most `limit` of them; they stay."""
        heap, current, found, places = self.heap, self.current, list[ProfileKey](), [0]
        while places and len(found) < limit:
            place = places.pop()
            if place < len(heap) and heap[place][0] <= until_ms:
                due, key = heap[place]
                if current.get(key) == due:
                    found.append(key)
                places += (2 * place + 1, 2 * place + 2)
        return found

    def trim(self) -> None:
        """If there are far too many: forgets all but the first `kept`, and the entries that no longer count.

        Only between steps: what `covers` said holds until then.
        """
        if len(self.current) <= 2 * self._kept and len(self.heap) <= 4 * self._kept:
            return
        kept = nsmallest(self._kept, ((due, key) for key, due in self.current.items()))
        if len(kept) < len(self.current):
            self.horizon = kept[-1]
        self.current = {key: due for due, key in kept}
        self.heap = kept
        heapify(self.heap)
