"""Changes of profiles that the api itself gives to ingest, by topic `inbound`: they are accepted, typed and
counted like everybody's, and are in the log as everything else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from aiokafka.errors import KafkaError

from livesegments.runtime.producer import Producer
from livesegments.store.profiles import Profiles
from livesegments.wire.topics import INBOUND

BATCH_BYTES = 256 * 1024
TIMEOUT_S = 30.0
WORKSPACE = "workspace"
FIRST_MS = 100_000_000_000
"""The earliest time that ingest takes, where a partition's log has none yet."""


class Inbound:
    """`follow_log`: mode `log`, where a change has its partition's own time, so that ours pushes none on."""

    def __init__(self, kafka: str, profiles: Profiles, now_ms: Callable[[], int], follow_log: bool) -> None:
        self._producer = Producer(kafka, max_batch_bytes=BATCH_BYTES)
        self._profiles, self._now_ms, self._follow_log = profiles, now_ms, follow_log

    async def send(self, workspace: str, changes: Sequence[dict[str, Any]]) -> None:
        """Changes in our own form, without a time: those of one profile stay in order.

        Returns when the broker has them all. Raises KafkaError, TimeoutError or Away: some may have come."""
        if not changes:
            return
        headers = [(WORKSPACE, workspace.encode())]
        times = await self._times(workspace, {change["profile"] for change in changes})
        async with asyncio.timeout(TIMEOUT_S):
            producer = await self._producer.started()
            try:
                sent = []
                for change in changes:
                    data = msgspec.json.encode({**change, "time": times(change["profile"])})
                    key = f"{workspace}\0{change['profile']}".encode()
                    sent.append(await producer.send(INBOUND, data, key=key, headers=headers))
                await asyncio.gather(*sent)
            except KafkaError:
                await self._producer.drop(producer)
                raise

    async def _times(self, workspace: str, profiles: set[str]) -> Callable[[str], int]:
        if not self._follow_log:
            now_ms = self._now_ms()
            return lambda _: now_ms
        home = self._profiles.partition
        partitions = {home(workspace, each) for each in profiles}
        clocks = {each: await self._profiles.clock(each) or FIRST_MS for each in partitions}
        return lambda profile: clocks[home(workspace, profile)]

    async def close(self) -> None:
        await self._producer.close()
