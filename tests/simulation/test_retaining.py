"""Old events are dropped from the archive while owners die and the store is lost: running segments stay exact."""

from __future__ import annotations

import asyncio

import pytest

from livesegments.core.event import PROFILE
from livesegments.history.ranges import parse
from livesegments.store import keys
from livesegments.wire import pack
from tests.simulation.faults import FAULTS, LOSSES, Cluster, stored_members
from tests.simulation.loop import run
from tests.simulation.story import DEFINITIONS, PARTITIONS, expected, history, plan_of, records
from tests.simulation.world import START_MS, World

DAY_MS = 86_400_000


@pytest.mark.parametrize("seed", range(6))
def test_running_segments_stay_exact_and_only_old_events_go(seed: int) -> None:
    async def main() -> None:
        world = World(seed, PARTITIONS)
        plan = plan_of(DEFINITIONS)
        world.checkpoint_every_s = 0.3
        world.history_days["w"] = 5
        world.publish_plans({"w": plan}, 1)
        logs = records(seed, history(seed, 150), START_MS + 10**9)
        for partition, log in enumerate(logs):
            for record in log:
                world.append(partition, pack.encode(record))
        cluster = Cluster(world)
        for _ in range(6):
            for _ in range(4):
                await cluster.strike(FAULTS + LOSSES)
            await asyncio.sleep(15)
        await cluster.settle()
        await asyncio.sleep(60)
        await cluster.settle()
        await cluster.stop()
        cut_ms = ((START_MS + 10**9) // DAY_MS - 5) * DAY_MS
        for partition, reference in enumerate(expected(plan, logs)):
            assert stored_members(world, partition) == reference.members()
            register = world.store.hashes.get(keys.archive(partition), {})
            files = sorted(each for name in register if (each := parse(name)) is not None)
            names = {e.name for _, e in world.files.history(partition, files) if e.time_ms < cut_ms}
            assert names <= {PROFILE, "$segment_entered", "$segment_exited", ""}
            if files:
                assert world.store.hashes[keys.retained(partition)] == {"w": str(cut_ms).encode()}

    run(main())
