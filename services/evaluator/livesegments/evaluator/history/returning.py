"""When a partition that was made anew, or taken back, is again what it was.

Example: the newest checkpoint is of 11:53, a segment was made at 11:55, and the store was emptied at noon. A
second later the log is applied again up to noon; but the segment is still being filled with its history, and
what fell due at 11:58 may not have fired. Until that is done, too, readers must be given nothing.

So the write that tells of another life of the partition puts the catalogue's revision of then into its head,
under `again`. The owner takes it out once

- the log is applied up to where it ended then, and all has fired that was due at the end of that;
- every definition up to that revision is served, by everybody;
- what retractions of that log took back is counted again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from livesegments.evaluator.commits.flight import Flight
from livesegments.evaluator.commits.partition import NEVER_MS, Partition
from livesegments.evaluator.plans.walks import Walks
from livesegments.store import keys
from livesegments.store.shard import Head
from livesegments.wire.profilekey import ProfileKey


class Returning:
    """`now_ms` is the wall clock; None in clock mode `log`."""

    def __init__(
        self, head: Head, partition: Partition, walks: Walks, flight: Flight, now_ms: Callable[[], int] | None
    ) -> None:
        self._partition = partition
        self._walks = walks
        self._flight = flight
        self._now_ms = now_ms
        self._upto = head.upto
        self._revision = head.again
        self._until_ms: int | None = None
        self._retracted: Collection[ProfileKey] = ()

    @property
    def under_way(self) -> bool:
        return self._revision is not None

    def begin(self, upto: int, revision: int) -> None:
        """What is stored is older than what was applied once, or there was nothing."""
        self._upto, self._revision, self._until_ms = upto, revision, None

    async def step(self) -> bool:
        """Whether it has come to the end just now, and readers are let in."""
        if self._revision is None or not self._is_there(self._revision):
            return False
        self._revision = None
        head = keys.head(self._partition.number)
        await self._flight.send(self._partition.seal(lambda commit: commit.drop_fields(head, ["again"])))
        return True

    def _is_there(self, revision: int) -> bool:
        partition, waiting = self._partition, self._partition.retracting.waiting
        if partition.offset < self._upto:
            return False
        if self._until_ms is None:
            clock_ms = partition.clock_ms
            self._until_ms = clock_ms if self._now_ms is None else max(clock_ms, self._now_ms())
            self._retracted = set(waiting)
        if self._walks.behind or self._walks.owes(revision):
            return False
        if any(key in waiting for key in self._retracted):
            return False
        if partition.clock_ms == NEVER_MS:
            return True  # there was no event yet, so nothing is due
        until_ms, next_ms = self._until_ms, partition.dues.next(self._until_ms)
        return partition.dues.covers(until_ms) and (next_ms is None or next_ms > until_ms)
