"""The store's client, and the one error that its callers know: `Away`.

No service and no command names Redis: they `connect`, hand the client to the rooms of `store`, and catch
`Away`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import Pipeline as RedisPipeline
from redis.exceptions import NoScriptError, RedisError, WatchError

CONNECTIONS = 64
WAIT_S = 5.0
"""A burst waits for a connection, and is refused one only after this many seconds."""

_INTERNAL = (NoScriptError, WatchError)
"""The driver and `store` themselves answer these."""


class Away(OSError):
    """The store can't be reached, or refuses to work (it loads, has no room, is a replica). Whether a write
    was done is not known; the same call may be made again later."""


def away(error: BaseException) -> Away:
    return Away(f"the store is away: {error!r}")


class _Pipeline(RedisPipeline):
    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        try:
            return await super().execute(raise_on_error)
        except _INTERNAL:
            raise
        except RedisError as error:
            raise away(error) from error

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except _INTERNAL:
            raise
        except RedisError as error:
            raise away(error) from error


class _Client(Redis):
    async def execute_command(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except _INTERNAL:
            raise
        except RedisError as error:
            raise away(error) from error

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> RedisPipeline:
        return _Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


Client: TypeAlias = Redis
"""The result of `connect`: an async context manager, to be closed with `aclose`."""


def connect(url: str) -> Client:
    """Connects when first used. Raises ValueError for a text that is not a URL of Redis."""
    pool = BlockingConnectionPool.from_url(url, max_connections=CONNECTIONS, timeout=WAIT_S)
    return _Client.from_pool(pool)
