"""One log through HTTP ingest, up to one checkpoint after the other.

Lanes are partitions: each is in strict order, so each partition's clock moves through the log as history
did, and all of them side by side.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator

from livesegments.cli.demo.log import Happening
from livesegments.cli.demo.view import State
from livesegments.cli.sender import Item, Refused, Sender
from livesegments.wire.topics import partition_of

BATCH = 250
"""Events a request: small enough that the clocks of all partitions move on smoothly."""
RATE_WINDOW_S = 3.0
AHEAD = 16
"""Packed records that may wait to be applied: enough to keep the evaluator busy, few enough to be live."""


class Pace:
    """Writes to the state what ingest answers, how much of it is applied, and the rate of the last seconds.

    What is applied is known in packed records; the events in them are taken to be as many as on average.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.refused: list[Refused] = []
        self._first: int | None = None
        self._marks: deque[tuple[float, int]] = deque()

    def told(self, accepted: int, refused: list[Refused]) -> None:
        self.state.accepted += accepted
        self.state.refused += len(refused)
        self.refused += refused

    def beat(self, now_s: float, end: int, behind: int) -> None:
        """`end`: records in the log, `behind`: those of them not yet applied."""
        self._first = end if self._first is None else self._first
        records = end - self._first
        self.state.applied = round(self.state.accepted * max(0, records - behind) / records) if records else 0
        self._marks.append((now_s, self.state.applied))
        while now_s - self._marks[0][0] > RATE_WINDOW_S:
            self._marks.popleft()
        since_s, before = self._marks[0]
        if now_s > since_s:
            self.state.rate = max(0, self.state.applied - before) / (now_s - since_s)


class Replay:
    """The events of one log, sent in order as far as asked for, while there is `room`."""

    def __init__(
        self,
        workspace: str,
        happenings: Iterator[Happening],
        sender: Sender,
        partitions: int,
        room: asyncio.Event,
    ) -> None:
        self._workspace, self._sender, self._partitions, self._room = workspace, sender, partitions, room
        self._rest = happenings
        self._held = next(happenings, None)
        self._sent = 0

    async def up_to(self, instant_ms: int) -> None:
        """Sends every event at or before `instant_ms`, and waits until all are acknowledged."""
        while self._held is not None and self._held.time_ms <= instant_ms:
            self._sent += 1
            if self._sent % BATCH == 0:
                await self._room.wait()
            lane = partition_of(self._workspace, self._held.profile, self._partitions)
            await self._sender.put(lane, Item(self._held.kind, self._sent, self._held.body))
            self._held = next(self._rest, None)
        await self._sender.flush()
