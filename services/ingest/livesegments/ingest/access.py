"""Which keys may send to which workspace: from the catalogue, remembered for a second."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from livesegments.core.declared import Declarations
from livesegments.core.names.seen import MAX_NAMES
from livesegments.ingest.lists import Lists
from livesegments.store.catalog import Catalog, digest
from livesegments.store.changes import NotRestored
from livesegments.wire.catalog import Key, Quotas, Workspace

KNOWN_MS = 1_000
MAX_KNOWN = 10_000
NO_QUOTAS = Quotas()

Found = TypeVar("Found")


class Memory(Generic[Found]):
    """Answers of `find`, each for `KNOWN_MS`, the newest `MAX_KNOWN`.

    A caller that comes while the same name is being looked up gets that answer, so a burst costs one look-up.
    """

    def __init__(self, find: Callable[[str], Awaitable[Found]], now_ms: Callable[[], int]) -> None:
        self._find = find
        self._now_ms = now_ms
        self._known: OrderedDict[str, tuple[int, Found]] = OrderedDict()
        self._asked: dict[str, asyncio.Task[Found]] = {}

    async def get(self, name: str) -> Found:
        known, now_ms = self._known.get(name), self._now_ms()
        if known is not None and 0 <= now_ms - known[0] < KNOWN_MS:
            return known[1]
        asked = self._asked.get(name)
        if asked is None:
            asked = self._asked[name] = asyncio.create_task(self._ask(name, now_ms))
        return await asyncio.shield(asked)

    async def _ask(self, name: str, now_ms: int) -> Found:
        try:
            found = await self._find(name)
        finally:
            del self._asked[name]
        self._known[name] = (now_ms, found)
        self._known.move_to_end(name)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return found


class Access:
    """Raises Away; NotRestored rather than say that something isn't there when nothing
    is, because Redis was lost: a sender would take the key for wrong, and give its events up."""

    def __init__(
        self,
        catalog: Catalog,
        now_ms: Callable[[], int],
        unknown_lists: bool = False,
        defaults: Quotas = NO_QUOTAS,
    ) -> None:
        self._catalog = catalog
        self._unknown_lists = unknown_lists
        self._keys: Memory[Key | None] = Memory(self._key, now_ms)
        self._workspaces: Memory[Workspace | None] = Memory(self._workspace, now_ms)
        self._declared: Memory[Declarations] = Memory(catalog.declarations, now_ms)
        self._defaults = defaults

    async def key(self, secret: str) -> Key | None:
        return await self._keys.get(digest(secret))

    async def exists(self, workspace: str) -> bool:
        return await self._workspaces.get(workspace) is not None

    async def quotas(self, workspace: str) -> Quotas:
        """Those that hold for it, a second old at most."""
        found = await self._workspaces.get(workspace)
        return self._defaults if found is None else found.quotas.over(self._defaults)

    async def names(self, workspace: str) -> int:
        """How many names of its events are kept."""
        found = (await self.quotas(workspace)).names
        return MAX_NAMES if found is None else found

    async def merges(self, workspace: str) -> bool:
        """Whether its anonymous profiles are merged into known ones."""
        found = await self._workspaces.get(workspace)
        return found is not None and found.merge

    async def lists(self, workspace: str) -> Lists:
        """As the catalogue is now: a list is there for events as soon as the api says that it is created."""
        segments = (await self._catalog.segments(workspace)).segments
        if not segments:
            await self._is_whole()
        return Lists(segments, self._unknown_lists)

    async def declarations(self, workspace: str) -> Declarations:
        """As the catalogue is now: a type is followed as soon as the api says that it is declared."""
        return await self._catalog.declarations(workspace)

    async def declared(self, workspace: str) -> Declarations:
        """A second old at most: what a topic brings is too much to look each time."""
        return await self._declared.get(workspace)

    async def _key(self, secret_digest: str) -> Key | None:
        found = await self._catalog.key(secret_digest)
        if found is None:
            await self._is_whole()
        return found

    async def _workspace(self, id_: str) -> Workspace | None:
        found = await self._catalog.workspace(id_)
        if found is None:
            await self._is_whole()
        return found

    async def _is_whole(self) -> None:
        if await self._catalog.sequence() < 0:
            raise NotRestored("Redis holds no catalogue: the api restores it from the topic")


def secret_of(authorization: str) -> str | None:
    """The write key: the user of Basic (any password), or a Bearer token."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[0] or None
    except (binascii.Error, UnicodeDecodeError):
        return None
