"""A person who was erased is nowhere, and stays out; everybody else is as if nothing had been asked."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from livesegments.core.event import Event
from livesegments.history.protocol import Person
from livesegments.history.pruning import EVER, EVER_MS
from livesegments.store import keys
from livesegments.store.erasures import SEARCH, decode
from livesegments.wire import pack
from livesegments.wire.pack import Erase, Lift
from livesegments.wire.suppressed import digest
from livesegments.wire.topics import partition_of
from tests.effort import effort
from tests.simulation.faults import FAULTS, FORGETTING, LOSSES, Cluster, stored_members
from tests.simulation.loop import run
from tests.simulation.story import DEFINITIONS, PARTITIONS, expected, history, plan_of, records
from tests.simulation.world import KEY, START_MS, World

ERASED = "the-canary"
HOME = partition_of("w", ERASED, PARTITIONS)
Logs = list[list[pack.Record]]


def begin(seed: int, lift: bool = False, events: int = 150) -> tuple[World, Logs]:
    """The log has the request in the middle, and events of the erased profile behind it."""
    world = World(seed, PARTITIONS)
    world.checkpoint_every_s = 0.3
    world.publish_plans({"w": plan_of(DEFINITIONS)}, 1)
    happened = [
        replace(each, profile=ERASED) if each.profile == "p3" else each for each in history(seed, events)
    ]
    logs = records(seed, happened, START_MS + 10**9)
    rng = random.Random(seed)
    log = logs[HOME]
    at = rng.randrange(2, len(log) - 2)
    log.insert(at, Erase("w", ERASED, at_once=rng.random() < 0.5))
    if lift:
        log.insert(rng.randrange(at + 1, len(log) - 1), Lift("w", digest(KEY, "w", ERASED)))
    for partition, each in enumerate(logs):
        for record in each:
            world.append(partition, pack.encode(record))
    return world, logs


def lived(log: list[pack.Record]) -> list[pack.Record]:
    """What a reference is to see of the erased profile: nothing but what came after it was let in again. The
    clock goes on with what was dropped, too."""
    erased = next(at for at, each in enumerate(log) if isinstance(each, Erase))
    lifted = next((at for at, each in enumerate(log) if isinstance(each, Lift)), len(log))
    assert erased < lifted
    kept: list[pack.Record] = []
    for at, record in enumerate(log):
        if isinstance(record, pack.Clock):
            kept.append(record)
        elif isinstance(record, pack.Packed):
            for each in record.events:
                counts = each.profile != ERASED or at > lifted
                kept.append(pack.Packed((each,)) if counts else pack.Clock(each.time_ms))
    return kept


def is_done(world: World) -> bool:
    notes = world.store.hashes.get(keys.erasures(HOME), {})
    return bool(notes) and all(
        decode(each).done_ms is not None for name, each in notes.items() if name != SEARCH
    )


async def done(world: World) -> None:
    async with asyncio.timeout(600):
        while not is_done(world):
            assert not world.crashes, world.crashes
            await asyncio.sleep(0.05)


def places(world: World) -> list[str]:
    """Where in the store and in the files the erased profile is still named."""
    held = {
        **world.store.hashes,
        **world.store.scores,
        **world.store.streams,
        **{
            f"{number}/{each.name}": rows
            for number, files in world.files.files.items()
            for each, rows in files.items()
        },
        **{
            f"{number}/{name}": rows
            for number, files in world.files.checkpoints.items()
            for name, rows in files.items()
        },
    }
    return [place for place, content in held.items() if ERASED in repr(content)]


def check(world: World, logs: Logs) -> None:
    for partition, log in enumerate(logs):
        seen = lived(log) if partition == HOME else log
        (reference,) = expected(plan_of(DEFINITIONS), [seen])
        assert stored_members(world, partition) == reference.members()
        others = {each.id for each in world.announced[partition] if each.profile != ERASED}
        assert others == {each.id for each in reference.transitions if each.profile != ERASED}


@pytest.mark.parametrize("seed", range(effort(6, 40)))
def test_the_erased_are_nowhere_whatever_goes_wrong(seed: int) -> None:
    async def main() -> None:
        world, logs = begin(seed)
        cluster = Cluster(world)
        for _ in range(15):
            await asyncio.sleep(world.random.random() * 0.3)
            await cluster.strike(FAULTS + LOSSES + FORGETTING)
        await cluster.settle()
        await done(world)
        for _ in range(3):
            await cluster.strike(LOSSES + FORGETTING)
        await cluster.settle()
        await done(world)
        await cluster.settle()
        async with asyncio.timeout(3_600):  # what a worker still wrote that had lost its partition goes, too
            while places(world):
                assert not world.crashes, world.crashes
                await asyncio.sleep(1.0)
        await cluster.stop()
        check(world, logs)

    run(main())


@pytest.mark.parametrize("seed", range(effort(4, 15)))
def test_who_is_let_in_again_begins_anew(seed: int) -> None:
    async def main() -> None:
        world, logs = begin(seed, lift=True)
        cluster = Cluster(world)
        for _ in range(10):
            await asyncio.sleep(world.random.random() * 0.3)
            await cluster.strike(FAULTS + LOSSES + FORGETTING)
        await cluster.settle()
        await done(world)
        await cluster.stop()
        check(world, logs)

    run(main())


def test_a_search_of_old_files_takes_nothing_from_who_is_let_in_meanwhile() -> None:
    async def main() -> None:
        world, _ = begin(0)
        cluster = Cluster(world)
        await cluster.settle()
        await done(world)
        erasures = cluster.owner_of[HOME].worker.owners[HOME]._claimed.erasures

        async def seek(digests: Sequence[str]) -> list[Person]:
            assert digests
            world.append(HOME, pack.encode(Lift("w", digest(KEY, "w", ERASED))))
            bought = Event("new", "w", ERASED, "bought", START_MS + 10**9, {})
            world.append(HOME, pack.encode(pack.Packed([bought])))
            await cluster.settle()
            return [Person("w", ERASED, EVER, EVER_MS, EVER)]

        erasures._archiver.seek = seek  # type: ignore[method-assign]
        await erasures._search_again()
        assert any("/" in place for place in places(world)), "what came since is in a file"
        await cluster.stop()

    run(main())


def test_it_exits_what_it_was_in_with_the_cause_erasure() -> None:
    async def main() -> None:
        world, _ = begin(1)
        cluster = Cluster(world)
        await cluster.settle()
        await done(world)
        await cluster.stop()
        told = [each for each in world.announced[HOME] if each.profile == ERASED]
        entered = {each.segment for each in told if each.kind == "entered"}
        last = {each.segment: each for each in told}
        assert entered and all(each.kind == "exited" for each in last.values())
        assert {each.cause for each in last.values()} & {"erasure"}
        (note,) = world.store.hashes[keys.erasures(HOME)].values()
        assert decode(note).exits == sum(each.cause == "erasure" for each in told)

    run(main())
