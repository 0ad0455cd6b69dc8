"""The records that the api itself writes to topic `events`: members of static segments, and the clock (mode
`log`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from secrets import token_hex
from typing import Any, Literal

from livesegments.core.event import MERGE, PROFILE, Event
from livesegments.runtime.producer import Producer
from livesegments.store.profiles import Profiles
from livesegments.wire.catalog import Segment
from livesegments.wire.pack import MAX_EVENTS, Clock, Erase, Lift, Packed, Record, encode
from livesegments.wire.topics import EVENTS

TIMEOUT_S = 10.0


class Records:
    """`follow_log`: mode `log`, where only the log's own time counts, never ours."""

    def __init__(
        self, kafka: str, profiles: Profiles, partitions: int, now_ms: Callable[[], int], follow_log: bool
    ) -> None:
        self._profiles = profiles
        self._partitions = partitions
        self._now_ms = now_ms
        self._follow_log = follow_log
        self._producer = Producer(kafka)
        self._made = 0

    async def move(self, segment: Segment, profiles: Sequence[str], how: Literal["add", "remove"]) -> None:
        """Puts profiles on the list of a static segment, of just this version of it, or takes them off.

        Returns when the broker has them all. Raises KafkaError, TimeoutError or Away."""
        added, removed = (profiles, ()) if how == "add" else ((), profiles)
        await self.change(segment, added, removed)

    async def change(self, segment: Segment, added: Sequence[str], removed: Sequence[str]) -> None:
        """Both at once: those of one partition are one record, and so one commit, as far as it has room.

        Returns when the broker has them all. Raises KafkaError, TimeoutError or Away."""
        shares: dict[int, list[tuple[str, str]]] = {}
        for how, profiles in (("add", added), ("remove", removed)):
            for profile in dict.fromkeys(profiles):
                home = self._profiles.partition(segment.workspace, profile)
                shares.setdefault(home, []).append((profile, how))
        sent = []
        for partition, share in shares.items():
            at_ms = await self._time(partition)
            versions = {segment.id: segment.definition_version}
            changes = {
                how: {f"lists_{how}": (segment.id,), "lists_versions": versions} for how in ("add", "remove")
            }
            events = [
                Event(self._id(), segment.workspace, profile, PROFILE, at_ms, changes[how])
                for profile, how in share
            ]
            sent += [
                self._send(partition, Packed(events[start : start + MAX_EVENTS]))
                for start in range(0, len(events), MAX_EVENTS)
            ]
        await self._all(sent)

    async def again(self, event: Event) -> tuple[int, int]:
        """Publishes an event as it was; (partition, offset) of its record. Its id makes a repetition safe.

        Raises KafkaError or TimeoutError."""
        partition = self._profiles.partition(event.workspace, event.profile)
        (offset,) = await self._all([self._send(partition, Packed([event]))])
        return partition, offset

    async def merge(self, workspace: str, profile: str, into: str) -> None:
        """Lets a profile go into another. Raises KafkaError, TimeoutError or Away."""
        partition = self._profiles.partition(workspace, profile)
        at_ms = await self._time(partition)
        event = Event(self._id("merge"), workspace, profile, MERGE, at_ms, {"into": into})
        await self._all([self._send(partition, Packed([event]))])

    async def erase(self, workspace: str, profile: str, at_once: bool) -> tuple[int, int]:
        """Asks for an erasure; (partition, offset) of its record. Raises KafkaError or TimeoutError."""
        partition = self._profiles.partition(workspace, profile)
        (offset,) = await self._all([self._send(partition, Erase(workspace, profile, at_once))])
        return partition, offset

    async def lift(self, partition: int, workspace: str, digest: str) -> None:
        """Ends a suppression. Raises KafkaError or TimeoutError."""
        await self._all([self._send(partition, Lift(workspace, digest))])

    async def erase_all(self, workspace: str, profiles: Sequence[str]) -> None:
        """Asks for many erasures. Raises KafkaError or TimeoutError: some may have been asked for."""
        home = self._profiles.partition
        await self._all(
            [self._send(home(workspace, each), Erase(workspace, each, False)) for each in profiles]
        )

    async def lift_all(self, workspace: str, erased: Sequence[tuple[str, str]]) -> None:
        """Ends many suppressions, of ids with their digests. Raises KafkaError or TimeoutError."""
        home = self._profiles.partition
        await self._all([self._send(home(workspace, id_), Lift(workspace, name)) for id_, name in erased])

    async def clock(self, to_ms: int) -> list[int]:
        """Moves every partition's clock on; the offset after the control record, by partition."""
        offsets = await self._all([self._send(p, Clock(to_ms)) for p in range(self._partitions)])
        return [offset + 1 for offset in offsets]

    async def close(self) -> None:
        await self._producer.close()

    async def _time(self, partition: int) -> int:
        """In mode `log` the partition's own clock: ours must not push it on."""
        if self._follow_log:
            return await self._profiles.clock(partition) or 0
        return self._now_ms()

    def _id(self, kind: str = "list") -> str:
        """Ids of one instant sort as they were made, so the latest of several moves is the one that holds."""
        self._made += 1
        return f"{kind}-{self._now_ms():015d}-{self._made:09d}-{token_hex(4)}"

    async def _send(self, partition: int, record: Record) -> int:
        producer = await self._producer.started()
        future = await producer.send(EVENTS, encode(record), partition=partition, timestamp_ms=self._now_ms())
        return int((await future).offset)

    async def _all(self, sent: list[Coroutine[Any, Any, int]]) -> list[int]:
        async with asyncio.timeout(TIMEOUT_S):
            return await asyncio.gather(*sent)
