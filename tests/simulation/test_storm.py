"""Many profiles come due at one instant while events come: each profile goes through the same as one by one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable

import pytest

from livesegments.core.event import PROFILE, Event, Transition
from livesegments.wire import pack
from livesegments.wire.topics import partition_of
from tests.delivery import check_delivery
from tests.effort import effort
from tests.simulation.faults import FAULTS, LOSSES, Cluster, stored_members
from tests.simulation.loop import run
from tests.simulation.story import DEFINITIONS, MINUTE, PARTITIONS, expected, plan_of
from tests.simulation.world import START_MS, World

PROFILES = 60
STEP_MS = 30 * MINUTE
"""Windows of the definitions end a whole number of steps after an event."""


def storms(seed: int) -> list[list[pack.Record]]:
    """Events only at whole steps: at every step most profiles fall due, and half of them do something."""
    rng = random.Random(seed)
    logs: list[list[pack.Record]] = [[] for _ in range(PARTITIONS)]
    number = 0
    for step in range(12):
        waiting: list[list[Event]] = [[] for _ in range(PARTITIONS)]
        for _ in range(PROFILES // 2 if step else 2 * PROFILES):
            number += 1
            profile = f"p{rng.randrange(PROFILES)}"
            at = START_MS + step * STEP_MS - rng.choice((0, 0, 0, 1))
            name, properties = rng.choice(
                (("a", {}), ("b", {}), (PROFILE, {"attributes": {"score": number % 6}}))
            )
            event = Event(f"e{number}", "w", profile, name, at, properties)
            waiting[partition_of("w", profile, PARTITIONS)].append(event)
        for log, events in zip(logs, waiting, strict=True):
            start = 0
            while start < len(events):
                end = start + rng.randrange(1, 12)
                log.append(pack.Packed(tuple(events[start:end])))
                start = end
            if rng.random() < 0.2:
                log.append(pack.Clock(START_MS + step * STEP_MS + rng.randrange(STEP_MS)))
    return logs


def by_profile(transitions: Iterable[Transition]) -> dict[str, list[str]]:
    """Ids, in order, without what is announced again."""
    found: dict[str, dict[str, None]] = {}
    for each in transitions:
        found.setdefault(each.profile, {})[each.id] = None
    return {profile: list(ids) for profile, ids in found.items()}


@pytest.mark.parametrize("live", [False, True], ids=["log", "wall"])
@pytest.mark.parametrize("seed", range(effort(4, 20)))
def test_each_profile_goes_through_the_same_in_a_storm(seed: int, live: bool) -> None:
    async def main() -> None:
        world = World(seed, PARTITIONS, live)
        world.tiny = not seed % 2
        plan = plan_of(DEFINITIONS)
        world.publish_plans({"w": plan}, 1)
        logs = storms(seed)
        for partition, log in enumerate(logs):
            for record in log:
                if not live or isinstance(record, pack.Packed):
                    world.append(partition, pack.encode(record), stamp_ms=0)
        cluster = Cluster(world)
        for _ in range(12):
            await asyncio.sleep(world.random.random() * 0.1)
            await cluster.strike(FAULTS if live else FAULTS + LOSSES)
        await cluster.settle()
        await cluster.stop()
        logs = [[each for each in log if not live or isinstance(each, pack.Packed)] for log in logs]
        for partition, reference in enumerate(expected(plan, logs)):
            assert stored_members(world, partition) == reference.members()
            check_delivery(world.announced[partition])
            assert by_profile(world.announced[partition]) == by_profile(reference.transitions)

    run(main())
