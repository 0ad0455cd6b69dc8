"""Loads what a partition needs for its next step from the store: states of profiles, next due times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from livesegments.evaluator.commits.dues import Entry
from livesegments.evaluator.commits.partition import Partition
from livesegments.store.shard import Shard
from livesegments.wire.profilekey import ProfileKey, profile_key, split

PAGE = 5_000
"""So many due times are read at once at most: they hold events up for some 2 ms, 20,000 would for 8."""


class Loader:
    """`kept`: how many dues the partition holds in memory."""

    def __init__(self, shard: Shard, partition: Partition, kept: int) -> None:
        self._shard = shard
        self._partition = partition
        self._page = min(kept, PAGE)

    async def profiles(self, missing: Iterable[ProfileKey]) -> None:
        wanted: dict[str, list[str]] = {}
        for key in missing:
            workspace, id_ = split(key)
            wanted.setdefault(workspace, []).append(id_)
        for workspace, ids in wanted.items():
            stored = await self._shard.profiles(workspace, ids)
            for id_, data in zip(ids, stored, strict=True):
                self._partition.give(profile_key(workspace, id_), data)

    async def stored(self, workspace: str, missing: Sequence[ProfileKey]) -> dict[ProfileKey, bytes | None]:
        """Profiles of one workspace as they are stored; nothing of it is remembered."""
        if not missing:
            return {}
        found = await self._shard.profiles(workspace, [split(key)[1] for key in missing])
        return dict(zip(missing, found, strict=True))

    async def due(self, until_ms: int, count: int) -> list[Entry]:
        """The first `count` dues up to `until_ms`, or all if there are fewer."""
        dues, limit = self._partition.dues, self._page
        due = dues.first(until_ms, count)
        while len(due) < count and not dues.covers(until_ms):
            await self._dues(limit)
            due = dues.first(until_ms, count)
            limit *= 2
        return due

    async def few(self, until_ms: int, limit: int) -> list[ProfileKey] | None:
        """The keys of the profiles with a due time up to `until_ms`, in no order; None if there are `limit`
        or more."""
        dues, page = self._partition.dues, self._page
        keys = dues.keys(until_ms, limit)
        while len(keys) < limit and not dues.covers(until_ms):
            await self._dues(page)
            keys = dues.keys(until_ms, limit)
            page *= 2
        return keys if len(keys) < limit else None

    async def _dues(self, limit: int) -> None:
        entries = await self._shard.dues(limit)
        self._partition.dues.load(entries, complete=len(entries) < limit)
