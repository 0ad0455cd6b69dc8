"""Audits while the store is lost between two of their reads: nothing has drifted, and nothing is said to have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

import pytest

from livesegments.runtime import metrics
from livesegments.wire import pack
from tests.simulation.faults import Cluster, stored_members
from tests.simulation.loop import run
from tests.simulation.memory import MemoryShard, MemoryStore
from tests.simulation.story import DEFINITIONS, PARTITIONS, expected, history, plan_of, records
from tests.simulation.world import START_MS, World

T = TypeVar("T")
LOSSES = 3


async def in_this_thread(work: Callable[..., T], *given: object) -> T:
    """Time is virtual here: it would not wait for another."""
    await asyncio.sleep(0)
    return work(*given)


@pytest.mark.parametrize("lost", ["emptied", "an old snapshot"])
@pytest.mark.parametrize("quietly", [False, True])
def test_a_store_that_is_lost_amid_an_audit_has_not_drifted(
    lost: str, quietly: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asyncio, "to_thread", in_this_thread)

    async def main() -> None:
        world = World(1, PARTITIONS)
        world.audits_per_s = 20
        world.publish_plans({"w": plan_of(DEFINITIONS)}, 1)
        logs = records(1, history(1, 60), START_MS + 10**9)
        half = [log[: len(log) // 2] for log in logs]
        cluster, snapshot = Cluster(world), MemoryStore()
        for portion in (half, [log[len(log) // 2 :] for log in logs]):
            for partition, log in enumerate(portion):
                for record in log:
                    world.append(partition, pack.encode(record))
            await cluster.settle()
            if lost != "emptied" and portion is half:
                snapshot = world.store.copy()
        drifted, losses, among = metrics.DRIFTED._value.get(), 0, MemoryShard.among

        async def losing(
            self: MemoryShard, workspace: str, id_: str, number: int, segments: Sequence[str]
        ) -> dict[str, bool]:
            nonlocal losses
            if losses < LOSSES:
                losses += 1
                world.store.restore(snapshot, quietly)
            return await among(self, workspace, id_, number, segments)

        monkeypatch.setattr(MemoryShard, "among", losing)
        async with asyncio.timeout(600):
            while losses < LOSSES:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        await cluster.settle()
        await asyncio.sleep(10)
        await cluster.settle()
        await cluster.stop()
        assert metrics.DRIFTED._value.get() == drifted
        assert metrics.AUDITED._value.get()
        for partition, reference in enumerate(expected(plan_of(DEFINITIONS), logs)):
            assert stored_members(world, partition) == reference.members()

    run(main())
