"""A store that another version has written, in a form that this one doesn't read: it is made anew, or left as it is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from livesegments.core.states import STATES
from livesegments.store import keys
from livesegments.store.seen import Restoring, Seen, looked
from tests.simulation.faults import Cluster
from tests.simulation.loop import run
from tests.simulation.story import PARTITIONS
from tests.simulation.test_checkpoints import Logs, begin, check, taken
from tests.simulation.test_reading import head
from tests.simulation.world import World

GARBAGE = b"\xc1 of another form"


def write_as(world: World, states: str | None) -> None:
    """As if the version `states` had written everything; None: one from before there were such versions."""
    for partition in range(PARTITIONS):
        stored = world.store.hashes[keys.head(partition)]
        del stored["states"]
        if states is not None:
            stored["states"] = states.encode()
        profiles = world.store.hashes[keys.profiles(partition, "w")]
        profiles |= dict.fromkeys(profiles, GARBAGE)


async def stored(world: World) -> None:
    """All of the log is applied, and nobody serves any more."""
    cluster = Cluster(world)
    await cluster.settle()
    await cluster.stop()


def as_another(world: World) -> None:
    for of in world.files.checkpoints.values():
        for name, (mark, rows) in of.items():
            of[name] = replace(mark, states=STATES - 1), rows


@pytest.mark.parametrize("states", [None, str(STATES - 1), str(STATES + 1)])
def test_it_is_made_anew_from_the_whole_log(states: str | None) -> None:
    async def main() -> None:
        world, logs = begin(3, 60)
        world.checkpoint_every_s = 0
        await stored(world)
        write_as(world, states)
        for partition in range(PARTITIONS):
            with pytest.raises(Restoring, match="another version"):
                looked(partition, head(world, partition), Seen(), 0)
        cluster = Cluster(world)
        await settled_again(cluster, world, logs)
        for partition in range(PARTITIONS):
            looked(partition, head(world, partition), Seen(), 0)

    run(main())


def test_it_is_made_anew_from_a_checkpoint_of_this_version() -> None:
    """The store was taken back to what an earlier version had written."""

    async def main() -> None:
        world, logs = begin(4, 60)
        cluster = Cluster(world)
        await cluster.settle()
        await taken(world)
        await cluster.stop()
        for partition in range(PARTITIONS):
            world.forget(partition)
        write_as(world, str(STATES - 1))
        await settled_again(Cluster(world), world, logs)

    run(main())


def test_where_neither_is_there_it_stays_as_it_is() -> None:
    """Its checkpoints are of the other version, too."""

    async def main() -> None:
        world, _ = begin(5, 60)
        cluster = Cluster(world)
        await cluster.settle()
        await taken(world)
        await cluster.stop()
        as_another(world)
        for partition in range(PARTITIONS):
            world.forget(partition)
        write_as(world, str(STATES - 1))
        before = world.store.copy()
        cluster = Cluster(world)
        await asyncio.sleep(30)
        await cluster.stop()
        assert not world.crashes
        for partition in range(PARTITIONS):
            for name, value in before.hashes[keys.head(partition)].items():
                if name not in ("owner", "claimed"):
                    assert world.store.hashes[keys.head(partition)][name] == value
        assert without_heads(world.store.hashes) == without_heads(before.hashes)
        assert (world.store.scores, world.store.bits) == (before.scores, before.bits)

    run(main())


async def settled_again(cluster: Cluster, world: World, logs: Logs) -> None:
    anew = {"states": str(STATES).encode(), "restoring": None}
    for partition in range(PARTITIONS):
        while heads(world, partition) != anew:
            assert not world.crashes, world.crashes
            await asyncio.sleep(0.05)
    await cluster.settle()
    await cluster.stop()
    assert all(
        GARBAGE not in world.store.hashes[keys.profiles(partition, "w")].values()
        for partition in range(PARTITIONS)
    )
    check(world, logs)


def heads(world: World, partition: int) -> dict[str, Any]:
    stored = world.store.hashes[keys.head(partition)]
    return {name: stored.get(name) for name in ("states", "restoring")}


def without_heads(hashes: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {key: value for key, value in hashes.items() if key not in map(keys.head, range(PARTITIONS))}
