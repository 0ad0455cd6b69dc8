"""The quotas of workspaces at ingest's edges: looks at the store and the clock for the rules in `quota`.

Every ingest process keeps quotas of events for itself: each of `processes` lets its share of them in. Where
a workspace has no quota, none of this asks anybody anything.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from livesegments.core.fault import Fault
from livesegments.ingest.access import Memory
from livesegments.ingest.packer import packed
from livesegments.ingest.quota import WAIT_S, Backlog, Buckets, Shares
from livesegments.ingest.receipt import Accepted, Receipt
from livesegments.runtime import metrics
from livesegments.wire.catalog import Quotas
from livesegments.wire.rejected import TOO_MANY_PROFILES, Rejected

LOOK_S = 0.5

_log = structlog.get_logger(__name__)


class Stored(Protocol):
    """What the evaluators have stored. Raises Away."""

    async def count(self, workspace: str) -> int: ...
    async def known(self, workspace: str, ids: Sequence[str]) -> set[str]: ...
    async def applied(self) -> list[int]:
        """The next offset of every partition."""


class Beyond(Exception):
    """A workspace is beyond a quota: it may come again after `retry_s`."""

    def __init__(self, quota: str, detail: str, retry_s: float) -> None:
        super().__init__(detail)
        self.quota = quota
        self.detail = detail
        self.retry_s = math.ceil(retry_s)


class Gate:
    """`quotas` are those of a workspace; `ends` the next offsets of the partitions, as this process knows
    them."""

    def __init__(
        self,
        quotas: Callable[[str], Awaitable[Quotas]],
        stored: Stored,
        ends: Callable[[], Sequence[int]],
        now_s: Callable[[], float],
        now_ms: Callable[[], int],
        processes: int = 1,
    ) -> None:
        self._quotas = quotas
        self._processes = processes
        self._stored = stored
        self._ends = ends
        self._now_s = now_s
        self._buckets = Buckets()
        self._shares = Shares()
        self._backlog = Backlog()
        self._counts: Memory[int] = Memory(stored.count, now_ms)
        self._noisiest: str | None = None

    async def admit(self, workspace: str) -> None:
        """Raises Beyond, before anything of a request is read."""
        if workspace == self._noisiest:
            detail = (
                "a partition is saturated, and this workspace sends far more than the others: "
                f"send it again in {WAIT_S:.0f} s"
            )
            raise self._beyond("saturated", detail, WAIT_S)
        per_s = (await self._quotas(workspace)).events_per_s
        if per_s is not None:
            wait_s = self._buckets.wait_s(workspace, per_s / self._processes, self._now_s())
            if wait_s:
                detail = f"the workspace's quota is {per_s} events/s (events_per_s): send it again later"
                raise self._beyond("events_per_s", detail, wait_s)

    async def room(self, workspace: str) -> float:
        """How many events may come now from where nobody can be told to wait."""
        if workspace == self._noisiest:
            return 0
        per_s = (await self._quotas(workspace)).events_per_s
        if per_s is None:
            return math.inf
        return self._buckets.left(workspace, per_s / self._processes, self._now_s())

    async def took(self, workspace: str, events: int) -> None:
        """So many events of a request are accepted."""
        now_s = self._now_s()
        self._shares.sent(workspace, events, now_s)
        per_s = (await self._quotas(workspace)).events_per_s
        if per_s is not None:
            self._buckets.take(workspace, events, per_s / self._processes, now_s)

    async def refused(self, receipt: Receipt, events: Sequence[Accepted]) -> dict[int, Rejected]:
        """Accepted events that there is no room for, by their places among `events`."""
        most = (await self._quotas(receipt.workspace)).profiles
        if most is None or not events:
            return {}
        strangers = await self._strangers(receipt.workspace, most, [each.profile for each in events])
        message = f"the workspace has its quota of {most} profiles (profiles), and this one is new"
        found = {
            place: Rejected(
                receipt.workspace,
                receipt.source,
                receipt.received_ms,
                [Fault("", TOO_MANY_PROFILES, message)],
                packed([each.data]),
            )
            for place, each in enumerate(events)
            if each.profile in strangers
        }
        if found:
            metrics.INGEST_QUOTA.labels("profiles").inc(len(found))
        return found

    async def run(self) -> None:
        """Forever: looks whether the evaluators keep up, and who sends the most."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except OSError as error:  # nobody has to wait for what is not known
                self._noisiest = None
                _log.info("it is not known whether the evaluators keep up", error=repr(error))

    async def look(self) -> None:
        now_s = self._now_s()
        self._buckets.forget(now_s)
        saturated = self._backlog.look(self._ends(), await self._stored.applied(), now_s)
        noisiest = self._shares.noisiest(now_s)
        self._noisiest = noisiest if saturated else None
        metrics.INGEST_SATURATED.set(saturated)

    async def _strangers(self, workspace: str, most: int, profiles: Sequence[str]) -> set[str]:
        """Those of the profiles for which there is no room: new ones, where the workspace has its quota.

        Counted are stored profiles, at most a second ago. So a workspace may come a little beyond its quota.
        """
        if await self._counts.get(workspace) < most:
            return set()
        return {*profiles} - await self._stored.known(workspace, profiles)

    def _beyond(self, quota: str, detail: str, retry_s: float) -> Beyond:
        metrics.INGEST_QUOTA.labels(quota).inc()
        return Beyond(quota, detail, retry_s)
