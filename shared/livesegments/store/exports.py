"""Exports of segments: jobs that the api's processes do, and where their files are.

The record of a job is in `{exports}:jobs:WORKSPACE`. While the job waits or runs, and as long as its file is
kept, `{exports}:all` names it. All of it is as disposable as the rest of the store: without it a file
counts for nothing, and is removed with the next ones that are too old.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from livesegments.store import keys
from livesegments.store.client import Client
from livesegments.store.turn import Turn

Format: TypeAlias = Literal["csv", "ndjson", "parquet"]
State: TypeAlias = Literal["waiting", "running", "done", "failed"]
OPEN = frozenset({"waiting", "running"})
_REPLACE = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
"""


class Export(Struct, frozen=True, omit_defaults=True):
    """One job; instants are ms since 1970.

    fields, include  the columns beside the profile's id: names of attributes, and what else is known of it
    done, total      members looked at, of those that there were when it began; `rows` of them were written
    file, bytes      the name under which the whole file is kept, and its size; "": there is none
    until_ms         until when the file is kept
    begun            how many times it was begun: a process may have died over it
    erased           per partition, the newest erasure in the workspace when it began (store.erasures)
    building         computed attributes that were still given their history for some of the rows
    """

    workspace: str
    id: str
    segment: str
    format: Format
    fields: tuple[str, ...]
    include: tuple[str, ...]
    created_ms: int
    entered_since_ms: int | None = None
    updated_since_ms: int | None = None
    state: State = "waiting"
    done: int = 0
    total: int = 0
    rows: int = 0
    bytes: int = 0
    file: str = ""
    ended_ms: int | None = None
    until_ms: int = 0
    error: str = ""
    begun: int = 0
    erased: tuple[int, ...] = ()
    building: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class Exports:
    """All raise Away when the store can't be reached."""

    def __init__(self, store: Client) -> None:
        self._store: Any = store

    async def add(self, export: Export) -> None:
        async with self._store.pipeline(transaction=True) as pipe:
            pipe.hset(keys.exports(export.workspace), export.id, _encode(export))
            pipe.zadd(keys.EXPORTS, {_name(export.workspace, export.id): export.created_ms})
            await pipe.execute()

    async def read(self, workspace: str, id_: str) -> Export | None:
        data = await self._store.hget(keys.exports(workspace), id_)
        return None if data is None else _decode(data)

    async def of(self, workspace: str) -> list[Export]:
        """The newest first."""
        found = [_decode(data) for data in await self._store.hvals(keys.exports(workspace))]
        return sorted(found, key=lambda each: (-each.created_ms, each.id))

    async def all(self) -> list[Export]:
        """Of every workspace, the oldest first."""
        names = [name.decode().split("\0") for name in await self._store.zrange(keys.EXPORTS, 0, -1)]
        pipe = self._store.pipeline(transaction=False)
        for workspace, id_ in names:
            pipe.hget(keys.exports(workspace), id_)
        return [_decode(data) for data in await pipe.execute() if data is not None] if names else []

    async def replace(self, export: Export) -> bool:
        """False: it was removed meanwhile, and stays so."""
        made = await self._store.eval(_REPLACE, 1, keys.exports(export.workspace), export.id, _encode(export))
        return bool(made)

    async def remove(self, workspace: str, id_: str) -> None:
        async with self._store.pipeline(transaction=True) as pipe:
            pipe.hdel(keys.exports(workspace), id_)
            pipe.zrem(keys.EXPORTS, _name(workspace, id_))
            await pipe.execute()

    def turn(self, export: Export) -> Turn:
        """Whoever has it does the job."""
        return Turn(self._store, keys.export_turn(export.workspace, export.id))


def _name(workspace: str, id_: str) -> str:
    return f"{workspace}\0{id_}"


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Export).decode
