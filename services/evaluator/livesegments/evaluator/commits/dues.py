"""The due instants of a partition's profiles: the next ones in memory, the rest in the store.

Every due instant up to and including `horizon`, an (instant, key), is in memory; the later ones are only
in the store, which holds all of them. So memory alone says which profiles are due before the horizon, in
the order of (instant, key), and its size is bounded however many profiles there are.

Suppose a profile that is due on the 1st orders, and is due on the 9th from then on. Nothing is written: its
entry stays where it is, on the 1st, in memory and in the store, and `later` has the 9th. When the entry comes
up it is moved there, once, however often the due instant has moved meanwhile. So the store may say an earlier
instant than the profile's state does, but never a later one. Who reads it there, after a restart for
instance, asks the state; where nothing is due by it yet, the store is put right.

What was loaded in order is the run, and what was put since is the heap. An entry of the run is taken off the
end of a list, so that a storm costs no more for an entry than an entry costs.

An entry counts only while `current` has the same instant: when a due instant moves to an earlier one, a new
entry is pushed, and the old one is skipped when it comes up.
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappop, heappush, nsmallest
from typing import Protocol

from livesegments.wire.profilekey import ProfileKey

Entry = tuple[int, ProfileKey]
BEGINNING_MS = -(2**62)
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
    @property
    def later(self) -> Mapping[ProfileKey, int]: ...
    def put(self, key: ProfileKey, due_ms: int | None, was_ms: int | None = None) -> None: ...
    def undo(self, dues: Mapping[ProfileKey, int | None]) -> None: ...
    def take_unwritten(self, clock_ms: int) -> dict[ProfileKey, int | None]: ...
    def next(self, until_ms: int = BEGINNING_MS) -> int | None: ...
    def pop(self, until_ms: int) -> Entry | None: ...
    def first(self, until_ms: int, limit: int) -> list[Entry]: ...
    def keys(self, until_ms: int, limit: int) -> list[ProfileKey]: ...
    def trim(self) -> None: ...


class Dues:
    """About `kept` dues are held in memory. `horizon` None: all of them are.

    `run` is sorted, the earliest last; `heap[0]` is the earliest of the heap. `current` is the instant of a
    profile's entry; `later` its due instant where that is later.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self.run: list[Entry] = []
        self.heap: list[Entry] = []
        self.current: dict[ProfileKey, int] = {}
        self.later: dict[ProfileKey, int] = {}
        self._unwritten: dict[ProfileKey, int | None] = {}
        self._taken: dict[ProfileKey, int] = {}
        self.horizon: Entry | None = (BEGINNING_MS, ProfileKey(""))

    def load(self, entries: list[Entry], complete: bool) -> None:
        """The first dues of the store, in order; `complete` if there are no others."""
        self.run, self.heap = entries[::-1], []
        current = self.current = {key: due for due, key in entries}
        self.horizon = None if complete else entries[-1]
        for key, due_ms in self._unwritten.items():
            current.pop(key, None)
            if due_ms is not None:
                self._enter(key, due_ms)
        self.later = {key: due for key, due in self.later.items() if current.get(key, due) < due}

    def covers(self, until_ms: int) -> bool:
        """Whether everything due up to `until_ms` is in memory."""
        return self.horizon is None or self.horizon[0] > until_ms

    def put(self, key: ProfileKey, due_ms: int | None, was_ms: int | None = None) -> None:
        """The due instant of a profile's new state. `was_ms`: the one before, if its entry hasn't come up."""
        if due_ms is None:
            self.current.pop(key, None)
            self.later.pop(key, None)
            self._unwritten[key] = None
            return
        bound = self.current.get(key)
        if bound is None:
            if was_ms is not None and was_ms <= due_ms and key not in self._unwritten:
                return  # its entry lies beyond the horizon
        elif bound <= due_ms:
            self.later[key] = due_ms
            if bound == due_ms:
                del self.later[key]
            return
        self._set(key, due_ms)

    def undo(self, dues: Mapping[ProfileKey, int | None]) -> None:
        """What was put and taken since the last `take_unwritten` is undone. `dues` has the due instants from
        before, where another one was put."""
        before, self._taken = {**self._taken, **dues}, {}
        for key, due_ms in before.items():
            if due_ms is None:
                self.put(key, None)
            else:
                self._set(key, due_ms)

    def take_unwritten(self, clock_ms: int) -> dict[ProfileKey, int | None]:
        """What the store is to have instead of what it has; it counts as written now. Entries up to the clock
        that have moved are among it, so that those which stay there are due."""
        self._first(clock_ms)
        unwritten, self._unwritten, self._taken = self._unwritten, {}, {}
        return unwritten

    def next(self, until_ms: int = BEGINNING_MS) -> int | None:
        """The earliest due instant in memory; if it is later than `until_ms`, it may be later still."""
        first = self._first(until_ms)
        return None if first is None else first[0]

    def pop(self, until_ms: int) -> Entry | None:
        """Takes the first due up to `until_ms` out."""
        entry = self._first(until_ms)
        if entry is None or entry[0] > until_ms:
            return None
        if self.run and self.run[-1] is entry:
            self.run.pop()
        else:
            heappop(self.heap)
        del self.current[entry[1]]
        self._unwritten[entry[1]] = None
        self._taken.setdefault(entry[1], entry[0])
        return entry

    def first(self, until_ms: int, limit: int) -> list[Entry]:
        """The first dues up to `until_ms`, in order; they stay."""
        run, heap, current, later = self.run, self.heap, self.current, self.later
        while True:
            if heap and heap[0][0] <= until_ms:
                self._merge()
            found, moved = list[Entry](), list[ProfileKey]()
            for entry in reversed(run):
                if entry[0] > until_ms or len(found) == limit:
                    break
                if current.get(entry[1]) == entry[0] and (not found or entry != found[-1]):
                    if entry[1] in later:
                        moved.append(entry[1])
                    else:
                        found.append(entry)
            if not moved:
                return found
            for key in moved:
                if key in later:
                    self._set(key, later[key])

    def keys(self, until_ms: int, limit: int) -> list[ProfileKey]:
        """The keys of at most `limit` profiles with a due time up to `until_ms`, in no order; they stay."""
        run, heap, current, found = self.run, self.heap, self.current, dict[ProfileKey, None]()
        later = self.later
        for due, key in reversed(run):
            if due > until_ms or len(found) == limit:
                break
            if current.get(key) == due and later.get(key, due) <= until_ms:
                found[key] = None
        places = [0]
        while places and len(found) < limit:
            place = places.pop()
            if place < len(heap) and heap[place][0] <= until_ms:
                due, key = heap[place]
                if current.get(key) == due and later.get(key, due) <= until_ms:
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
        self.later = {key: due for key, due in self.later.items() if key in self.current}

    def _set(self, key: ProfileKey, due_ms: int) -> None:
        """Its entry is at its due instant, here and in the store."""
        self.later.pop(key, None)
        self.current.pop(key, None)
        self._unwritten[key] = due_ms
        self._enter(key, due_ms)
        if len(self.heap) > MANY and SHARE * len(self.heap) > len(self.run):
            self._merge()

    def _enter(self, key: ProfileKey, due_ms: int) -> None:
        if self.horizon is None or (due_ms, key) <= self.horizon:
            self.current[key] = due_ms
            heappush(self.heap, (due_ms, key))

    def _merge(self) -> None:
        """The heap becomes part of the run."""
        self.run += self.heap
        self.run.sort(reverse=True)
        self.heap.clear()

    def _first(self, until_ms: int) -> Entry | None:
        """The earliest entry that counts; those before it that do not are dropped. What has moved is moved,
        up to `until_ms`."""
        run, heap, current, later = self.run, self.heap, self.current, self.later
        while True:
            while run and current.get(run[-1][1]) != run[-1][0]:
                run.pop()
            while heap and current.get(heap[0][1]) != heap[0][0]:
                heappop(heap)
            if run and (not heap or run[-1] <= heap[0]):
                entry = run[-1]
            elif heap:
                entry = heap[0]
            else:
                return None
            if entry[0] > until_ms or entry[1] not in later:
                return entry
            self._set(entry[1], later[entry[1]])
