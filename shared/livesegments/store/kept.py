"""The segments that the api's background keeps up: `{kept}` says which there are, in every workspace.

The catalogue says what is kept; this is its index, so that nobody reads all workspaces. A segment is put in
before it is written, and comes back with the catalogue where the store was lost; so the index may have more
than there is, and never less.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from livesegments.store import keys
from livesegments.store.client import Client
from livesegments.wire.catalog import Entry, Segment

FORGET_MS = 600_000
"""An entry without a segment is dropped after this time: before it, the segment may be on its way."""


class Kept:
    """All raise Away when the store can't be reached."""

    def __init__(self, store: Client) -> None:
        self._store: Any = store

    async def add(self, workspace: str, id_: str, now_ms: int) -> None:
        await self._store.zadd(keys.KEPT, {entry(workspace, id_): now_ms})

    async def all(self) -> list[tuple[str, str]]:
        """(workspace, segment), the oldest first."""
        found = await self._store.zrange(keys.KEPT, 0, -1)
        return [_pair(each) for each in found]

    async def drop(self, workspace: str, id_: str, now_ms: int) -> None:
        """Unless it was put in just now."""
        name = entry(workspace, id_)
        added = await self._store.zscore(keys.KEPT, name)
        if added is not None and added + FORGET_MS < now_ms:
            await self._store.zrem(keys.KEPT, name)


def kept_up(entries: Iterable[Entry]) -> list[str]:
    """The names of those that are kept up."""
    segments = (each for each in entries if isinstance(each, Segment))
    return [entry(each.workspace, each.id) for each in segments if each.rule or each.source]


def entry(workspace: str, id_: str) -> str:
    return f"{workspace}\0{id_}"


def _pair(name: bytes) -> tuple[str, str]:
    workspace, _, id_ = name.decode().partition("\0")
    return workspace, id_
