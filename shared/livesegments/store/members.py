"""Membership as the api reads it: sizes, pages, and how far each segment is, over all partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from msgspec import Struct

from livesegments.store import keys, progress
from livesegments.store.client import Client
from livesegments.store.progress import Progress
from livesegments.store.standing import Heads, anew, whole

AHEAD = 2_000
"""To save round trips, at most this many ids beyond the page's partition are read, if the page needs more."""


class Place(Struct, frozen=True):
    """Where a page ended: the partition, and the last member given from it ('' for none yet)."""

    partition: int
    member: str


class Size(Struct, frozen=True):
    count: int
    progress: Progress


class Members:
    """All reads raise Away when the store can't be reached, and Restoring when it is not whole."""

    def __init__(self, store: Client, heads: Heads) -> None:
        self._redis: Any = store
        self.heads = heads
        self._partitions = range(heads.partitions)

    async def count(self, workspace: str, segment: str) -> int:
        names = (keys.members(partition, workspace, segment) for partition in self._partitions)
        return sum(await self.heads.read(*(("ZCARD", name) for name in names)))

    async def remaining(self, workspace: str, segments: Sequence[str]) -> int:
        """How many sets of members there are: one a partition and segment that somebody is in."""
        commands = (
            ("EXISTS", *(keys.members(partition, workspace, segment) for segment in segments))
            for partition in self._partitions
        )
        return sum(await self.heads.read(*commands))

    async def overlap(self, workspace: str, segments: Sequence[str]) -> dict[tuple[str, ...], int]:
        """How many are in all of a group of segments, for every group of one or more of them.

        Partition by partition and group by group, so that others wait for one small intersection at most.
        """
        groups = [each for size in range(1, len(segments) + 1) for each in combinations(segments, size)]
        counts = dict.fromkeys(groups, 0)
        for partition in self._partitions:
            for group in groups:
                names = [keys.members(partition, workspace, segment) for segment in group]
                (count,) = await self.heads.read(("ZINTERCARD", len(names), *names))
                counts[group] += int(count)
        return counts

    @whole
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
        once, whatever others come and go meanwhile. One round trip where the first partition fills the page,
        two for most others.
        """
        found: list[str] = []
        lives = await self.heads.lives()
        at, last = (after.partition, after.member) if after is not None else (0, "")
        width = 1
        while at < len(self._partitions):
            several = self._partitions[at : at + width]
            wanted = limit - len(found) + 1
            replies: list[list[bytes]] = await self.heads.read(
                *(
                    (
                        "ZRANGEBYLEX",
                        keys.members(partition, workspace, segment),
                        b"(" + last.encode() if last and partition == at else b"-",
                        *(b"+", b"LIMIT", 0, wanted),
                    )
                    for partition in several
                )
            )
            if await self.heads.lives() != lives:
                raise anew()
            for partition, members in zip(several, replies, strict=True):
                room = limit - len(found)
                if len(members) > room:
                    found += [member.decode() for member in members[:room]]
                    ended = members[room - 1].decode() if room else last if partition == at else ""
                    return found, Place(partition, ended)
                found += [member.decode() for member in members]
            at, last = at + len(several), ""
            width = max(1, AHEAD // (limit - len(found) + 1))
        return found, None


def _progress(data: bytes | None) -> Progress | None:
    return None if data is None else progress.decode(data)
