"""Membership as the api reads it: sizes, pages, and how far each segment is, over all partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from livesegments.store import keys, progress
from livesegments.store.client import Client
from livesegments.store.progress import Progress


class Place(Struct, frozen=True):
    """Where a page ended: the partition, and the last member given from it ('' for none yet)."""

    partition: int
    member: str


class Size(Struct, frozen=True):
    count: int
    progress: Progress


class Members:
    """All reads raise Away when the store can't be reached."""

    def __init__(self, store: Client, partitions: int) -> None:
        self._redis: Any = store
        self._partitions = range(partitions)

    async def count(self, workspace: str, segment: str) -> int:
        pipe = self._redis.pipeline(transaction=False)
        for partition in self._partitions:
            pipe.zcard(keys.members(partition, workspace, segment))
        return sum(await pipe.execute())

    async def sizes(self, workspace: str, versions: Mapping[str, int], timezone: str) -> dict[str, Size]:
        """`versions`: segment id → its definition version; `timezone`: the workspace's.

        One round trip, whatever their number."""
        if not versions:
            return {}
        pipe = self._redis.pipeline(transaction=False)
        for partition in self._partitions:
            pipe.hmget(keys.segments(partition, workspace), list(versions))
            for segment in versions:
                pipe.zcard(keys.members(partition, workspace, segment))
        replies = await pipe.execute()
        width = len(versions) + 1
        rows = [replies[start : start + width] for start in range(0, len(replies), width)]
        return {
            segment: Size(
                sum(row[1 + at] for row in rows),
                progress.aggregate([_progress(row[0][at]) for row in rows], version, timezone),
            )
            for at, (segment, version) in enumerate(versions.items())
        }

    async def page(
        self, workspace: str, segment: str, after: Place | None, limit: int
    ) -> tuple[list[str], Place | None]:
        """The next members (at most `limit`), and where to go on; None: that was the last page.

        Partition by partition, each in the members' byte order: whoever is in throughout is given exactly
        once, whatever others come and go meanwhile.
        """
        found: list[str] = []
        place = after or Place(0, "")
        for partition in self._partitions[place.partition :]:
            last = place.member if partition == place.partition else ""
            members: Sequence[bytes] = await self._redis.zrangebylex(
                keys.members(partition, workspace, segment),
                b"(" + last.encode() if last else b"-",
                b"+",
                start=0,
                num=limit - len(found) + 1,
            )
            names = [member.decode() for member in members]
            if len(found) + len(names) > limit:
                found += names[: limit - len(found)]
                ended = names[len(names) - 2] if len(names) > 1 else last
                return found, Place(partition, ended)
            found += names
        return found, None


def _progress(data: bytes | None) -> Progress | None:
    return None if data is None else progress.decode(data)
