"""Every transition of the topic `memberships`, from its first record on, as an automation hears it.

Membership is kept a second time here, from `entered` and `exited` alone, so the demo can show that
announcements and membership say the same. A repeated record is passed over by its sequence; a gap is counted.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from livesegments.runtime.portions import Unread
from livesegments.runtime.reader import Reader
from livesegments.wire import topics
from livesegments.wire.unreadable import Unreadable, reading

LOOK_S = 0.05
CATCH_UP_S = 30.0

SegmentKey: TypeAlias = tuple[str, str]
"""(workspace, segment)"""


class Announced(Struct):
    """The fields of a `memberships` record that matter here."""

    workspace: str
    segment: str
    profile: str
    kind: Literal["entered", "exited"]
    sequence: int
    cause: str


class Heard:
    """Counts, members and causes by (workspace, segment), as announced so far."""

    def __init__(self) -> None:
        self.entered: defaultdict[SegmentKey, int] = defaultdict(int)
        self.exited: defaultdict[SegmentKey, int] = defaultdict(int)
        self.members: defaultdict[SegmentKey, set[str]] = defaultdict(set)
        self.causes: defaultdict[SegmentKey, set[str]] = defaultdict(set)
        self.gaps = 0
        self._sequences: dict[tuple[str, str, str], int] = {}

    def hear(self, told: Announced) -> None:
        series = (told.workspace, told.segment, told.profile)
        before = self._sequences.get(series, 0)
        if told.sequence <= before:
            return
        self._sequences[series] = told.sequence
        self.gaps += told.sequence - before - 1
        key = (told.workspace, told.segment)
        self.causes[key].add(told.cause)
        if told.kind == "entered":
            self.entered[key] += 1
            self.members[key].add(told.profile)
        else:
            self.exited[key] += 1
            self.members[key].discard(told.profile)


class Listener:
    """Reads `memberships` of all partitions into a `Heard`. `async with Listener(kafka, partitions) as l`."""

    def __init__(self, kafka: str, partitions: int) -> None:
        self.heard = Heard()
        self._reader = Reader(kafka, topics.MEMBERSHIPS, partitions)
        self._decoder = msgspec.json.Decoder(Announced)
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Listener:
        await self._reader.start()
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self._reader.close()

    async def catch_up(self) -> None:
        """Waits until everything published by now is heard. Raises TimeoutError."""
        ends = await self._reader.ends()
        async with asyncio.timeout(CATCH_UP_S):
            while any(at < ends[part] for part, at in (await self._reader.positions()).items()):
                assert self._reading is not None
                if self._reading.done():
                    self._reading.result()
                await asyncio.sleep(LOOK_S)

    async def _read(self) -> None:
        async for record in self._reader.follow():
            with suppress(Unreadable):  # somebody else's: no announcement
                if not isinstance(record, Unread):
                    with reading("a transition"):
                        told = self._decoder.decode(record.value or b"")
                    self.heard.hear(told)
