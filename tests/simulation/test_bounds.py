"""Every bound of an owner as small as can be: all are reached, and nothing else changes."""

from __future__ import annotations

import asyncio

import pytest

from livesegments.wire import pack
from tests.delivery import check_delivery
from tests.effort import effort
from tests.simulation.faults import FAULTS, Cluster, stored_members
from tests.simulation.loop import run
from tests.simulation.story import DEFINITIONS, PARTITIONS, expected, history, plan_of, records
from tests.simulation.world import START_MS, World

BOUNDS = {"queue", "flight", "outbox", "dues", "cache"}


async def watch(cluster: Cluster, reached: set[str]) -> None:
    """Notes which bounds are reached, as often as anything can happen."""
    while True:
        for process in set(cluster.owner_of.values()):
            for owner in process.worker.owners.values():
                claim, options = owner._claimed, owner._ports.options
                partition = claim.partition
                if len(owner._intake.records) == options.queue:
                    reached.add("queue")
                if len(claim.flight._sent) == claim.flight.limit:
                    reached.add("flight")
                if claim.relay.full:
                    reached.add("outbox")
                if partition.dues.covers(START_MS) and not partition.dues.covers(2**62):
                    reached.add("dues")
                if partition.cache.aged:
                    reached.add("cache")
        await asyncio.sleep(0.0005)


@pytest.mark.parametrize("seed", range(effort(5, 20)))
def test_with_the_smallest_bounds_every_record_counts_once(seed: int) -> None:
    async def main() -> None:
        world = World(seed, PARTITIONS)
        world.tiny = True
        plan = plan_of(DEFINITIONS)
        world.publish_plans({"w": plan}, 1)
        logs = records(seed, history(seed, 150, profiles=30), START_MS + 10**9)
        for partition, log in enumerate(logs):
            for record in log:
                world.append(partition, pack.encode(record))
        cluster, reached = Cluster(world), set[str]()
        watching = asyncio.create_task(watch(cluster, reached))
        for _ in range(4):
            await asyncio.sleep(world.random.random() * 0.2)
            await cluster.strike(FAULTS)
        await cluster.settle()
        watching.cancel()
        await cluster.stop()
        assert reached == BOUNDS
        for partition, reference in enumerate(expected(plan, logs)):
            assert stored_members(world, partition) == reference.members()
            check_delivery(world.announced[partition])
            ids = {each.id for each in world.announced[partition]}
            assert ids == {each.id for each in reference.transitions}

    run(main())
