"""A claim's sets of members take the form that needs less: few members are a sorted set, many are bits.

Example: 129 of the 5,000 profiles of a workspace in this partition are in a segment. As bits they take 625
bytes, as a sorted set 9,804. So one commit sets their bits, and drops the sorted set.

Segments are looked at now and then, after somebody entered or exited them, and more of them at once only
while many take another form: among 10,000 segments some always have moved, and a look costs two commands
each. Nobody makes commits between the look and the commit that follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice

from livesegments.evaluator.commits.flight import Flight
from livesegments.evaluator.commits.partition import Partition
from livesegments.evaluator.commits.sets import is_better_dense, is_better_sparse
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.store.shard import Shard

EVERY_S = 0.5
MOST = 100
"""Segments that are looked at between two records at most."""
TURNS = 10
"""Of these, so many take another form at most."""


class Condensing:
    """`now_s`: a clock that never goes back."""

    def __init__(
        self, shard: Shard, partition: Partition, flight: Flight, now_s: Callable[[], float]
    ) -> None:
        self._shard = shard
        self._partition = partition
        self._flight = flight
        self._now_s = now_s
        self._next_s = now_s() + EVERY_S

    async def step(self) -> bool:
        """Looks at some segments; False if there is nothing to do now."""
        sets = self._partition.sets
        if not sets.moved or self._now_s() < self._next_s:
            return False
        looked = list(islice(sets.moved, MOST))
        turned: list[tuple[str, str]] = []
        for each, count in zip(looked, await self._shard.sizes(looked), strict=True):
            last, is_dense = sets.last(each[0]), each in sets.dense
            if not (is_better_sparse if is_dense else is_better_dense)(count, last):
                sets.moved.pop(each, None)
            elif len(turned) < TURNS:
                turned.append(each)
        found = [(each, await self._shard.members(*each)) for each in turned]
        if found:
            await self._flight.send(self._partition.seal(lambda commit: self._turn(commit, found)))
        if len(turned) < TURNS:
            self._next_s = self._now_s() + EVERY_S
        return bool(found)

    def _turn(self, commit: Commit, found: list[tuple[tuple[str, str], Mapping[int, str]]]) -> None:
        sets, partition = self._partition.sets, commit.partition
        for (workspace, segment), members in found:
            dense = (workspace, segment) not in sets.dense
            sets.turn(workspace, segment, dense)
            sets.moved.pop((workspace, segment), None)
            many, few = keys.bits(partition, workspace, segment), keys.members(partition, workspace, segment)
            field = f"{workspace}\0{segment}"
            if dense:
                commit.put_fields(keys.dense(partition), {field: ""})
                commit.set_bits(many, dict.fromkeys(members, True))
                commit.unlink([few])
            else:
                commit.drop_fields(keys.dense(partition), [field])
                commit.unlink([many])
                if members:
                    commit.score(few, {id_: number for number, id_ in members.items()})
