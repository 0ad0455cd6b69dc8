"""Profiles that go into each other, whatever dies meanwhile: what they did counts once, for those who are there."""

from __future__ import annotations

import asyncio
import random

import pytest

from livesegments.core.event import MERGE, Event
from livesegments.core.profile import decode
from livesegments.store import keys
from livesegments.store.tail import applied, decode_fields
from livesegments.wire import pack
from livesegments.wire.topics import partition_of
from tests.delivery import check_delivery
from tests.effort import effort
from tests.simulation.faults import FAULTS, FORGETTING, LOSSES, Cluster, stored_members
from tests.simulation.loop import run
from tests.simulation.reference import Reference
from tests.simulation.story import DEFINITIONS, PARTITIONS, history, plan_of
from tests.simulation.world import START_MS, World

END_MS = START_MS + 10**9


def stories(seed: int, profiles: int) -> list[Event]:
    """Events of a few profiles, without repeats, and merges among them."""
    rng = random.Random(seed)
    events = []
    for number, event in enumerate(
        {each.id: each for each in history(seed, 150, profiles=profiles)}.values()
    ):
        events.append(event)
        if rng.random() < 0.08:
            old, into = (f"p{rng.randrange(profiles)}" for _ in range(2))
            events.append(Event(f"m{number}", "w", old, MERGE, event.time_ms, {"into": into}))
    return events


@pytest.mark.parametrize("checkpoints", [False, True])
@pytest.mark.parametrize("seed", range(effort(6, 40)))
def test_whatever_dies_what_they_did_counts_once(seed: int, checkpoints: bool) -> None:
    async def main() -> None:
        world = World(seed, PARTITIONS)
        world.checkpoint_every_s = 0.3 if checkpoints else 0.0
        plan = plan_of(DEFINITIONS)
        world.publish_plans({"w": plan}, 1)
        events = stories(seed, 8)
        cluster = Cluster(world)
        faults = FAULTS + LOSSES + (FORGETTING if checkpoints else ())
        strikes = {world.random.randrange(len(events)) for _ in range(12)}
        for place, event in enumerate(events):
            partition = partition_of("w", event.profile, PARTITIONS)
            world.append(partition, pack.encode(pack.Packed([event])))
            if world.random.random() < 0.1:
                await asyncio.sleep(world.random.random() * 0.2)
            if place in strikes:
                await cluster.strike(faults)
        await cluster.settle()
        for partition in range(PARTITIONS):
            world.append(partition, pack.encode(pack.Clock(END_MS)))
        await cluster.settle()
        await cluster.stop()
        check(world, events)

    run(main())


def check(world: World, events: list[Event]) -> None:
    states = {
        id_: decode(data)
        for partition in range(PARTITIONS)
        for id_, data in world.store.hashes.get(keys.profiles(partition, "w"), {}).items()
    }
    into = {id_: state.kin.into for id_, state in states.items() if state.kin and state.kin.into}

    def home(profile: str) -> str:
        """Where what came for a profile has come to rest."""
        for _ in range(100):
            if profile not in into:
                return profile
            profile = into[profile]
        raise AssertionError(f"{profile} is in a ring")

    plain = [each for each in events if each.name != MERGE]
    wanted = sorted((home(each.profile), each.id) for each in plain)
    reference = Reference({"w": plan_of(DEFINITIONS)})
    reference.apply(Event(e.id, "w", home(e.profile), e.name, e.time_ms, e.properties) for e in plain)
    reference.move(END_MS)
    found = [stored_members(world, partition) for partition in range(PARTITIONS)]
    keys_ = {key for each in found for key in each}
    members = {key: set[str]().union(*(each.get(key, ()) for each in found)) for key in keys_}
    assert members == reference.members()
    assert into, "nobody was merged"
    assert archived(world, into) == wanted
    for announced in world.announced:
        check_delivery(announced)


def archived(world: World, gone: dict[str, str]) -> list[tuple[str, str]]:
    """(profile, event id) of all that archive and tail say is a profile's own."""
    own: dict[str, list[str]] = {}
    for partition in range(PARTITIONS):
        files = world.files.files.get(partition, {})
        names = world.store.hashes.get(keys.archive(partition), {}).keys()
        entries = [each for of in sorted(files) if of.name in names for each in files[of]]
        tail = world.store.streams.get(keys.tail(partition), {})
        entries += [(number, decode_fields(fields)) for number, fields in sorted(tail.items())]
        for commit, entry in sorted(entries, key=lambda item: item[0]):
            for each in applied(commit, entry):
                if each.event.name == MERGE:
                    own[each.event.profile] = []
                elif each.cause is None:
                    own.setdefault(each.event.profile, []).append(each.event.id)
    return sorted((profile, id_) for profile, ids in own.items() for id_ in ids)
