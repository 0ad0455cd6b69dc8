"""The catalogue as a whole: all its entries, and all of them put in the place of what there was."""

from __future__ import annotations

from collections.abc import Iterable
from secrets import token_hex
from typing import Any

from redis.exceptions import WatchError

from livesegments.store import keys
from livesegments.store.changes import number
from livesegments.store.kept import kept_up
from livesegments.store.places import own, place_of
from livesegments.wire import catalog as wire
from livesegments.wire.catalog import ComputedAttribute, Segment, Workspace

EVERYONE = "*"
"""The scope of workspaces and keys."""


async def entries(store: Any) -> dict[str, bytes]:
    """By the topic's keys."""
    ids = [id_.decode() for id_ in await store.hkeys(keys.CATALOG_WORKSPACES)]
    async with store.pipeline(transaction=True) as pipe:
        for hash_ in (keys.CATALOG_WORKSPACES, keys.CATALOG_KEYS, *own(ids)):
            pipe.hvals(hash_)
        found = await pipe.execute()
    return {wire.key_of(wire.decode(data)): data for values in found for data in values}


async def replaced(store: Any, now: Iterable[bytes], sequence: int, expected: int) -> bool:
    """Whether the catalogue is just these entries, at `sequence`; False where it is no longer at `expected`.

    Segments and computed attributes that go by this are retired, as if they had been deleted."""
    decoded = [(wire.decode(data), data) for data in now]
    named = {wire.key_of(entry) for entry, _ in decoded}
    old = {key: data for key, data in (await entries(store)).items() if key not in named}
    kept = map(wire.decode, old.values())
    gone = [entry for entry in kept if isinstance(entry, Segment | ComputedAttribute)]
    before = await store.hkeys(keys.CATALOG_WORKSPACES)
    ids = {id_.decode() for id_ in before} | {each.id for each, _ in decoded if isinstance(each, Workspace)}
    async with store.pipeline(transaction=True) as pipe:
        await pipe.watch(keys.CATALOG_SEQUENCE)
        if number(await pipe.get(keys.CATALOG_SEQUENCE)) != expected:
            return False
        pipe.multi()
        pipe.delete(keys.CATALOG_WORKSPACES, keys.CATALOG_KEYS, *own(ids))
        if ids:
            pipe.delete(*map(keys.catalog_changed, ids))
        for entry, data in decoded:
            pipe.hset(*place_of(entry), data)
        for name in kept_up(entry for entry, _ in decoded):
            pipe.zadd(keys.KEPT, {name: 0})
        for each in gone:
            version = each.definition_version if isinstance(each, Segment) else each.version
            pipe.hset(keys.catalog_retired(each.workspace), place_of(each)[1], version)
        # unlike any revision before: nobody takes an older snapshot for this one
        revision = f"{sequence}-{token_hex(4)}"
        for scope in (EVERYONE, *ids):
            pipe.hset(keys.CATALOG_REVISIONS, scope, revision)
        pipe.set(keys.CATALOG_SEQUENCE, sequence)
        try:
            await pipe.execute()
        except WatchError:
            return False
    return True
