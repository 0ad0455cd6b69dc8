"""The store is lost and the log has forgotten: checkpoints bring a partition back, as if nothing had been."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from livesegments.history.mark import commit_of
from livesegments.history.ranges import chain, parse
from livesegments.store import keys
from livesegments.store.tail import Entry, applied, decode_fields
from livesegments.wire import pack
from tests.delivery import check_delivery
from tests.effort import effort
from tests.simulation.faults import FAULTS, FORGETTING, LOSSES, Cluster, check_dues, stored_members
from tests.simulation.loop import run
from tests.simulation.memory import MemoryStore
from tests.simulation.story import DEFINITIONS, PARTITIONS, expected, history, plan_of, records
from tests.simulation.world import START_MS, World

Logs = list[list[pack.Record]]


def begin(seed: int, events: int = 150) -> tuple[World, Logs]:
    world = World(seed, PARTITIONS)
    world.checkpoint_every_s = 0.3
    world.publish_plans({"w": plan_of(DEFINITIONS)}, 1)
    logs = records(seed, history(seed, events), START_MS + 10**9)
    for partition, log in enumerate(logs):
        for record in log:
            world.append(partition, pack.encode(record))
    return world, logs


def check(world: World, logs: Logs) -> None:
    """Members, transitions and archive are as if nothing had gone wrong."""
    for partition, reference in enumerate(expected(plan_of(DEFINITIONS), logs)):
        assert stored_members(world, partition) == reference.members()
        check_dues(world, partition)
        check_delivery(world.announced[partition])
        assert {each.id for each in world.announced[partition]} == {each.id for each in reference.transitions}
        ids = Counter(each.event.id for number, entry in archived(world, partition)
                      for each in applied(number, entry) if each.cause is None)  # fmt: skip
        wanted = {
            event.id
            for record in logs[partition]
            if isinstance(record, pack.Packed)
            for event in record.events
        }
        assert ids == Counter(wanted)


def archived(world: World, partition: int) -> list[tuple[int, Entry]]:
    """What the registered files have, and then the tail."""
    register = world.store.hashes.get(keys.archive(partition), {})
    ranges = sorted(range_ for name in register if (range_ := parse(name)) is not None)
    assert chain(ranges) == ranges, "one follows the other, from the first commit on"
    files = [world.files.files[partition][of] for of in ranges]
    for name in world.store.hashes.get(keys.checkpoint(partition), {}):
        border = commit_of(name)
        assert border is not None
        for file in files:
            assert len({number > border for number, _ in file}) <= 1, "no file goes across a checkpoint"
    entries = [entry for file in files for entry in file]
    tail = world.store.streams.get(keys.tail(partition), {})
    assert not ranges or min(tail, default=2**62) > ranges[-1].last
    return entries + [(number, decode_fields(fields)) for number, fields in tail.items()]


async def taken(world: World, beyond: int = 0) -> None:
    """Until each partition has a checkpoint of the whole log, or beyond an offset."""
    async with asyncio.timeout(600):
        for partition in range(PARTITIONS):
            while not any(
                mark.offset >= (beyond or len(world.logs[partition]))
                for mark, _ in world.files.checkpoints.get(partition, {}).values()
            ):
                assert not world.crashes, world.crashes
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("seed", range(effort(6, 40)))
def test_whatever_is_lost_and_forgotten_every_record_counts_once(seed: int) -> None:
    async def main() -> None:
        world, logs = begin(seed)
        cluster = Cluster(world)
        for _ in range(20):
            await asyncio.sleep(world.random.random() * 0.3)
            await cluster.strike(FAULTS + LOSSES + 4 * FORGETTING)
        await cluster.settle()
        await cluster.stop()
        check(world, logs)

    run(main())


@pytest.mark.parametrize("fault", ["empty", "empty quietly"])
@pytest.mark.parametrize("seed", range(5))
def test_a_store_emptied_comes_back_though_the_log_has_forgotten_everything(seed: int, fault: str) -> None:
    async def main() -> None:
        world, logs = begin(seed, 60)
        cluster = Cluster(world)
        await cluster.settle()
        await taken(world)
        for partition in range(PARTITIONS):
            world.forget(partition)
            assert world.firsts[partition] == len(logs[partition])
        await cluster.strike((fault,))
        await cluster.settle()
        await cluster.stop()
        check(world, logs)
        for partition in range(PARTITIONS):
            assert "restoring" not in world.store.hashes[keys.head(partition)]

    run(main())


def test_what_the_broker_does_not_have_yet_is_in_no_checkpoint() -> None:
    """The outbox alone knows it: with a checkpoint beyond it, it would be lost with the store."""

    async def main() -> None:
        world, logs = begin(0, 60)
        world.broker.clear()
        cluster = Cluster(world)
        await asyncio.sleep(10)
        for partition in range(PARTITIONS):
            world.forget(partition)
        world.store.restore(MemoryStore())
        world.broker.set()
        await cluster.settle()
        await cluster.stop()
        check(world, logs)

    run(main())


@pytest.mark.parametrize("at", range(16))
def test_a_death_at_any_step_of_a_checkpoint_loses_nothing(at: int) -> None:
    """Every call to the files is two steps: one before it is done, and one after."""

    async def main() -> None:
        world, logs = begin(at, 60)
        cluster = Cluster(world)
        kill_at(world.files, "_pause", at, lambda: kill(cluster))
        await cluster.settle()
        await taken(world)
        for partition in range(PARTITIONS):
            world.forget(partition)
        world.store.restore(MemoryStore())
        await cluster.settle()
        await cluster.stop()
        check(world, logs)

    run(main())


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(8))
def test_a_death_at_any_write_of_a_rebuild_loses_nothing(at: int, done: bool) -> None:
    async def main() -> None:
        world, logs = begin(at, 60)
        cluster = Cluster(world)
        await cluster.settle()
        await taken(world)
        for partition in range(PARTITIONS):
            world.forget(partition)
        write, writes = world.store._restore, 0

        def dying(*arguments: Any) -> bool:
            nonlocal writes
            writes += 1
            if writes == at + 1:
                asyncio.get_running_loop().call_soon(kill, cluster)
                return write(*arguments) if done else False
            return write(*arguments)

        world.store._restore = dying  # type: ignore[assignment,method-assign]
        world.store.restore(MemoryStore())
        await cluster.settle()
        await cluster.stop()
        assert writes > at
        check(world, logs)

    run(main())


def kill(cluster: Cluster) -> None:
    cluster._kill(cluster.owner_of[0])


def kill_at(target: Any, name: str, at: int, act: Callable[[], None]) -> None:
    """At call number `at` the act is begun; it happens soon after."""
    method, calls = getattr(target, name), 0

    async def counted() -> None:
        nonlocal calls
        calls += 1
        if calls == at + 1:
            asyncio.get_running_loop().call_soon(act)
        await method()

    setattr(target, name, counted)
