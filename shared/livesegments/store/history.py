"""What a partition knows of its history at one moment: the register of its files, and the tail beside them.

Both are read in one transaction, so no event is in both, nor in neither.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from redis import Redis
from redis.exceptions import RedisError

from livesegments.store import keys
from livesegments.store.client import Client, away
from livesegments.store.tail import Entry, decode_fields

PAGE = 200
"""Entries of the tail that are read at once."""


class Snapshot(Struct, frozen=True):
    """`files` are the names that the register has; `clock_ms` is None before the partition's first event.

    `members`: how many the segment has that was asked about.
    """

    files: list[str]
    tail: list[tuple[int, Entry]]
    clock_ms: int | None
    members: int = 0


async def read(store: Client, partition: int) -> Snapshot:
    """Raises Away when the store can't be reached."""
    redis: Any = store
    pipe = redis.pipeline(transaction=True)
    _ask(pipe, partition)
    return _snapshot(*await pipe.execute())


class Histories:
    """The same for a process that may block."""

    def __init__(self, url: str) -> None:
        self._redis: Any = Redis.from_url(url)

    def upto(self, partition: int, commit: int) -> Snapshot:
        """Files and tail, without what later commits have put into the tail. Raises Away.

        The tail is read page by page, so that nobody waits for Redis meanwhile. If the register changes on
        the way it is all read again.
        """
        try:
            while True:
                files = sorted(self._redis.hkeys(keys.archive(partition)))
                tail: list[tuple[int, Entry]] = []
                after = "-"
                while page := self._redis.xrange(keys.tail(partition), after, f"{commit}-0", PAGE):
                    tail += [(int(id_.split(b"-")[0]), decode_fields(fields)) for id_, fields in page]
                    after = f"({tail[-1][0]}-0"
                if sorted(self._redis.hkeys(keys.archive(partition))) == files:
                    return Snapshot([name.decode() for name in files], tail, None)
        except RedisError as error:
            raise away(error) from error

    def read(self, partition: int, counted: tuple[str, str] | None = None) -> Snapshot:
        """`counted`: workspace and id of a segment. Raises Away."""
        try:
            with self._redis.pipeline(transaction=True) as pipe:
                _ask(pipe, partition)
                if counted is not None:
                    pipe.zcard(keys.members(partition, *counted))
                return _snapshot(*pipe.execute())
        except RedisError as error:
            raise away(error) from error


def _ask(pipe: Any, partition: int) -> None:
    pipe.hkeys(keys.archive(partition))
    pipe.xrange(keys.tail(partition))
    pipe.hget(keys.head(partition), "clock")


def _snapshot(
    files: list[bytes], entries: list[tuple[bytes, Any]], clock: bytes | None, members: int = 0
) -> Snapshot:
    return Snapshot(
        files=[name.decode() for name in files],
        tail=[(int(id_.split(b"-")[0]), decode_fields(fields)) for id_, fields in entries],
        clock_ms=None if clock is None else int(clock),
        members=members,
    )
