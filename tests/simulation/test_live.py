"""Mode `wall`: what is due fires by itself, whatever dies, and transitions that are replayed have their old
ids."""

from __future__ import annotations

import asyncio
import random

import pytest

from livesegments.core.event import PROFILE, Event, Transition
from livesegments.wire import pack
from livesegments.wire.topics import partition_of
from tests.delivery import check_delivery
from tests.effort import effort
from tests.simulation.faults import FAULTS, LOSSES, Cluster, stored_members
from tests.simulation.loop import run
from tests.simulation.memory import MemoryStore
from tests.simulation.reference import Reference
from tests.simulation.story import PARTITIONS, plan_of
from tests.simulation.world import World

PLAN = plan_of(
    {
        "active": '{"type":"event","name":"a","window":{"last":"10s"},"value":2}',
        "quiet": '{"type":"not","of":{"type":"event","name":"a","window":{"last":"5s"}}}',
        "rich": '{"type":"attribute","name":"score","op":"gte","value":3}',
        "both": '{"type":"all","of":[{"type":"segment","id":"active"},{"type":"segment","id":"rich"}]}',
        "left": '{"type":"sequence","steps":[{"name":"a"},{"name":"b","absent":true}],"within":"2s"}',
    }
)
SOON_S = 1.0
"""Of the simulation's own time."""


class Traffic:
    """Sends an event now and then, at its own time, and knows the members that must follow."""

    def __init__(self, world: World, late: bool) -> None:
        self.world = world
        self.late = late
        self.references = [Reference({"w": PLAN}) for _ in range(PARTITIONS)]
        self._random = random.Random(world.random.random())
        self._number = 0

    def send(self) -> None:
        rng, now = self._random, self.world.now_ms()
        self._number += 1
        profile = f"p{rng.randrange(10)}"
        time_ms = now - rng.choice((0, 0, 500, 4_000)) if self.late else now
        name, properties = rng.choice((("a", {}), ("a", {}), ("b", {}), (PROFILE, None)))
        given = {"attributes": {"score": rng.randrange(6)}} if properties is None else properties
        event = Event(f"e{self._number}", "w", profile, name, time_ms, given)
        partition = partition_of("w", profile, PARTITIONS)
        self.world.append(partition, pack.encode(pack.Packed([event])))
        self.references[partition].apply([event])

    async def right(self) -> None:
        """Waits until all members are those of this moment, though nothing is sent."""
        async with asyncio.timeout(SOON_S):
            for partition, reference in enumerate(self.references):
                reference.move(self.world.now_ms())
                while stored_members(self.world, partition) != reference.members():
                    await asyncio.sleep(0.01)
                    reference.move(self.world.now_ms())


@pytest.mark.parametrize("seed", range(effort(6, 40)))
def test_what_is_due_fires_whatever_died(seed: int) -> None:
    async def main() -> None:
        world = World(seed, PARTITIONS, live=True)
        world.publish_plans({"w": PLAN}, 1)
        cluster, traffic = Cluster(world), Traffic(world, late=True)
        for _ in range(12):
            for _ in range(world.random.randrange(10)):
                traffic.send()
                await asyncio.sleep(world.random.random() * 0.5)
            await cluster.strike(FAULTS + LOSSES if seed % 2 else FAULTS)
        await cluster.settle()
        for later_s in (0, 2, 3, 5, 10):
            await asyncio.sleep(later_s)
            await traffic.right()
        await cluster.stop()
        if not seed % 2:
            for announced in world.announced:
                check_delivery(announced)

    run(main())


def by_profile(transitions: list[Transition]) -> dict[str, list[Transition]]:
    found: dict[str, list[Transition]] = {}
    for each in transitions:
        found.setdefault(each.profile, []).append(each)
    return found


@pytest.mark.parametrize("seed", range(effort(2, 10)))
def test_from_an_empty_store_the_same_transitions_are_told_again(seed: int) -> None:
    """Their instants come from the log and the dues, not from when somebody looked at the clock.

    Each profile's come in their order. Profiles know nothing of each other.
    """

    async def main() -> None:
        world = World(seed, PARTITIONS, live=True)
        world.publish_plans({"w": PLAN}, 1)
        cluster, traffic = Cluster(world), Traffic(world, late=False)
        for _ in range(60):
            await asyncio.sleep(world.random.choice((0.5, 1.0, 1.5)))
            traffic.send()
        await asyncio.sleep(20)
        await traffic.right()
        before = [list(announced) for announced in world.announced]
        assert all(before)
        world.store.restore(MemoryStore())
        await asyncio.sleep(20)
        await cluster.settle()
        await traffic.right()
        await cluster.stop()
        for partition, announced in enumerate(world.announced):
            assert by_profile(announced) == by_profile(before[partition] * 2)

    run(main())
