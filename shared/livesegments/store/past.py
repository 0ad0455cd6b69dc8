"""A partition's register of files and its tail, as of one instant: no event is in both, nor in neither."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from livesegments.store import keys
from livesegments.store.client import Client


class Past(Struct, frozen=True):
    """`files`: names of the archive's files that count. `tail`: (commit, its fields) as `tail.decode_fields`
    reads them."""

    files: list[str]
    tail: list[tuple[int, dict[bytes, bytes]]]


async def read(store: Client, partition: int) -> Past:
    """Raises Away when the store can't be reached."""
    redis: Any = store
    pipe = redis.pipeline(transaction=True)
    pipe.hkeys(keys.archive(partition))
    pipe.xrange(keys.tail(partition))
    files, entries = await pipe.execute()
    return Past(
        [name.decode() for name in files],
        [(int(id_.partition(b"-")[0]), fields) for id_, fields in entries],
    )
