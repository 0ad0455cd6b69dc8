"""Everything at once: merges, retractions, repeats, an erasure, deaths and losses; who is in what is right all the while.

Strangers go into each other, in chains and rings, and events of theirs are taken back: by the id that they came
under, by another one of the same person, before they come, twice, while merges are under way. The ids of one
person, of whom one is erased, do the same. Definitions change. Whenever all logs have been applied, members must be those of a
world in which every event was sent once, to where it has come to rest, what was taken back never came, and the
definitions always were the last ones.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from livesegments.core.event import MERGE, PROFILE, RETRACT, Event
from livesegments.core.profile import decode
from livesegments.store import keys
from livesegments.wire import pack
from livesegments.wire.pack import Erase
from tests.effort import effort
from tests.simulation.faults import FAULTS, FORGETTING, LOSSES, Cluster, check_dues, stored_members
from tests.simulation.loop import run
from tests.simulation.reference import Reference
from tests.simulation.story import PARTITIONS
from tests.simulation.test_definitions import VARIANTS, Catalogue
from tests.simulation.test_erasing_persons import IDS, done, put, story
from tests.simulation.world import START_MS, World

JOINT = VARIANTS | {
    "loyal": [f'{{"type":"event","name":"a","value":{count}}}' for count in (3, 5)],
    "chain": [
        '{"type":"sequence","steps":[{"name":"a"},{"name":"b"},{"name":"a"}],"within":"2h"}',
        '{"type":"sequence","steps":[{"name":"b"},{"name":"a"}],"within":"1h"}',
    ],
    "latest": ['{"type":"occurrence","which":"last","name":"b","window":{"last":"1h"}}'],
}
STRANGERS = [f"p{number}" for number in range(4)]
Log = list[pack.Packed | Erase]


def joint_story(seed: int) -> Log:
    """What is written to the log, in this order: strangers' merges and everybody's retractions are added to
    the story of a person who is erased."""
    rng = random.Random(f"joint {seed}")
    found = story(seed)
    for number in range(rng.randrange(1, 7)):
        old, into = rng.sample(STRANGERS, 2)
        merge = Event(f"s{number}", "w", old, MERGE, START_MS, {"into": into})
        found.insert(rng.randrange(len(found) + 1), pack.Packed([merge]))
    for number, record in enumerate(list(found)):
        if isinstance(record, Erase) or rng.random() > 0.2:
            continue
        event = record.events[0]
        if event.name in (PROFILE, MERGE):
            continue
        family = IDS if event.profile in IDS else STRANGERS
        for copy in range(rng.choice((1, 1, 1, 2))):
            by = event.profile if rng.random() < 0.7 else rng.choice(family)
            retract = Event(f"r{number}.{copy}", "w", by, RETRACT, START_MS, {"event_id": event.id})
            found.insert(rng.randrange(len(found) + 1), pack.Packed([retract] * rng.choice((1, 1, 2))))
    return found


def homes(world: World) -> dict[str, str]:
    """Profile → where it went; a ring has none that is there, and must not be."""
    found = {}
    for partition in range(PARTITIONS):
        for id_, data in world.store.hashes.get(keys.profiles(partition, "w"), {}).items():
            kin = decode(data).kin
            if kin is not None and kin.into is not None:
                found[id_] = kin.into
    return found


def rest(profile: str, into: dict[str, str]) -> str:
    for _ in range(100):
        if profile not in into:
            return profile
        profile = into[profile]
    raise AssertionError(f"{profile} is in a ring")


def never_taken_back(events: Iterable[Event]) -> list[Event]:
    """In a world where what is taken back never came; everything by the profile where it rests."""
    found = list(events)
    taken = {(each.profile, each.properties["event_id"]) for each in found if each.name == RETRACT}
    return [e for e in found if e.name == PROFILE or (e.profile, e.id) not in taken]


def expected(world: World, happened: Iterable[Event], end_ms: int) -> dict[tuple[str, str], set[str]]:
    into = homes(world)
    events = [replace(each, profile=rest(each.profile, into)) for each in happened if each.name != MERGE]
    reference = Reference(dict(world.plans))
    reference.apply(never_taken_back(events))
    reference.move(end_ms)
    return reference.members()


def members(world: World) -> dict[tuple[str, str], set[str]]:
    found = [stored_members(world, partition) for partition in range(PARTITIONS)]
    for partition in range(PARTITIONS):
        check_dues(world, partition)
    names = {name for each in found for name in each}
    return {name: set[str]().union(*(each.get(name, ()) for each in found)) for name in names}


async def compare(world: World, cluster: Cluster, happened: Log, end_ms: int) -> None:
    """Every log's clock comes to the same instant, and all is applied."""
    for partition in range(PARTITIONS):
        world.append(partition, pack.encode(pack.Clock(end_ms)))
    await cluster.settle()
    events = [event for each in happened if isinstance(each, pack.Packed) for event in each.events]
    found = {name: strangers for name, who in members(world).items() if (strangers := who - {*IDS})}
    assert found == expected(world, (each for each in events if each.profile not in IDS), end_ms)


@pytest.mark.parametrize("seed", range(effort(3, 8)))
def test_all_of_it_together(seed: int) -> None:
    run(joint(seed))


async def joint(seed: int) -> None:
    world = World(seed, PARTITIONS)
    world.checkpoint_every_s = 0.3
    catalogue = Catalogue(world, JOINT)
    happened = joint_story(seed)
    cluster = Cluster(world)
    rng = world.random
    faults = FAULTS + LOSSES + FORGETTING
    end_ms = START_MS
    for number, record in enumerate(happened):
        put(world, record)
        if isinstance(record, pack.Packed):
            end_ms = max(end_ms, record.events[0].time_ms)
        if rng.random() < 0.1:
            await asyncio.sleep(rng.random() * 0.1)
        if rng.random() < 0.05:
            await cluster.strike(faults)
        if rng.random() < 0.05:
            catalogue.change()
        if number % 50 == 49:
            await compare(world, cluster, happened[: number + 1], end_ms)
    await compare(world, cluster, happened, START_MS + 10**9)
    await done(cluster, len(IDS))
    await cluster.strike(LOSSES + FORGETTING)
    await compare(world, cluster, happened, START_MS + 10**9)
    await done(cluster, len(IDS))
    await cluster.stop()
