"""The contents of value lists, read from the catalogue; the newest ones are remembered, by their digests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import msgspec
from cachetools import LRUCache

from livesegments.core.definition import Node
from livesegments.core.value import Values
from livesegments.core.value_list import Contents, named
from livesegments.store import keys
from livesegments.store.client import Client
from livesegments.wire import catalog
from livesegments.wire.catalog import ValuePart

CACHED_VALUES = 2_000_000
"""So many values of contents are remembered."""


class StoredContents:
    """All reads raise Away when the store can't be reached."""

    def __init__(self, store: Client) -> None:
        self._redis: Any = store
        self._cache: LRUCache[tuple[str, str], Values] = LRUCache(
            CACHED_VALUES, getsizeof=lambda values: len(values.items) + 1
        )

    async def of(self, workspace: str, nodes: Iterable[Node | None]) -> Contents:
        """Those that stored definitions name. One that is not kept any more is empty: only a definition that
        was replaced long ago names it."""
        wanted = {digest for node in nodes if node is not None for digest in named(node).values() if digest}
        found = {digest: await self.one(workspace, digest) for digest in wanted}
        return lambda _, digest: found[digest]

    async def one(self, workspace: str, digest: str) -> Values:
        place = workspace, digest
        found = self._cache.get(place)
        if found is None:
            found = await asyncio.to_thread(_values, digest, await self._stored(workspace, digest))
            if len(found.items) < CACHED_VALUES:
                self._cache[place] = found
        return found

    async def has(self, workspace: str, digest: str) -> bool:
        """Whether a content is there already."""
        return bool(await self._redis.hexists(keys.catalog_values(workspace), f"{digest}/0"))

    async def parts(self, workspace: str, digest: str) -> list[ValuePart]:
        """A content's parts, as they are in the catalogue; none where it is not kept."""
        return [_part(each) for each in await self._stored(workspace, digest)]

    async def _stored(self, workspace: str, digest: str) -> list[bytes]:
        hash_ = keys.catalog_values(workspace)
        first = await self._redis.hget(hash_, f"{digest}/0")
        if first is None:
            return []
        rest = [f"{digest}/{part}" for part in range(1, _part(first).parts)]
        data = await self._redis.hmget(hash_, rest) if rest else []
        return [first, *(each for each in data if each is not None)]


def _values(digest: str, parts: Iterable[bytes]) -> Values:
    """In a thread: of a million values it takes seconds."""
    return Values(digest, [value for part in parts for value in _part(part).values])


def _part(data: bytes) -> ValuePart:
    entry = catalog.decode(data)
    assert isinstance(entry, ValuePart)
    return entry


def cut(workspace: str, digest: str, values: list[Any], most_bytes: int) -> list[ValuePart]:
    """A content as parts of about this size."""
    shares: list[list[Any]] = [[]]
    size = 0
    for value in values:
        length = len(msgspec.json.encode(value)) + 1
        if size + length > most_bytes and shares[-1]:
            shares.append([])
            size = 0
        shares[-1].append(value)
        size += length
    return [ValuePart(workspace, digest, at, len(shares), share) for at, share in enumerate(shares)]
