"""The whole loop of the evaluator, many seeds: whatever is killed when, each record counts once.

A failing seed runs again with `pytest tests/simulation -k SEED`.
"""

from __future__ import annotations

import asyncio

import pytest

from livesegments.wire import pack
from tests.delivery import check_delivery
from tests.effort import effort
from tests.simulation.faults import FAULTS, LOSSES, Cluster, check_dues, stored_members
from tests.simulation.loop import run
from tests.simulation.story import DEFINITIONS, PARTITIONS, expected, history, plan_of, records
from tests.simulation.world import START_MS, World


@pytest.mark.parametrize("seed", range(effort(8, 60)))
def test_whatever_dies_every_record_counts_once(seed: int) -> None:
    async def main() -> None:
        world = World(seed, PARTITIONS)
        plan = plan_of(DEFINITIONS)
        world.publish_plans({"w": plan}, 1)
        logs = records(seed, history(seed, 150), START_MS + 10**9)
        for partition, log in enumerate(logs):
            for record in log:
                world.append(partition, pack.encode(record))
        cluster = Cluster(world)
        for _ in range(12):
            await asyncio.sleep(world.random.random() * 0.2)
            await cluster.strike(FAULTS + LOSSES)
        await cluster.settle()
        await cluster.stop()
        for partition, reference in enumerate(expected(plan, logs)):
            assert stored_members(world, partition) == reference.members()
            check_dues(world, partition)
            check_delivery(world.announced[partition])
            assert {each.id for each in world.announced[partition]} == {
                each.id for each in reference.transitions
            }

    run(main())
