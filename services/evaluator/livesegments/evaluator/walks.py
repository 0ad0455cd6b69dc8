"""A claim's plans: the newest are adopted at once, then the stored profiles are walked over in chunks.

A profile that an event or a due time touches is brought to the adopted plan then and there. The walk
brings the others, workspace by workspace in turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from livesegments.evaluator.adoption import Adopted, News
from livesegments.evaluator.aside import publish
from livesegments.evaluator.flight import Flight
from livesegments.evaluator.outcome import Outcome
from livesegments.evaluator.partition import Partition
from livesegments.evaluator.ports import Ports
from livesegments.runtime import metrics
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.wire.topics import EVENTS

JUDGEMENTS = 20_000
"""A chunk of a walk judges about so many (segment, profile) pairs; events wait for at most that."""


class Walks:
    """`wall_ms` tells the wall clock where it counts."""

    def __init__(
        self, ports: Ports, partition: Partition, flight: Flight, wall_ms: Callable[[], int | None]
    ) -> None:
        self._plans = ports.plans
        self._shard = ports.shard
        self._publisher = ports.publisher
        self._chunk = ports.options.chunk
        self._partition = partition
        self._flight = flight
        self._wall_ms = wall_ms
        self._adopted: dict[str, Adopted] = {}
        self._walking: deque[str] = deque()

    async def adopt(self) -> None:
        """Takes the newest plans in: from the next record on they hold for every profile touched."""
        partition, plans, revision = self._partition, self._plans.plans, self._plans.revision
        news: list[tuple[str, Adopted, News]] = []
        for workspace, plan in plans.items():
            if partition.plans.get(workspace) is plan:
                continue
            adopted = self._adopted.get(workspace) or await self._stored(workspace)
            total = await self._shard.count(workspace)
            written = adopted.adopt(plan, partition.clock_ms, total)
            self._adopted[workspace] = adopted
            partition.plans[workspace] = plan
            partition.since[workspace] = adopted.since()
            if adopted.walking and workspace not in self._walking:
                self._walking.append(workspace)
            if written is not None:
                news.append((workspace, adopted, written))
        for workspace in partition.plans.keys() - plans.keys():
            del partition.plans[workspace]
            self._adopted.pop(workspace, None)

        unplanned = partition.unplanned(self._plans.faults)

        def write(commit: Commit) -> None:
            for workspace, adopted, written in news:
                adopted.write_adopted(commit, workspace, written)
            partition.write_degraded(commit, unplanned)

        if news or unplanned or partition.catalog != revision:
            partition.catalog = revision
            await self._flight.send(partition.seal(write))

    async def walk(self) -> bool:
        """One chunk of the stored profiles of one workspace; False if there is no walk."""
        if not self._walking:
            return False
        workspace = self._walking.popleft()
        partition, adopted = self._partition, self._adopted.get(workspace)
        if adopted is None:
            return True
        count = max(1, min(self._chunk, JUDGEMENTS // adopted.segments))
        cursor, stored = await self._shard.scan(workspace, adopted.cursor, count)
        now_ms = self._wall_ms()
        if now_ms is not None:
            partition.pass_to(now_ms)
        partition.walk(workspace, stored)
        metrics.WALKED.inc(len(stored))
        outcome: Outcome | None = None
        plan = partition.plans[workspace]
        if adopted.walked(cursor, len(stored)):
            outcome = partition.seal(lambda commit: adopted.write_walked(commit, plan))
        elif partition.changed:
            outcome = partition.seal()
        if outcome is not None:
            for aside in outcome.aside:
                source = f"{EVENTS}/{partition.number}/walk/{plan.revision}"
                await publish(self._publisher, aside, source, aside.at_ms)
            await self._flight.send(outcome)
        if adopted.walking:
            self._walking.append(workspace)
        return True

    async def _stored(self, workspace: str) -> Adopted:
        facts, segments = await asyncio.gather(
            self._shard.fields(keys.facts(self._partition.number, workspace)),
            self._shard.fields(keys.segments(self._partition.number, workspace)),
        )
        return Adopted(facts, segments)
