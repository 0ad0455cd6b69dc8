"""How the last run of each list's source went: `{kept}:runs:WORKSPACE`, written by the api.

It is as disposable as the rest of the store: without it every source is read once more.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from livesegments.store import keys
from livesegments.store.client import Client


class Run(Struct, frozen=True, omit_defaults=True):
    """Instants are ms since 1970. `rows` were read, of which `odd` name no profile.

    `held`: it would have taken `gone` members off the list, more than may go without being confirmed.
    """

    begun_ms: int
    ended_ms: int
    state: Literal["done", "held", "failed"]
    error: str = ""
    rows: int = 0
    odd: int = 0
    added: int = 0
    removed: int = 0
    gone: int = 0


class SourceRuns:
    """All raise Away when the store can't be reached."""

    def __init__(self, store: Client) -> None:
        self._store: Any = store

    async def last(self, workspace: str, segment: str) -> Run | None:
        data = await self._store.hget(keys.source_runs(workspace), segment)
        return None if data is None else _decode(data)

    async def put(self, workspace: str, segment: str, run: Run) -> None:
        await self._store.hset(keys.source_runs(workspace), segment, _encode(run))

    async def forget(self, workspace: str, segment: str) -> None:
        await self._store.hdel(keys.source_runs(workspace), segment)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Run).decode
