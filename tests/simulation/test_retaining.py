"""Old events are dropped from the archive while owners die and the store is lost: running segments stay exact."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from livesegments.core.event import PROFILE
from livesegments.core.plan import Plan, compile
from livesegments.history.ranges import parse
from livesegments.store import keys, progress
from livesegments.wire import pack
from tests.effort import effort
from tests.simulation.faults import FAULTS, LOSSES, Cluster, stored_members
from tests.simulation.loop import run
from tests.simulation.story import DEFINITIONS, PARTITIONS, expected, history, plan_of, records
from tests.simulation.world import START_MS, World

DAY_MS = 86_400_000


@pytest.mark.parametrize("seed", range(effort(2, 6)))
def test_running_segments_stay_exact_and_only_old_events_go(seed: int) -> None:
    async def main() -> None:
        world = World(seed, PARTITIONS)
        plan = plan_of(DEFINITIONS)
        world.checkpoint_every_s = 0.3
        world.history_days["w"] = 5
        world.publish_plans({"w": plan}, 1)
        logs = records(seed, history(seed, 150), START_MS + 10**9)
        for partition, log in enumerate(logs):
            for record in log:
                world.append(partition, pack.encode(record))
        cluster = Cluster(world)
        for _ in range(6):
            for _ in range(4):
                await cluster.strike(FAULTS + LOSSES)
            await asyncio.sleep(15)
        await cluster.settle()
        await asyncio.sleep(60)
        await cluster.settle()
        await cluster.stop()
        cut_ms = ((START_MS + 10**9) // DAY_MS - 5) * DAY_MS
        for partition, reference in enumerate(expected(plan, logs)):
            assert stored_members(world, partition) == reference.members()
            register = world.store.hashes.get(keys.archive(partition), {})
            files = sorted(each for name in register if (each := parse(name)) is not None)
            names = {e.name for _, e in world.files.history(partition, files) if e.time_ms < cut_ms}
            assert names <= {PROFILE, "$segment_entered", "$segment_exited", ""}
            if files:
                assert world.store.hashes[keys.retained(partition)] == {"w": str(cut_ms).encode()}

    run(main())


LATER = {
    "ever": '{"type":"event","name":"a","value":3}',
    "first": '{"type":"occurrence","which":"first","name":"b","window":{"last":"30d"}}',
    "chain": '{"type":"sequence","steps":[{"name":"a"},{"name":"b"}],"within":"2h","window":{"last":"20d"}}',
    "lately": '{"type":"event","name":"a","window":{"last":"10d"}}',
}
"""Definitions that are made after the cut."""
END_MS = START_MS + 10**9
DAYS = 11
"""The cut is then a midnight amid the events."""


@pytest.mark.parametrize("seed", range(effort(2, 6)))
def test_what_is_made_after_a_cut_counts_what_is_kept_and_says_so(seed: int) -> None:
    """Segments from before it know everything, new ones what the archive still has."""

    async def main() -> None:
        world = World(seed, PARTITIONS)
        world.checkpoint_every_s = 0.3
        world.history_days["w"] = DAYS
        world.publish_plans({"w": plan_of(DEFINITIONS)}, 1)
        logs = records(seed, history(seed, 150), START_MS + 10**7)
        cluster = Cluster(world)
        for partition, log in enumerate(logs):
            for record in log:
                world.append(partition, pack.encode(record))
        for _ in range(world.random.randrange(6)):
            await cluster.strike(FAULTS)
        await cluster.settle()
        await asyncio.sleep(60)  # all of it is in files
        await tick(world, cluster, END_MS)
        for _ in range(world.random.randrange(4)):
            await cluster.strike(FAULTS)
        await cluster.settle()
        await asyncio.sleep(60)
        cut_ms = (END_MS // DAY_MS - DAYS) * DAY_MS
        plan = plan_of(DEFINITIONS | LATER)
        world.publish_plans({"w": replanned(plan)}, 2)
        for _ in range(world.random.randrange(6)):
            await cluster.strike(FAULTS)
        await cluster.settle()
        for partition, log in enumerate(logs):
            cut = keys.retained(partition) in world.store.hashes
            kept = [kept_of(each, cut_ms) for each in log] if cut else log
            whole, short = expected(plan, [[*log, pack.Clock(END_MS)], [*kept, pack.Clock(END_MS)]])
            found = stored_members(world, partition)
            for id_ in (*DEFINITIONS, *LATER):
                known = short if id_ in LATER else whole
                assert found.get(("w", id_), set()) == known.members().get(("w", id_), set()), id_
            since = cut_ms if cut else None
            assert said(world, partition) == dict.fromkeys(("ever", "first", "chain"), since) | dict.fromkeys(
                (*DEFINITIONS, "lately")
            )
        await tick(world, cluster, cut_ms + 22 * DAY_MS)
        await asyncio.sleep(60)
        await cluster.settle()
        for partition in range(PARTITIONS):
            assert said(world, partition)["chain"] is None, "its window has moved past the cut"
        await cluster.stop()

    run(main())


async def tick(world: World, cluster: Cluster, to_ms: int) -> None:
    for partition in range(PARTITIONS):
        world.append(partition, pack.encode(pack.Clock(to_ms)))
    await cluster.settle()


def replanned(plan: Plan) -> Plan:
    """As of the next revision; what was there before is as it was."""
    segments = [replace(each, revision=2 if each.id in LATER else 1) for each in plan.segments.values()]
    return compile("w", plan.timezone, segments, 2)


def kept_of(record: pack.Record, cut_ms: int) -> pack.Record:
    if not isinstance(record, pack.Packed):
        return record
    kept = [each for each in record.events if each.name == PROFILE or each.time_ms >= cut_ms]
    return pack.Packed(kept)


def said(world: World, partition: int) -> dict[str, int | None]:
    """Of every segment since when it is complete."""
    stored = world.store.hashes[keys.segments(partition, "w")]
    return {id_: progress.decode(data).complete_since_ms for id_, data in stored.items()}
