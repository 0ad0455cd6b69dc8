"""The catalogue in Redis: workspaces, keys and segments, with one order over every change of them.

Rules and invariants:
- Every change gets the next number of one sequence, `{catalog}:sequence`. The same script call writes the
  entry, moves the revision of its scope, and puts the change into `{catalog}:outbox`, from where the api
  publishes it to topic `definitions` in order and only then answers. So what is in Redis is either in the
  topic or still in the outbox, whatever dies when.
- A scope is what is decided on at once: a workspace's segments, or the workspaces and keys of all (`*`).
  Its revision is the number of its last change (module `changes`). A process that changes something reads the
  scope, decides on what it read, and writes only if the revision is still the same; else it reads and decides
  again. So names are unique, references hold and no edit is lost, however many api processes there are.
- A deleted segment's last definition version is kept: an id that is used again goes on counting from there,
  and no evaluator takes the new definition for the old one.
- What is read is remembered with its scope's revision, and given again only while the store says that the
  revision is still that: a key that was revoked or narrowed, by whatever process, is so at the next request.
- Without `{catalog}:sequence` (Redis is empty, or was lost) nothing is written: the api restores the
  catalogue from the topic first (`replace`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import ContextVar
from hashlib import sha256
from typing import Any, Literal, TypeVar

from cachetools import LRUCache

from livesegments.core.computed import PREFIX
from livesegments.core.declared import Declarations
from livesegments.store import keys, versions, whole
from livesegments.store.audit_log import AuditLog, in_snapshot
from livesegments.store.changes import Changes, NotRestored, Put, Write
from livesegments.store.client import Client
from livesegments.store.places import place_of
from livesegments.store.reading import beside, brought_up
from livesegments.store.snapshot import Snapshot
from livesegments.store.together import together
from livesegments.store.whole import EVERYONE
from livesegments.wire import catalog as wire
from livesegments.wire.catalog import (
    ComputedAttribute,
    Entry,
    Key,
    Segment,
    ValueList,
    Workspace,
)
from livesegments.wire.subscription import PREFIX as SUBSCRIPTION
from livesegments.wire.subscription import Subscription

Kept = TypeVar("Kept", Workspace, Key, Segment, ValueList)

CACHED_WORKSPACES = 64
CACHED_DECLARATIONS = 1_024
"""Workspaces whose declared attributes are remembered."""
CACHED_ENTRIES = 4_096
"""Keys, workspaces and single segments."""

NEVER = "0"
"""The revision of a scope in which nothing was ever changed."""

_seen: ContextVar[dict[str, str] | None] = ContextVar("seen", default=None)


def see_once() -> None:
    """From here on the present task (a request) reads the revision of a scope once, unless it changes it."""
    _seen.set({})


def digest(secret: str) -> str:
    """A key as it is stored: SHA-256 in hexadecimal. Keys are 256 random bits, so it needs no salt."""
    return sha256(secret.encode()).hexdigest()


class Catalog:
    """Reads raise Away, and nothing else, when the store can't be reached."""

    def __init__(self, store: Client, now_ms: Callable[[], int] = lambda: 0) -> None:
        """`now_ms`: for the audit log of those who write."""
        self._redis: Any = store
        self.changes = Changes(store, keys.CATALOG_SEQUENCE, keys.CATALOG_REVISIONS, keys.CATALOG_OUTBOX)
        self.audit = AuditLog(store, self.changes, now_ms)
        self._together = together(store)
        self._cache: LRUCache[str, Snapshot] = LRUCache(CACHED_WORKSPACES)
        self._entries: LRUCache[tuple[str, str], tuple[str, Any]] = LRUCache(CACHED_ENTRIES)
        self._declared: LRUCache[str, tuple[str, Declarations]] = LRUCache(CACHED_DECLARATIONS)
        self._changing = asyncio.Lock()

    async def key(self, secret_digest: str) -> Key | None:
        place = (keys.CATALOG_KEYS, secret_digest)
        remembered = self._entries.get(place)
        if remembered is not None:  # its workspace is most likely asked for next
            await self._revisions(EVERYONE, remembered[1].workspace)
        return await self._entry(Key, EVERYONE, *place)

    async def keys(self, workspace: str) -> list[Key]:
        """The keys of one workspace (admin keys belong to `*`), the oldest first."""
        found = [_as(Key, data) for data in await self._redis.hvals(keys.CATALOG_KEYS)]
        ours = [key for key in found if key is not None and key.workspace == workspace]
        return sorted(ours, key=lambda key: (key.created_ms, key.digest))

    async def workspace(self, id_: str) -> Workspace | None:
        return await self._entry(Workspace, EVERYONE, keys.CATALOG_WORKSPACES, id_)

    async def workspaces(self) -> list[Workspace]:
        """Oldest first."""
        found = [_as(Workspace, data) for data in await self._redis.hvals(keys.CATALOG_WORKSPACES)]
        return sorted(
            (each for each in found if each is not None), key=lambda each: (each.created_ms, each.id)
        )

    async def segment(self, workspace: str, id_: str) -> Segment | None:
        if id_.startswith((PREFIX, SUBSCRIPTION)):  # they are kept beside the segments
            return None
        snapshot = self._cache.get(workspace)
        if snapshot is not None and snapshot.revision == (await self._revisions(workspace))[0]:
            return snapshot.segments.get(id_)
        return await self._entry(Segment, workspace, keys.catalog_segments(workspace), id_)

    async def segments(self, workspace: str) -> Snapshot:
        """All of a workspace's segments; only what has changed since the last time is read again."""
        cached = self._cache.get(workspace)
        place, retired_place = keys.catalog_segments(workspace), keys.catalog_retired(workspace)
        if cached is not None:
            if (await self._revisions(workspace))[0] == cached.revision:
                return cached
            changed = keys.catalog_changed(workspace)
            lists = keys.catalog_lists(workspace)
            since = await self.changes.since(workspace, cached.revision, place, retired_place, changed, lists)
            if since is not None:
                return self._remember(workspace, brought_up(cached, since)) if since.fields else cached
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hget(keys.CATALOG_REVISIONS, workspace)
            pipe.hvals(place)
            pipe.hgetall(retired_place)
            pipe.hvals(keys.catalog_lists(workspace))
            revision, found, retired, lists_found = await pipe.execute()
        entries = [wire.decode(data) for data in found]
        segments = [each for each in entries if isinstance(each, Segment)]
        computed = [each for each in entries if isinstance(each, ComputedAttribute)]
        hearing = [each for each in entries if isinstance(each, Subscription)]
        versions = {id_.decode(): int(version) for id_, version in retired.items()}
        value_lists, fields = beside(lists_found)
        made = Snapshot(_text(revision), segments, versions, value_lists, computed, hearing, fields)
        return self._remember(workspace, made)

    async def declarations(self, workspace: str) -> Declarations:
        """What is declared of its attributes, without its segments."""
        revision = (await self._revisions(workspace))[0]
        remembered = self._declared.get(workspace)
        if remembered is not None and remembered[0] == revision:
            return remembered[1]
        _, fields = beside(await self._redis.hvals(keys.catalog_lists(workspace)))
        found = {each.name: each.declared for each in fields}
        self._declared[workspace] = revision, found
        return found

    async def add_workspace(self, workspace: Workspace) -> int | None:
        """The number of the change; None if there is one with this id already."""
        sequence = await self._write(EVERYONE, workspace, new=True)
        return None if sequence < 0 else sequence

    async def change_workspace(
        self, id_: str, decide: Callable[[Workspace | None], Workspace]
    ) -> tuple[Workspace, int]:
        """As `change_segment`: `decide` sees the newest workspace, or None, until its decision is written."""
        while True:
            _unsee(EVERYONE)
            revision = (await self._revisions(EVERYONE))[0]
            old = await self.workspace(id_)
            workspace = decide(old)
            sequence = await self._write(EVERYONE, workspace, old=old, revision=revision)
            if sequence >= 0:
                return workspace, sequence

    async def put_key(self, key: Key) -> int:
        return await self._write(EVERYONE, key)

    async def delete_key(self, key: Key) -> int:
        return await self._write(EVERYONE, key, old=key, delete=True)

    async def change_segment(
        self, workspace: str, decide: Callable[[Snapshot], tuple[Literal["put", "delete"], Segment]]
    ) -> tuple[Segment, int]:
        """Lets `decide` see the newest snapshot until its decision is written on just that.

        It may be called several times, and what it raises comes through. Returns the segment and the
        number of the change, which is not yet in the topic.
        """
        async with self._changing:  # other processes see the revision; among us, a queue is cheaper
            while True:
                _unsee(workspace)
                snapshot = await self.segments(workspace)
                what, segment = decide(snapshot)
                deleted = what == "delete"
                sequence = await self._write_segments(snapshot, workspace, [segment], deleted)
                if sequence >= 0:
                    return segment, sequence

    async def put_segments(
        self, workspace: str, decide: Callable[[Snapshot], Awaitable[Sequence[Segment]]]
    ) -> int:
        """Does the same for several at once, all of them or none. Returns the number of the last change; 0
        for none."""
        async with self._changing:
            while True:
                _unsee(workspace)
                snapshot = await self.segments(workspace)
                segments = await decide(snapshot)
                if not segments:
                    return 0
                sequence = await self._write_segments(snapshot, workspace, segments, deleted=False)
                if sequence >= 0:
                    return sequence

    async def change_lists(
        self, workspace: str, decide: Callable[[Snapshot], Awaitable[Sequence[Put]]]
    ) -> int:
        """Does the same for value lists, their contents, computed attributes and the segments that name them.

        Returns the number of the last change; 0 for none."""
        async with self._changing:
            while True:
                _unsee(workspace)
                snapshot = await self.segments(workspace)
                puts = await decide(snapshot)
                if not puts:
                    return 0
                place, retired = keys.catalog_segments(workspace), keys.catalog_retired(workspace)
                changed = keys.catalog_changed(workspace)
                _unsee(workspace)
                told = self.audit.beside(puts, in_snapshot(snapshot))
                sequence = await self.changes.write(
                    Write(workspace, snapshot.revision, place, (*puts, *told), retired, changed)
                )
                if sequence >= 0:
                    return sequence

    async def whole(self) -> None:
        """Raises NotRestored while there is no catalogue: nothing can be said to be missing from it then."""
        if await self.sequence() < 0:
            raise NotRestored

    async def sequence(self) -> int:
        """The number of the last change; -1 where there is no catalogue."""
        return await self.changes.sequence()

    async def entries(self) -> dict[str, bytes]:
        """Everything, by the topic's keys."""
        return await whole.entries(self._redis)

    async def replace(self, entries: Iterable[bytes], sequence: int, expected: int) -> bool:
        """Makes the catalogue just these entries, at `sequence`, unless it is not at `expected` any more.

        Segments that go by this are retired, as if they had been deleted here.
        """
        if not await whole.replaced(self._redis, entries, sequence, expected):
            return False
        self._cache.clear()
        self._declared.clear()
        self._entries.clear()
        return True

    async def _write(
        self,
        scope: str,
        entry: Entry,
        *,
        old: Entry | None = None,
        revision: str | None = None,
        delete: bool = False,
        new: bool = False,
    ) -> int:
        """A workspace or a key. The number of the change; -1 if `revision` is not the scope's any more, or
        `new` is there."""
        hash_, field = place_of(entry)
        put = Put(field, wire.key_of(entry), b"" if delete else wire.encode(entry))
        _unsee(scope)
        told = self.audit.beside([put], lambda *_: old)
        return await self.changes.write(
            Write(scope, revision, hash_, (put, *told), keys.catalog_retired(scope), new=new)
        )

    async def _write_segments(
        self, snapshot: Snapshot, workspace: str, segments: Sequence[Segment], deleted: bool
    ) -> int:
        """The number of the last change; -1 if the snapshot's revision is not the workspace's any more."""
        former = versions.deleted(snapshot, segments) if deleted else versions.former(snapshot, segments)
        if not deleted:
            segments = [versions.stamped(snapshot, each) for each in segments]
        puts = (
            *former,
            *(
                Put(each.id, wire.key_of(each), b"", str(each.definition_version))
                if deleted
                else Put(each.id, wire.key_of(each), wire.encode(each))
                for each in segments
            ),
        )
        place, retired = keys.catalog_segments(workspace), keys.catalog_retired(workspace)
        changed = keys.catalog_changed(workspace)
        _unsee(workspace)
        told = self.audit.beside(puts, in_snapshot(snapshot))
        sequence = await self.changes.write(
            Write(workspace, snapshot.revision, place, (*puts, *told), retired, changed)
        )
        if sequence >= 0:
            _, dash, epoch = snapshot.revision.partition("-")
            after = snapshot.draft(f"{sequence}{dash}{epoch}")
            for each in segments:
                if deleted:
                    after.drop(each.id, each.definition_version)
                else:
                    after.put(each)
            self._remember(workspace, after)
        return sequence

    async def _revisions(self, *scopes: str) -> list[str]:
        """As the store has them now, or as this task has seen them already."""
        seen = _seen.get()
        if seen is None or not all(scope in seen for scope in scopes):
            found = await self._together.one("HMGET", keys.CATALOG_REVISIONS, *scopes)
            now = dict(zip(scopes, map(_text, found), strict=True))
            if seen is None:
                return list(now.values())
            seen |= now
        return [seen[scope] for scope in scopes]

    async def _entry(self, kind: type[Kept], scope: str, hash_: str, field: str) -> Kept | None:
        """Its revision is read first: what is remembered under it is never older than it says."""
        revision = (await self._revisions(scope))[0]
        remembered = self._entries.get((hash_, field))
        if remembered is not None and remembered[0] == revision != NEVER:
            assert isinstance(remembered[1], kind)
            return remembered[1]
        found = _as(kind, await self._together.one("HGET", hash_, field))
        if found is None:
            self._entries.pop((hash_, field), None)
        else:
            self._entries[hash_, field] = revision, found
        return found

    def _remember(self, workspace: str, snapshot: Snapshot) -> Snapshot:
        self._cache[workspace] = snapshot
        return snapshot


def _as(kind: type[Kept], data: bytes | None) -> Kept | None:
    entry = wire.decode(data) if data is not None else None
    assert entry is None or isinstance(entry, kind)
    return entry


def _unsee(scope: str) -> None:
    seen = _seen.get()
    if seen is not None:
        seen.pop(scope, None)


def _text(revision: bytes | None) -> str:
    return NEVER if revision is None else revision.decode()
