"""The names seen in a workspace, in Redis: ingest adds the names that it saw, the api reads them.

`{names}:WORKSPACE` is a hash, event name → msgpack of `core.names.seen.Name`. It is advice for people who
write definitions: where Redis is lost, the events that come from then on fill it again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError, WatchError

from livesegments.core.event import PROFILE
from livesegments.core.names.seen import (
    GAVE_WAY,
    MAX_NAMES,
    Name,
    Names,
    decode,
    encode,
    merge,
    surplus,
)
from livesegments.store import keys
from livesegments.wire.suppressed import value_digest

TRIES = 5


class NameStore:
    """All calls raise OSError when Redis can't be reached.

    `gave_way` is called with how many names were dropped, because there were too many.
    """

    def __init__(self, redis: Redis, gave_way: Callable[[int], object] | None = None) -> None:
        self._redis: Any = redis
        self._gave_way = gave_way

    async def read(self, workspace: str) -> Names:
        with _as_os_error():
            found = await self._redis.hgetall(keys.names(workspace))
        return {name.decode(): decode(data) for name, data in found.items()}

    async def add(self, workspace: str, seen: Mapping[str, Name], most: int = MAX_NAMES) -> bool:
        """Merges `seen` into the workspace's names, of which at most `most` are kept beside our own.

        False: others wrote at the same time, again and again; nothing was added.
        """
        with _as_os_error():
            return await self._add(keys.names(workspace), list(seen), seen, most)

    async def forget(self, workspace: str, key: str, values: Collection[str]) -> None:
        """Drops the values with these digests under a key (`wire.suppressed`); they may come again."""
        if not values:
            return
        with _as_os_error():
            found = await self._redis.hgetall(keys.names(workspace))
            for field, data in found.items():
                await self._forget(keys.names(workspace), field, key, values, data)

    async def _forget(self, hash_: str, field: bytes, key: str, values: Collection[str], data: bytes) -> None:
        while True:
            name, changed = decode(data), False
            for path in name.paths.values():
                for value in [each for each in path.values if value_digest(key, each) in values]:
                    del path.values[value]
                    changed = True
            if not changed:
                return
            async with self._redis.pipeline(transaction=True) as pipe:
                await pipe.watch(hash_)
                now = await pipe.hget(hash_, field)
                if now != data:
                    if now is None:
                        return
                    data = now
                    continue
                pipe.multi()
                pipe.hset(hash_, field, encode(name))
                with suppress(WatchError):
                    await pipe.execute()
                    return

    async def _add(self, key: str, fields: list[str], seen: Mapping[str, Name], most: int) -> bool:
        for _ in range(TRIES):
            async with self._redis.pipeline(transaction=True) as pipe:
                await pipe.watch(key)
                stored = await pipe.hmget(key, fields)
                made = {
                    name: seen[name] if data is None else merge(decode(data), seen[name])
                    for name, data in zip(fields, stored, strict=True)
                }
                gone: list[str] = []
                if await self._own(pipe, key) + stored.count(None) > most:
                    others = await pipe.hgetall(key)
                    gone = surplus(
                        {name.decode(): decode(data) for name, data in others.items()} | made, most
                    )
                    if gone:
                        made[GAVE_WAY] = Name(max(each.last_ms for each in made.values()))
                kept = {name: encode(each) for name, each in made.items() if name not in gone}
                pipe.multi()
                if kept:
                    pipe.hset(key, mapping=kept)
                if gone:
                    pipe.hdel(key, *gone)
                try:
                    await pipe.execute()
                except WatchError:
                    continue
                if gone and self._gave_way is not None:
                    self._gave_way(len(gone))
                return True
        return False

    async def _own(self, pipe: Any, key: str) -> int:
        """How many names the workspace has, without those that begin with `$`."""
        ours = sum([await pipe.hexists(key, each) for each in (PROFILE, GAVE_WAY)])
        own: int = await pipe.hlen(key) - ours
        return own


@contextmanager
def _as_os_error() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise ConnectionError(f"the names that were seen can't be reached: {error}") from error
