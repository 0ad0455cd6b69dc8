"""The audit log: every change of the catalogue says who made it, in the script call that makes it.

- An entry is an entry of the catalogue like the others: it is written by the same script call as the change
  that it tells of, goes through the outbox to topic `definitions`, and comes back from there when the store
  was lost. So there is no change without its entry, and no entry of a change that was refused.
- What is no change of the catalogue (a job, an export, an erasure) is noted before it begins: an entry may
  tell of something that then failed, but nothing begins without one.
- Entries are only added, and deleted when they are too old or too many (`trim`). Of those about members of
  lists only a share is kept: who puts many profiles on a list, one by one, pushes out nothing else.
- Who is erased is taken out of the entries that name it (`forget`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

from msgspec.structs import replace

from livesegments.store import keys
from livesegments.store.actor import acting, meant
from livesegments.store.changes import Changes, Put, Write
from livesegments.store.client import Client
from livesegments.store.snapshot import Snapshot
from livesegments.wire import catalog as wire
from livesegments.wire.audited import Audited, Form
from livesegments.wire.catalog import Entry, Key, Segment, ValueList

KEY_ID_LENGTH = 16
DIGEST_LENGTH = 16
AT_ONCE = 500
SHARE = 4
"""One in so many of the entries that are kept may be about members."""
NUMBER = "#"
"""Becomes the number of the change."""
KINDS = {
    "workspace": "workspace",
    "key": "key",
    "segment": "segment",
    "computed": "computed_attribute",
    "subscription": "subscription",
    "field": "field",
    "value_list": "value_list",
}
"""The kinds of entries that are audited, as the log names them."""
BESIDE = frozenset({"version", "values", "audit"})
"""What is written beside others, and never alone."""


class AuditLog:
    """Raises Away."""

    def __init__(self, store: Client, changes: Changes, now_ms: Callable[[], int]) -> None:
        self._redis: Any = store
        self._changes = changes
        self._now_ms = now_ms

    def beside(self, puts: Sequence[Put], before: Callable[[str, str], Entry | None]) -> list[Put]:
        """What is written beside these changes. `before` gives an entry as it was, by its kind and its id."""
        made: list[Put] = []
        for each in puts:
            kind, *place = each.key.split("/")
            if kind not in KINDS:
                continue
            old = before(kind, unquote(place[-1]))
            new = wire.decode(each.value) if each.value else None
            known = new or old
            if known is None or _is_forgotten(old, new):
                continue
            workspace = known.id if isinstance(known, wire.Workspace) else known.workspace
            target = known.digest[:KEY_ID_LENGTH] if isinstance(known, Key) else unquote(place[-1])
            made.append(
                self._put(
                    workspace,
                    _action(old, new),
                    KINDS[kind],
                    target,
                    name=getattr(known, "name", "") if kind != "field" else "",
                    before=None if _is_gone(old) else _form(old, wire.encode(old)) if old else None,
                    after=None if new is None or _is_gone(new) else _form(new, each.value),
                )
            )
        return made

    async def note(
        self,
        workspace: str,
        action: str,
        kind: str,
        target: str,
        *,
        name: str = "",
        note: str = "",
        profiles: Sequence[str] = (),
    ) -> int:
        """Notes what is no change of the catalogue; the number of this change. Raises NotRestored."""
        put = self._put(workspace, action, kind, target, name=name, note=note, profiles=profiles)
        return await self._write(workspace, [put])

    async def named(self, workspace: str) -> set[str]:
        """The ids of all profiles that entries name."""
        return {id_ for each in await self._about_members(workspace) for id_ in each.profiles}

    async def forget(self, workspace: str, profiles: Collection[str]) -> int:
        """Takes these out of the entries that name them; the number of the newest change, 0: there was none.

        Raises NotRestored."""
        told = [
            (each, tuple(id_ for id_ in each.profiles if id_ not in profiles))
            for each in await self._about_members(workspace)
        ]
        puts = [_again(replace(each, profiles=left)) for each, left in told if left != each.profiles]
        number = 0
        for at in range(0, len(puts), AT_ONCE):
            number = await self._write(workspace, puts[at : at + AT_ONCE])
        return number

    async def _about_members(self, workspace: str) -> list[Audited]:
        """The newest first."""
        ids = await self.ids(workspace)
        found: list[Audited] = []
        for at in range(0, len(ids), AT_ONCE):
            found += [each for each in await self.read(workspace, ids[at : at + AT_ONCE]) if each.profiles]
        return found

    async def ids(self, workspace: str) -> list[str]:
        """Of all entries, the newest first."""
        return sorted(
            (id_.decode() for id_ in await self._redis.hkeys(keys.catalog_audit(workspace))), reverse=True
        )

    async def read(self, workspace: str, ids: Sequence[str]) -> list[Audited]:
        """Those that are still there."""
        if not ids:
            return []
        found = await self._redis.hmget(keys.catalog_audit(workspace), ids)
        return [_audited(data) for data in found if data is not None]

    async def trim(self, workspace: str, kept: int, since_ms: int) -> int:
        """Deletes what is over the newest `kept`, or older than an instant; how many. Raises NotRestored."""
        ids = await self.ids(workspace)
        gone, left = ids[kept:], ids[:kept]
        while old := [
            each.id for each in await self.read(workspace, left[-AT_ONCE:]) if each.at_ms < since_ms
        ]:
            gone += old
            if len(old) < AT_ONCE:
                break
            del left[-AT_ONCE:]
        shared = [each.id for each in await self._about_members(workspace)]
        gone = list(dict.fromkeys([*gone, *shared[kept // SHARE :]]))
        for at in range(0, len(gone), AT_ONCE):
            await self._write(workspace, [_gone(workspace, each) for each in gone[at : at + AT_ONCE]])
        return len(gone)

    async def _write(self, workspace: str, puts: Sequence[Put]) -> int:
        """In a scope of its own: no segment is decided on by what is noted."""
        place = keys.catalog_audit(workspace)
        retired = keys.catalog_retired(workspace)
        return await self._changes.write(Write(f"audit/{workspace}", None, place, tuple(puts), retired))

    def _put(
        self,
        workspace: str,
        action: str,
        kind: str,
        target: str,
        *,
        name: str = "",
        before: Form | None = None,
        after: Form | None = None,
        note: str = "",
        profiles: Sequence[str] = (),
    ) -> Put:
        at_ms, who = self._now_ms(), acting()
        entry = Audited(
            workspace,
            NUMBER,
            at_ms,
            action,
            kind,
            target,
            name,
            who.name,
            who.key,
            who.request,
            before,
            after,
            note,
            tuple(profiles),
        )
        return Put(NUMBER, wire.key_of(entry), wire.encode(entry), place=keys.catalog_audit(workspace))


def in_snapshot(snapshot: Snapshot) -> Callable[[str, str], Entry | None]:
    """What a workspace has of these kinds, for `beside`."""
    places: dict[str, Any] = {
        "segment": snapshot.segments,
        "computed": snapshot.computed,
        "subscription": snapshot.subscriptions,
        "field": snapshot.fields,
        "value_list": snapshot.lists,
    }
    return lambda kind, id_: places.get(kind, {}).get(id_)


def _action(old: Entry | None, new: Entry | None) -> str:
    if new is None:
        return "revoke" if isinstance(old, Key) else "delete"
    if _is_gone(new):
        return "delete"
    if old is None or _is_gone(old):
        return "create"
    if (
        isinstance(old, Segment)
        and isinstance(new, Segment)
        and bool(old.archived_ms) != bool(new.archived_ms)
    ):
        return "archive" if new.archived_ms else "restore"
    return meant() or "edit"


def _is_gone(entry: Entry | None) -> bool:
    """A value list that is deleted stays for a while, for those who still serve it."""
    return isinstance(entry, ValueList) and entry.deleted_ms is not None


def _is_forgotten(old: Entry | None, new: Entry | None) -> bool:
    """What was deleted before goes at last."""
    return _is_gone(old) and (new is None or _is_gone(new))


def _form(entry: Entry, data: bytes) -> Form:
    return Form(getattr(entry, "version", 1), sha256(data).hexdigest()[:DIGEST_LENGTH])


def _again(entry: Audited) -> Put:
    place = keys.catalog_audit(entry.workspace)
    return Put(entry.id, wire.key_of(entry), wire.encode(entry), place=place)


def _gone(workspace: str, id_: str) -> Put:
    return Put(id_, f"audit/{workspace}/{id_}", b"", place=keys.catalog_audit(workspace))


def _audited(data: bytes) -> Audited:
    entry = wire.decode(data)
    assert isinstance(entry, Audited)
    return entry
