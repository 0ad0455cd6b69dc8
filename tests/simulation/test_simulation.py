"""The whole loop of the evaluator, many seeds: whatever is killed when, each record counts once.

A failing seed runs again with `pytest tests/simulation -k SEED`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable

import msgspec
import pytest

from livesegments.core.definition import Node
from livesegments.core.event import PROFILE, Event
from livesegments.core.plan import Plan, Segment, compile
from livesegments.store import keys
from livesegments.wire import pack
from livesegments.wire.topics import partition_of
from tests.delivery import check_delivery
from tests.simulation.loop import run
from tests.simulation.reference import Reference
from tests.simulation.world import START_MS, Worker, World

PARTITIONS = 2
MINUTE = 60_000

DEFINITIONS = {
    "active": '{"type":"event","name":"a","window":{"last":"1h"},"value":2}',
    "quiet": '{"type":"not","of":{"type":"event","name":"a","window":{"last":"30m"}}}',
    "rich": '{"type":"attribute","name":"score","op":"gte","value":3}',
    "both": '{"type":"all","of":[{"type":"segment","id":"active"},{"type":"segment","id":"rich"}]}',
    "left": '{"type":"sequence","steps":[{"name":"a"},{"name":"b","absent":true}],"within":"20m"}',
}


def segment(id_: str, revision: int = 1, version: int = 1) -> Segment:
    return Segment(id_, version, revision, msgspec.json.decode(DEFINITIONS[id_], type=Node))


def plan_of(ids: Iterable[str], revision: int = 1, previous: Plan | None = None) -> Plan:
    return compile("w", "Europe/Paris", [segment(id_) for id_ in ids], revision, previous=previous)


def history(seed: int, count: int) -> list[Event]:
    """Events of a few profiles over hours, some late, some twice."""
    rng = random.Random(seed)
    now, events = START_MS, []
    for number in range(count):
        now += rng.choice((0, 1, 1_000, MINUTE, 5 * MINUTE))
        profile, time_ms = f"p{rng.randrange(10)}", now - rng.choice((0, 0, 0, 10 * MINUTE))
        if rng.random() < 0.3:
            event = Event(
                f"e{number}", "w", profile, PROFILE, time_ms, {"attributes": {"score": rng.randrange(6)}}
            )
        else:
            event = Event(f"e{number}", "w", profile, rng.choice("aab"), time_ms, {})
        events += [event] * rng.choice((1, 1, 1, 1, 2))
    return events


def records(seed: int, events: list[Event]) -> list[list[pack.Record]]:
    """Each partition's log: packed records of a few events, and here and there a clock."""
    rng = random.Random(seed)
    logs: list[list[pack.Record]] = [[] for _ in range(PARTITIONS)]
    for partition in range(PARTITIONS):
        mine = [each for each in events if partition_of("w", each.profile, PARTITIONS) == partition]
        while mine:
            size = rng.randrange(1, 6)
            logs[partition].append(pack.Packed(tuple(mine[:size])))
            mine = mine[size:]
            if rng.random() < 0.05:
                last = logs[partition][-1]
                assert isinstance(last, pack.Packed)
                logs[partition].append(pack.Clock(last.events[-1].time_ms + rng.randrange(10 * MINUTE)))
        logs[partition].append(pack.Clock(START_MS + 10**9))
    return logs


def expected(plan: Plan, logs: list[list[pack.Record]]) -> list[Reference]:
    references = []
    for log in logs:
        reference = Reference({"w": plan})
        for record in log:
            match record:
                case pack.Packed(events):
                    reference.apply(events)
                case pack.Clock(to_ms):
                    reference.move(to_ms)
        references.append(reference)
    return references


async def chaos(world: World, faults: int) -> None:
    """Kills, zombies, rebalances and lost tails of the store while the log is being read."""
    rng = world.random
    count = 0
    owner_of: dict[int, Worker] = {}

    def fresh() -> Worker:
        nonlocal count
        count += 1
        return Worker(world, f"worker-{count}")

    workers = [fresh(), fresh()]
    for partition in range(PARTITIONS):
        owner_of[partition] = rng.choice(workers)
        owner_of[partition].assign(partition)
    snapshot = world.store.copy()
    for _ in range(faults):
        await asyncio.sleep(rng.random() * 0.2)
        partition = rng.randrange(PARTITIONS)
        match rng.choice(("kill", "move", "zombie", "lose", "snapshot")):
            case "kill":
                dead, successor = owner_of[partition], fresh()
                world.kill(dead.name)
                for each in [each for each, worker in owner_of.items() if worker is dead]:
                    owner_of[each] = successor
                    successor.assign(each)
            case "move":
                before, after = owner_of[partition], fresh()
                await before.revoke(partition)
                owner_of[partition] = after
                after.assign(partition)
            case "zombie":
                before, after = owner_of[partition], fresh()
                world.stop(before.name)
                mine = [each for each, worker in owner_of.items() if worker is before]
                for each in mine:
                    owner_of[each] = after
                    after.assign(each)
                await asyncio.sleep(rng.random() * 0.2)
                world.resume()
                await asyncio.sleep(rng.random() * 0.1)
                for each in mine:
                    await before.revoke(each)
            case "lose":
                world.store.restore(snapshot)
            case "snapshot":
                snapshot = world.store.copy()
    await settle(world, owner_of)


async def settle(world: World, owner_of: dict[int, Worker]) -> None:
    async with asyncio.timeout(600):
        for partition in range(PARTITIONS):
            while not settled(world, partition):
                assert not world.crashes, world.crashes
                await asyncio.sleep(0.1)
        for partition, worker in owner_of.items():
            await worker.revoke(partition)


def settled(world: World, partition: int) -> bool:
    head = world.store.hashes.get(keys.head(partition), {})
    walked = all(
        b'"ready"' in progress
        for progress in world.store.hashes.get(keys.segments(partition, "w"), {}).values()
    )
    return (
        head.get("offset") == len(world.logs[partition])
        and head.get("catalog") == world.revision
        and not world.store.streams.get(keys.outbox(partition))
        and walked
    )


def check_members(world: World, partition: int, members: dict[tuple[str, str], set[str]]) -> None:
    stored = {
        (parts[2], parts[3]): set(scores)
        for key, scores in world.store.scores.items()
        if scores and (parts := key.split(":"))[0] == f"{{{partition}}}" and parts[1] == "members"
    }
    assert stored == members


@pytest.mark.parametrize("seed", range(60))
def test_whatever_dies_every_record_counts_once(seed: int) -> None:
    async def main() -> None:
        world = World(seed, PARTITIONS)
        plan = plan_of(DEFINITIONS)
        world.publish_plans({"w": plan}, 1)
        logs = records(seed, history(seed, 150))
        for partition, log in enumerate(logs):
            for record in log:
                world.append(partition, pack.encode(record))
        await chaos(world, faults=12)
        for partition, reference in enumerate(expected(plan, logs)):
            check_members(world, partition, reference.members())
            check_delivery(world.announced[partition])
            assert {each.id for each in world.announced[partition]} == {
                each.id for each in reference.transitions
            }

    run(main())
