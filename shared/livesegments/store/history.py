"""What a partition knows of its history at one moment: the register of its files, the tail beside them, and
whose rows in both don't count, because they were erased.

All are read in one transaction, so no event is in both, nor in neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from msgspec import Struct
from redis import Redis
from redis.exceptions import RedisError

from livesegments.store import keys
from livesegments.store.client import Client, away
from livesegments.store.erasures import decode_gone
from livesegments.store.tail import Entry, decode_fields

PAGE = 200
"""Entries of the tail that are read at once."""


class Snapshot(Struct, frozen=True):
    """`files` are the names that the register has; `clock_ms` is None before the partition's first event.

    `members`: how many the segment has that was asked about. `gone`: (workspace, profile) → the commit up to
    which the profile is erased, and its rows are nobody's; only while there may be any.
    """

    files: list[str]
    tail: list[tuple[int, Entry]]
    clock_ms: int | None
    members: int = 0
    gone: Mapping[tuple[str, str], int] = {}


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
                    pipe.bitcount(keys.bits(partition, *counted))
                return _snapshot(*pipe.execute())
        except RedisError as error:
            raise away(error) from error


def _ask(pipe: Any, partition: int) -> None:
    pipe.hkeys(keys.archive(partition))
    pipe.xrange(keys.tail(partition))
    pipe.hget(keys.head(partition), "clock")
    pipe.hvals(keys.gone(partition))


def _snapshot(
    files: list[bytes],
    entries: list[tuple[bytes, Any]],
    clock: bytes | None,
    gone: list[bytes],
    few: int = 0,
    many: int = 0,
) -> Snapshot:
    erased = sorted(map(decode_gone, gone), key=attrgetter("commit"))
    return Snapshot(
        files=[name.decode() for name in files],
        tail=[(int(id_.split(b"-")[0]), decode_fields(fields)) for id_, fields in entries],
        clock_ms=None if clock is None else int(clock),
        members=few + many,
        gone={(each.workspace, each.profile): each.commit for each in erased},
    )
