"""What a partition knows of its history at one moment: the register of its files, and the tail beside them.

For processes that may block: both are read in one transaction, so no event is in both, nor in neither.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from redis import Redis
from redis.exceptions import RedisError

from livesegments.store import keys
from livesegments.store.client import away
from livesegments.store.tail import Entry, decode_fields


class Snapshot(Struct, frozen=True):
    """`files` are the names that the register has; `clock_ms` is None before the partition's first event."""

    files: list[str]
    tail: list[tuple[int, Entry]]
    clock_ms: int | None


class Histories:
    def __init__(self, url: str) -> None:
        self._redis: Any = Redis.from_url(url)

    def read(self, partition: int) -> Snapshot:
        """Raises Away."""
        try:
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.hkeys(keys.archive(partition))
                pipe.xrange(keys.tail(partition))
                pipe.hget(keys.head(partition), "clock")
                files, entries, clock = pipe.execute()
        except RedisError as error:
            raise away(error) from error
        return Snapshot(
            files=[name.decode() for name in files],
            tail=[(int(id_.split(b"-")[0]), decode_fields(fields)) for id_, fields in entries],
            clock_ms=None if clock is None else int(clock),
        )
