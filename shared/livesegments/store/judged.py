"""The state, the clock and the served definitions that decided a profile's memberships, as the api reads
them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from livesegments.core.profile import Profile, decode
from livesegments.store import adoption, keys
from livesegments.store.adoption import Kept, Served, Stage
from livesegments.store.client import Client
from livesegments.store.standing import Heads, whole

PAGE = 5_000
"""Due times that are read at once."""


class State(Struct, frozen=True):
    """A profile, None where there is none, at its partition's clock (ms), and what that had adopted then."""

    profile: Profile | None
    clock_ms: int
    stage: Stage | None


class Definitions(Struct, frozen=True):
    """What a partition serves of a workspace, and which facts it keeps, at the adoption `stage`."""

    stage: Stage | None
    served: Mapping[str, Served]
    facts: Mapping[int, Kept]


class Judged:
    """Every answer is of one instant. All reads raise Away when the store can't be reached, and Restoring
    when it is not whole."""

    def __init__(self, store: Client, heads: Heads) -> None:
        self._redis: Any = store
        self.heads = heads

    @whole
    async def state(self, partition: int, workspace: str, profile: str) -> State:
        pipe = self._redis.pipeline(transaction=True)
        pipe.hget(keys.head(partition), "clock")
        pipe.hget(keys.profiles(partition, workspace), profile)
        pipe.hget(keys.adopted(partition), workspace)
        clock, state, stage = await pipe.execute()
        return State(None if state is None else decode(state), int(clock or 0), _stage(stage))

    @whole
    async def states(
        self, partition: int, workspace: str, profiles: Sequence[str]
    ) -> tuple[Stage | None, int, list[tuple[str, Profile]]]:
        """Those that there are, what the partition had adopted then, and its clock (ms)."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.hget(keys.adopted(partition), workspace)
        pipe.hget(keys.head(partition), "clock")
        pipe.hmget(keys.profiles(partition, workspace), profiles)
        stage, clock, states = await pipe.execute()
        found = zip(profiles, states, strict=True)
        return (
            _stage(stage),
            int(clock or 0),
            [(id_, decode(state)) for id_, state in found if state is not None],
        )

    async def due(self, partition: int, workspace: str, until_ms: int) -> AsyncIterator[list[str]]:
        """The profiles with a due time up to an instant (ms), page by page; the clock leaves all others alone
        until then."""
        due, prefix = keys.due(partition), f"{workspace}\0".encode()
        count, start = await self._redis.zcount(due, "-inf", until_ms), 0
        while start < count:
            stop = min(start + PAGE, count)
            found = await self._redis.zrange(due, start, stop - 1)
            yield [each[len(prefix) :].decode() for each in found if each.startswith(prefix)]
            start = stop
        await self.heads.look()

    @whole
    async def served(self, partitions: Iterable[int], workspace: str, segment: str) -> list[Served]:
        """The definition of a segment that a partition serves, of those that serve one."""
        pipe = self._redis.pipeline(transaction=False)
        for partition in partitions:
            pipe.hget(keys.served(partition, workspace), segment)
        return [adoption.decode_served(data) for data in await pipe.execute() if data is not None]

    @whole
    async def definitions(self, partition: int, workspace: str) -> Definitions:
        pipe = self._redis.pipeline(transaction=True)
        pipe.hget(keys.adopted(partition), workspace)
        pipe.hgetall(keys.served(partition, workspace))
        pipe.hgetall(keys.facts(partition, workspace))
        stage, served, facts = await pipe.execute()
        return Definitions(
            _stage(stage),
            {id_.decode(): adoption.decode_served(data) for id_, data in served.items()},
            {int(fact): adoption.decode_kept(data) for fact, data in facts.items()},
        )


def _stage(data: bytes | None) -> Stage | None:
    return None if data is None else adoption.decode_stage(data)
