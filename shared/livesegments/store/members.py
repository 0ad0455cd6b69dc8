"""Membership as the api reads it: sizes, pages, and how far each segment is, over all partitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from msgspec import Struct

from livesegments.store import keys, progress, walk
from livesegments.store.client import Client
from livesegments.store.progress import Progress
from livesegments.store.standing import Heads, anew, whole
from livesegments.store.together import Command

AHEAD = 2_000
"""To save round trips, at most this many ids beyond the page's partition are read, if the page needs more."""
WINDOW = 1 << 16
"""Bytes of bits of one segment that are read at once to be compared with others."""
TOGETHER = 500
"""Segments whose sizes one script call gives."""


class Place(Struct, frozen=True):
    """Where a page ended: the partition, and the number there of the last profile that was looked at."""

    partition: int
    number: int = 0


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
        commands = (_sizes(partition, workspace, [segment]) for partition in self._partitions)
        return sum(count for (count,) in await self.heads.read(*commands))

    async def remaining(self, workspace: str, segments: Sequence[str]) -> int:
        """How many sets of members there are: one a partition and segment that somebody is in."""
        commands = (_sizes(partition, workspace, segments) for partition in self._partitions)
        return sum(count > 0 for counts in await self.heads.read(*commands) for count in counts)

    async def overlap(self, workspace: str, segments: Sequence[str]) -> dict[tuple[str, ...], int]:
        """How many are in all of a group of segments, for every group of one or more of them.

        Partition by partition, and in each a window of numbers after the other: all of a window is of one
        instant, and the store only reads it.
        """
        groups = [each for size in range(1, len(segments) + 1) for each in combinations(segments, size)]
        counts = dict.fromkeys(groups, 0)
        for partition in self._partitions:
            names = walk.names(partition, workspace, segments)
            begin, end = 0, 1
            while begin < end:
                ((end, found),) = await self.heads.read(
                    ("EVAL", walk.WINDOW, len(names), *names, begin, WINDOW)
                )
                bits = {
                    segment: walk.window(found[2 * at], found[2 * at + 1], begin, WINDOW)
                    for at, segment in enumerate(segments)
                }
                for group in groups:
                    both = bits[group[0]]
                    for segment in group[1:]:
                        both &= bits[segment]
                    counts[group] += both.bit_count()
                begin += WINDOW
        return counts

    @whole
    async def sizes(self, workspace: str, versions: Mapping[str, int], timezone: str) -> dict[str, Size]:
        """`versions`: segment id → its definition version; `timezone`: the workspace's.

        One round trip, whatever their number."""
        if not versions:
            return {}
        pipe, segments = self._redis.pipeline(transaction=False), list(versions)
        slices = [segments[start : start + TOGETHER] for start in range(0, len(segments), TOGETHER)]
        for partition in self._partitions:
            pipe.hmget(keys.segments(partition, workspace), segments)
            for some in slices:
                pipe.execute_command(*_sizes(partition, workspace, some))
        replies = await pipe.execute()
        width = len(slices) + 1
        rows = [
            (replies[start], [count for counts in replies[start + 1 : start + width] for count in counts])
            for start in range(0, len(replies), width)
        ]
        return {
            segment: Size(
                sum(counts[at] for _, counts in rows),
                progress.aggregate([_progress(stored[at]) for stored, _ in rows], version, timezone),
            )
            for at, (segment, version) in enumerate(versions.items())
        }

    async def page(
        self, workspace: str, segment: str, after: Place | None, limit: int
    ) -> tuple[list[str], Place | None]:
        """The next members (at most `limit`), and where to go on; None: that was the last page.

        Partition by partition, each in the order of the profiles' numbers: whoever is in throughout is given
        exactly once, whatever others come and go meanwhile. One round trip where the first partition fills
        the page, two for most others.
        """
        found: list[str] = []
        lives = await self.heads.lives()
        at, width = after if after is not None else Place(0), 1
        while at.partition < len(self._partitions):
            several = self._partitions[at.partition : at.partition + width]
            replies = await self.heads.read(
                *(
                    walk.command(
                        partition,
                        workspace,
                        [segment],
                        after=at.number if partition == at.partition else 0,
                        most=limit - len(found) + 1,
                    )
                    for partition in several
                )
            )
            if await self.heads.lives() != lives:
                raise anew()
            for partition, (last, numbers, ids, _) in zip(several, replies, strict=True):
                room = limit - len(found)
                found += [each.decode() for each in ids[:room]]
                if len(ids) > room:
                    ended = numbers[room - 1] if room else at.number if partition == at.partition else 0
                    return found, Place(partition, ended)
                if last:
                    at = Place(partition, last)
                    break
                at = Place(partition + 1)
            width = max(1, AHEAD // (limit - len(found) + 1))
        return found, None


def _sizes(partition: int, workspace: str, segments: Iterable[str]) -> Command:
    names = walk.names(partition, workspace, segments)
    return ("EVAL", walk.SIZES, len(names), *names)


def _progress(data: bytes | None) -> Progress | None:
    return None if data is None else progress.decode(data)
