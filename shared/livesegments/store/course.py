"""The course of the lag over the last hour: `{lag}:course`, written by whichever processes of the api look.

Example: at 14:05:07 a look belongs to the slot from 14:05:00 to 14:05:15. The slots lie on a ring of an
hour's length, so the slot of 13:05:00 has the same place, and is written over: the course never grows. Of
several looks within a slot the most of every number is kept, so that a short storm between two slots is
seen, too.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from livesegments.store import keys
from livesegments.store.client import Client

STEP_MS = 15_000
SLOTS = 240


class Point(Struct, frozen=True):
    """`at_ms`: the beginning of its slot, UTC. All else is the most that waited within it: `records` of topic
    `events`, `due` times that were late, `outbox` commits, `recounts` profiles, `inbound` records."""

    at_ms: int
    records: int
    due: int
    outbox: int
    recounts: int
    inbound: int

    def most(self, other: Point) -> Point:
        """Of two looks within one slot the most of every number; a look of a later slot stands alone."""
        if self.at_ms != other.at_ms:
            return max(self, other, key=lambda each: each.at_ms)
        return Point(
            self.at_ms,
            max(self.records, other.records),
            max(self.due, other.due),
            max(self.outbox, other.outbox),
            max(self.recounts, other.recounts),
            max(self.inbound, other.inbound),
        )


def slot_of(now_ms: int) -> int:
    """The beginning of the slot, in ms."""
    return now_ms - now_ms % STEP_MS


class Course:
    """Both raise Away when the store can't be reached."""

    def __init__(self, store: Client) -> None:
        self._store: Any = store

    async def put(self, point: Point) -> None:
        await self._store.hset(keys.LAG_COURSE, str(point.at_ms // STEP_MS % SLOTS), _encode(point))

    async def read(self, now_ms: int) -> list[Point]:
        """The points of the last hour, the oldest first; slots in which nobody looked are missing."""
        points = map(_decode, (await self._store.hgetall(keys.LAG_COURSE)).values())
        oldest_ms = slot_of(now_ms) - (SLOTS - 1) * STEP_MS
        return sorted((each for each in points if each.at_ms >= oldest_ms), key=lambda each: each.at_ms)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Point).decode
