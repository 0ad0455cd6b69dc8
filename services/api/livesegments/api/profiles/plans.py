"""A plan for every workspace, with which the api works on stored profiles; compiled on demand."""

from __future__ import annotations

import asyncio

from cachetools import LRUCache

from livesegments.core import plan
from livesegments.core.computed import PREFIX
from livesegments.core.definition import Node
from livesegments.core.plan import Plan
from livesegments.core.value_list import Contents
from livesegments.store.catalog import Catalog
from livesegments.store.contents import StoredContents
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import Workspace

CACHED = 16


class Plans:
    """The newest plan of each of the last `CACHED` workspaces. Its revision means nothing outside this
    class."""

    def __init__(self, catalog: Catalog, contents: StoredContents) -> None:
        self._catalog, self._contents = catalog, contents
        self._cache: LRUCache[str, tuple[str, Plan]] = LRUCache(CACHED)
        self._compiling = asyncio.Lock()

    async def of(self, workspace: Workspace) -> Plan:
        snapshot = await self._catalog.segments(workspace.id)
        async with self._compiling:
            revision, previous = self._cache.get(workspace.id, ("", None))
            stale = previous is None or previous.timezone != workspace.timezone
            if stale or revision != snapshot.revision:
                nodes: list[Node | None] = [each.definition for each in snapshot.segments.values()]
                nodes += snapshot.measures.values()
                contents = await self._contents.of(workspace.id, nodes)
                made = await asyncio.to_thread(_compile, workspace, snapshot, contents, previous)
                self._cache[workspace.id] = snapshot.revision, made
            return self._cache[workspace.id][1]


def _compile(workspace: Workspace, snapshot: Snapshot, contents: Contents, previous: Plan | None) -> Plan:
    segments = [
        plan.Segment(each.id, each.definition_version, 0, each.definition)
        for each in snapshot.segments.values()
        if not each.archived_ms
    ]
    segments += [
        plan.Segment(PREFIX + each.id, each.version, 0, each.definition)
        for each in snapshot.computed.values()
    ]
    return plan.compile(workspace.id, workspace.timezone, segments, 0, previous=previous, contents=contents)
