"""Profiles as the api reads them: their stored states, and the clock of each partition."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from livesegments.core.profile import Profile, decode
from livesegments.store import keys
from livesegments.store.client import Client
from livesegments.store.standing import Heads
from livesegments.wire.topics import partition_of


class Profiles:
    """All reads raise Away when the store can't be reached; `get` Restoring when it is not whole."""

    def __init__(self, store: Client, heads: Heads) -> None:
        self._redis: Any = store
        self.heads = heads
        self._partitions = heads.partitions

    async def get(self, workspace: str, ids: Iterable[str]) -> dict[str, Profile]:
        """Those that there are, by id."""
        shares: dict[int, list[str]] = {}
        for id_ in dict.fromkeys(ids):
            shares.setdefault(self.partition(workspace, id_), []).append(id_)
        if not shares:
            return {}
        replies = await self.heads.read(
            *(("HMGET", keys.profiles(partition, workspace), *share) for partition, share in shares.items())
        )
        pairs = zip(
            (id_ for share in shares.values() for id_ in share),
            (each for r in replies for each in r),
            strict=True,
        )
        return {id_: decode(state) for id_, state in pairs if state is not None}

    async def homes(self, workspace: str, ids: Iterable[str]) -> set[str]:
        """The ids for which counts what comes for these: of a profile that was merged, the other one."""
        found: set[str] = set()
        seen: set[str] = set()
        ahead = set(ids)
        while ahead:
            seen |= ahead
            states = await self.get(workspace, ahead)
            into = {id_: state.kin.into for id_, state in states.items() if state.kin and state.kin.into}
            found |= ahead - into.keys()
            ahead = set(into.values()) - seen
        return found

    async def counts(self, workspace: str) -> list[int]:
        """How many profiles a workspace has, partition by partition."""
        names = (keys.profiles(partition, workspace) for partition in range(self._partitions))
        return [int(count) for count in await self.heads.read(*(("HLEN", name) for name in names))]

    async def clock(self, partition: int) -> int | None:
        """ms; None before the partition's first event."""
        found = await self._redis.hget(keys.head(partition), "clock")
        return None if found is None else int(found)

    async def count(self, workspace: str) -> int:
        """Stored profiles of a workspace."""
        pipe = self._redis.pipeline(transaction=False)
        for partition in range(self._partitions):
            pipe.hlen(keys.profiles(partition, workspace))
        return sum(await pipe.execute())

    async def known(self, workspace: str, ids: Iterable[str]) -> set[str]:
        """Those of the ids that are stored profiles."""
        asked = list(dict.fromkeys(ids))
        pipe = self._redis.pipeline(transaction=False)
        for id_ in asked:
            pipe.hexists(keys.profiles(self.partition(workspace, id_), workspace), id_)
        return {id_ for id_, there in zip(asked, await pipe.execute(), strict=True) if there}

    async def applied(self) -> list[int]:
        """The next offset of every partition of `events`."""
        pipe = self._redis.pipeline(transaction=False)
        for partition in range(self._partitions):
            pipe.hget(keys.head(partition), "offset")
        return [int(offset or 0) for offset in await pipe.execute()]

    async def newest_clock(self) -> int | None:
        """ms, of the partition that is furthest on; None before any event."""
        pipe = self._redis.pipeline(transaction=False)
        for partition in range(self._partitions):
            pipe.hget(keys.head(partition), "clock")
        return max((int(found) for found in await pipe.execute() if found is not None), default=None)

    def partition(self, workspace: str, profile: str) -> int:
        return partition_of(workspace, profile, self._partitions)
