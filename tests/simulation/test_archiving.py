"""A death at every step by which a tail becomes files: writing, registering with the trim, merging."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.wire import pack
from tests.simulation.faults import Cluster
from tests.simulation.loop import run
from tests.simulation.story import DEFINITIONS, PARTITIONS, history, plan_of, records
from tests.simulation.test_checkpoints import Logs, check
from tests.simulation.world import START_MS, World

PORTIONS = 14
"""Each is a file of its own: some of them are merged."""


def portions(seed: int) -> tuple[Logs, list[Logs]]:
    logs = records(seed, history(seed, 70), START_MS + 10**9)
    size = max(-(-len(log) // PORTIONS) for log in logs)
    return logs, [[log[at * size : (at + 1) * size] for log in logs] for at in range(PORTIONS)]


def dying_files(world: World, step: str, after: bool, at: int, die: Callable[[], None]) -> None:
    """At call number `at` of a step, before it is done or after it."""
    calls, original = 0, getattr(world.files, step)

    async def dying(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at + 1 and not after:
            die()
            await asyncio.sleep(1)  # which the dead don't live to see
        found = await original(*given)
        if calls == at + 1 and after:
            die()
            await asyncio.sleep(1)
        return found

    setattr(world.files, step, dying)


def dying_register(world: World, after: bool, at: int, die: Callable[[], None]) -> None:
    """The same of the commits that write a register; with a file, the tail is trimmed in it."""
    calls, original = 0, world.store.apply

    def dying(token: str, commit: Commit) -> bool:
        nonlocal calls
        if any(write.key == keys.archive(commit.partition) for write in commit.writes):
            calls += 1
            if calls == at + 1:
                asyncio.get_running_loop().call_soon(die)
                return original(token, commit) if after else False
        return original(token, commit)

    world.store.apply = dying  # type: ignore[method-assign]


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", ["write", "register", "merge"])
def test_a_death_at_any_step_of_archiving_loses_nothing(step: str, after: bool, at: int) -> None:
    async def main() -> None:
        world = World(2 * at, PARTITIONS)
        world.archive_after_s = 0.2
        world.publish_plans({"w": plan_of(DEFINITIONS)}, 1)
        logs, parts = portions(at)
        cluster, deaths = Cluster(world), 0

        def die() -> None:
            nonlocal deaths
            deaths += 1
            for process in set(cluster.owner_of.values()):
                cluster._kill(process)

        if step == "register":
            dying_register(world, after, at, die)
        else:
            dying_files(world, step, after, at, die)
        for part in parts:
            for partition, log in enumerate(part):
                for record in log:
                    world.append(partition, pack.encode(record))
            await cluster.settle()
            await asyncio.sleep(0.5)
        await cluster.settle()
        await asyncio.sleep(5)
        await cluster.stop()
        assert deaths == 1, "no such step was taken"
        check(world, logs)

    run(main())
