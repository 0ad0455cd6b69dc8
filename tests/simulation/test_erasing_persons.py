"""A person is all of its ids: whichever is named, in whatever order merges, events and the erasure come."""

from __future__ import annotations

import asyncio
import random

import pytest
from msgspec.structs import replace

from livesegments.core.event import MERGE, Event
from livesegments.store import keys
from livesegments.store.erasures import Erasing, decode
from livesegments.wire import pack
from livesegments.wire.pack import Erase, Lift
from livesegments.wire.suppressed import digest
from livesegments.wire.topics import partition_of
from tests.effort import effort
from tests.simulation.faults import FAULTS, FORGETTING, LOSSES, Cluster, stored_members
from tests.simulation.loop import run
from tests.simulation.reference import Reference
from tests.simulation.story import DEFINITIONS, PARTITIONS, history, plan_of
from tests.simulation.test_erasing import places
from tests.simulation.world import KEY, START_MS, World

IDS = [f"the-canary-{number}" for number in range(5)]
LATE = "the-canary-late"
END_MS = START_MS + 10**9
ALL = FAULTS + LOSSES + FORGETTING


def home(profile: str) -> int:
    return partition_of("w", profile, PARTITIONS)


def story(seed: int) -> list[pack.Packed | Erase]:
    """What is written to the log, in this order: events of four strangers and of the person's ids, by which merges
    these become one person, and the erasure of one of them."""
    rng = random.Random(seed)
    names = dict(zip((f"p{number}" for number in range(4, 9)), IDS, strict=True))
    events = [
        replace(each, profile=names.get(each.profile, each.profile))
        for each in history(seed, 150, profiles=9)
        if each.profile != "p8" or seed % 3  # now and then an id that has done nothing
    ]
    found: list[pack.Packed | Erase] = [pack.Packed([each]) for each in events]
    merges = [(IDS[at], IDS[rng.randrange(at)]) for at in range(1, len(IDS))]
    if seed % 4 == 0:
        merges.append((IDS[0], IDS[rng.randrange(1, len(IDS))]))  # a ring
    own: dict[str, int] = {}
    for number, (old, into) in enumerate(merges):
        at = own[old] = rng.randrange(len(found))
        event = Event(f"m{number}", "w", old, MERGE, START_MS + number, {"into": into})
        found.insert(at, pack.Packed([event]))
        own = {each: place + (place >= at and each != old) for each, place in own.items()}
    named = rng.choice(IDS)
    known = upwards(named, dict(merges))  # who is erased before a merge of its own is not merged any more
    at = rng.randrange(max(own.get(each, 0) for each in known) + 1, len(found) + 1)
    found.insert(at, Erase("w", named, at_once=rng.random() < 0.5))
    return found


def upwards(profile: str, into: dict[str, str]) -> list[str]:
    """A profile, and all that it goes into, one by the other."""
    found = [profile]
    while (profile := into.get(profile, "")) and profile not in found:
        found.append(profile)
    return found


def put(world: World, record: pack.Packed | Erase) -> None:
    who = record.profile if isinstance(record, Erase) else record.events[0].profile
    world.append(home(who), pack.encode(record))


def notes(world: World) -> list[Erasing]:
    found = []
    for partition in range(PARTITIONS):
        stored = world.store.hashes.get(keys.erasures(partition), {})
        found += [decode(data) for data in stored.values() if data != b"1"]
    return found


async def done(cluster: Cluster, ids: int) -> None:
    """Every id has an erasure that is done, and nothing names one any more."""
    world = cluster.world
    async with asyncio.timeout(3_600):
        while True:
            await cluster.settle()
            stored = notes(world)
            whole = len({each.digest for each in stored}) == ids and None not in {e.done_ms for e in stored}
            if whole and not places(world) and not any(world.identities.get(each) for each in IDS):
                return
            if world.crashes:
                raise world.crashes[0]
            await asyncio.sleep(1.0)


def check(world: World, happened: list[pack.Packed | Erase]) -> None:
    reference = Reference({"w": plan_of(DEFINITIONS)})
    events = [event for each in happened if isinstance(each, pack.Packed) for event in each.events]
    reference.apply(each for each in events if each.profile not in (*IDS, LATE))
    reference.move(END_MS)
    found = [stored_members(world, partition) for partition in range(PARTITIONS)]
    names = {name for each in found for name in each}
    members = {name: set[str]().union(*(each.get(name, ()) for each in found)) for name in names}
    assert members == reference.members()


@pytest.mark.parametrize("seed", range(effort(6, 30)))
def test_whichever_id_is_named_all_go_and_none_comes_back(seed: int) -> None:
    async def main() -> None:
        world = World(seed, PARTITIONS)
        world.checkpoint_every_s = 0.3
        world.publish_plans({"w": plan_of(DEFINITIONS)}, 1)
        happened = story(seed)
        cluster = Cluster(world)
        rng = world.random
        for record in happened:
            put(world, record)
            if rng.random() < 0.1:
                await asyncio.sleep(rng.random() * 0.1)
            if rng.random() < 0.07:
                await cluster.strike(ALL)
        await done(cluster, len(IDS))
        late = [Event(f"late-{each}", "w", each, "bought", START_MS, {}) for each in (*IDS, LATE)]
        late.append(Event("late-merge", "w", LATE, MERGE, START_MS, {"into": rng.choice(IDS)}))
        for event in late:
            put(world, pack.Packed([event]))
            if rng.random() < 0.3:
                await cluster.strike(ALL)
        await done(cluster, len(IDS) + 1)
        for partition in range(PARTITIONS):
            world.append(partition, pack.encode(pack.Clock(END_MS)))
        await done(cluster, len(IDS) + 1)
        await cluster.stop()
        check(world, happened)

    run(main())


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("seed", range(effort(2, 6)))
def test_who_is_let_in_again_is_so_under_every_id(seed: int, lost: bool) -> None:
    """`lost`: the store is, and the log is applied again from checkpoints that know of the erasures after them."""

    async def main() -> None:
        world = World(seed, PARTITIONS)
        if lost:
            world.checkpoint_every_s = 0.3
        world.publish_plans({"w": plan_of(DEFINITIONS)}, 1)
        happened = story(seed)
        cluster = Cluster(world)
        if lost:
            happened.sort(key=lambda each: isinstance(each, Erase))
        for record in happened:
            if lost and isinstance(record, Erase):
                await cluster.settle()
                await asyncio.sleep(1.0)
                world.checkpoint_every_s = 10.0**6
                for process in set(cluster.owner_of.values()):
                    cluster._kill(process)
                await cluster.settle()
            put(world, record)
        await done(cluster, len(IDS))
        (named,) = (each.profile for each in happened if isinstance(each, Erase))
        for _ in range(2):  # erased once more, it has no kin, and yet all are let in
            world.append(home(named), pack.encode(Erase("w", named, at_once=True)))
        await done(cluster, len(IDS))
        world.append(home(named), pack.encode(Lift("w", digest(KEY, "w", named))))
        await cluster.settle()
        if lost:
            await cluster.strike(("empty",))
            await cluster.settle()
        for each in IDS:
            put(world, pack.Packed([Event("new", "w", each, "bought", START_MS, {})]))
        await cluster.settle()
        await cluster.stop()
        stored = {id_ for p in range(PARTITIONS) for id_ in world.store.hashes[keys.profiles(p, "w")]}
        assert stored >= set(IDS)

    run(main())
