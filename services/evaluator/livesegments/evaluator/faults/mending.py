"""A claim's second tries: what a fault of ours kept from profiles is tried again, without anybody's doing.

Example: a due time of ada was set aside, and the evaluator is started again in a version without the fault.
The stored profiles of her workspace are looked through in chunks, and she is brought to plan and clock, or
waits for a recount if she is owed her history. That happens once in a claim, and once for each change of her
workspace's definitions; a profile that an event touches in between is tried then. Where nothing is owed to
anybody nothing is looked through.
"""

from __future__ import annotations

from collections.abc import Callable

from livesegments.core.debt import debt_in
from livesegments.evaluator.commits.partition import Partition
from livesegments.evaluator.plans.walks import Walks
from livesegments.evaluator.ports import Ports
from livesegments.store.degraded import Degraded
from livesegments.wire.profilekey import profile_key

WIDE = 4
"""A chunk has this many times more profiles than one of a walk: few of them are decoded."""


class Mending:
    """`step` between records; `wall_ms` gives the wall clock where it counts."""

    def __init__(
        self, ports: Ports, partition: Partition, walks: Walks, wall_ms: Callable[[], int | None]
    ) -> None:
        self._shard = ports.shard
        self._count = WIDE * ports.options.chunk
        self._partition = partition
        self._walks = walks
        self._wall_ms = wall_ms
        self._tried: dict[str, int] = {}
        """Workspace → the plan for which its profiles were looked through, or are."""
        self._workspace: str | None = None
        self._cursor = 0
        self._owing = False
        """Whether the pass has come to a profile that is owed something."""
        self._before: Degraded | None = None

    async def step(self) -> bool:
        """One chunk of one workspace; False if there is nothing to do."""
        partition = self._partition
        if not partition.degrading.of:
            return False
        workspace = self._workspace or self._next()
        plan = None if workspace is None else partition.plans.get(workspace)
        if workspace is None or plan is None:
            self._workspace = None
            return False
        if self._workspace is None:
            self._workspace, self._cursor, self._tried[workspace] = workspace, 0, plan.revision
            self._owing, self._before = False, partition.degrading.of[workspace]
        self._cursor, stored = await self._shard.scan(workspace, self._cursor, self._count)
        if not self._cursor:
            self._workspace = None
        self._owing = self._owing or any(debt_in(data) is not None for data in stored.values())
        now_ms = self._wall_ms()
        if now_ms is not None:
            partition.pass_to(now_ms)
        partition.walk(workspace, stored, lambda state: debt_in(state) is not None)
        if partition.changed:
            await self._walks.send(partition.seal(), f"mending/{plan.revision}")
        for id_, data in stored.items():
            key = profile_key(workspace, id_)
            debt = debt_in(partition.cache.get(key) or data)
            if debt is not None and debt.what == "history":
                partition.retracting.again(key)
        if not self._cursor and not self._owing:
            await self._clear(workspace)
        return True

    async def _clear(self, workspace: str) -> None:
        """Nobody is owed anything: what is counted is of an earlier version, which did not note whom."""
        degrading = self._partition.degrading
        if degrading.of[workspace] == self._before:
            degrading.clear(workspace)
            outcome = self._partition.seal(lambda commit: degrading.write(commit, [workspace]))
            await self._walks.send(outcome, "mending")

    def _next(self) -> str | None:
        for workspace, degraded in self._partition.degrading.of.items():
            plan = self._partition.plans.get(workspace)
            if plan is None or self._tried.get(workspace) == plan.revision:
                continue
            if degraded.dues or degraded.definitions:
                return workspace
        return None
