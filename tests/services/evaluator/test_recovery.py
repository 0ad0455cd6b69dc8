"""Redis is emptied under load and the log has forgotten what is in the checkpoints: equal to who saw it all."""

from __future__ import annotations

import asyncio
import random

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from livesegments.core.event import PROFILE, Event
from livesegments.core.plan import Plan, Segment, compile
from livesegments.history.archive import Archive
from livesegments.history.mark import Saved
from livesegments.history.ranges import parse
from livesegments.store import history, keys
from livesegments.store.tail import applied
from livesegments.wire.topics import EVENTS
from tests.delivery import check_delivery
from tests.effort import effort
from tests.services.evaluator.rig import PARTITIONS, Rig
from tests.simulation.reference import Reference
from tests.simulation.story import node

T = 1_700_000_000_000
MINUTE = 60_000
DEFINITIONS = {
    "active": '{"type":"event","name":"bought","window":{"last":"1h"},"value":2}',
    "pro": '{"type":"attribute","name":"plan","op":"eq","value":"pro"}',
    "quiet": '{"type":"not","of":{"type":"event","name":"bought","window":{"last":"30m"}}}',
}


def events(start: int, count: int) -> list[Event]:
    rng = random.Random(start)
    found = []
    for number in range(start, start + count):
        profile, at = f"p{rng.randrange(300)}", T + number * 1_000
        if rng.random() < 0.3:
            properties = {"attributes": {"plan": rng.choice(("pro", "free"))}}
            found.append(Event(f"e{number}", "w", profile, PROFILE, at, properties))
        else:
            found.append(Event(f"e{number}", "w", profile, "bought", at, {}))
    return found


def plan() -> Plan:
    return compile("w", "UTC", [Segment(id_, 1, 1, node(each)) for id_, each in DEFINITIONS.items()], 1)


@pytest.fixture(params=effort(["folder"], ["folder", "s3"]))
def archive(request: pytest.FixtureRequest, evaluation: Rig) -> str:
    """The URL of an archive that has nothing yet."""
    if request.param == "folder":
        return str(evaluation.folder / "archive")
    bucket: str = request.getfixturevalue("bucket")
    return bucket.format(prefix=evaluation.folder.name)


async def begun(rig: Rig, archive: str) -> None:
    await rig.workspace()
    for id_, definition in DEFINITIONS.items():
        await rig.segment(id_, definition)
    rig.start(checkpoint_every_s=0.5, archive_after_s=0.5, archive=archive)
    await rig.settled()


async def forget(rig: Rig, admin: AIOKafkaAdminClient) -> None:
    """The log keeps nothing that is in a registered checkpoint; every partition has one of half its log."""
    reached: dict[int, int] = {}
    ends = await rig.ends(EVENTS)

    async def enough() -> bool:
        for partition in range(PARTITIONS):
            stored = await rig.redis.hvals(keys.checkpoint(partition))
            offsets = [msgspec.json.decode(data, type=Saved).offset for data in stored]
            reached[partition] = max(offsets, default=0)
        return all(2 * reached[partition] >= ends[partition] > 0 for partition in range(PARTITIONS))

    await rig.until(enough)
    wanted = {TopicPartition(EVENTS, number): RecordsToDelete(offset) for number, offset in reached.items()}
    await admin.delete_records(wanted)


async def archived(rig: Rig, url: str) -> list[str]:
    """The ids of all events in registered files and in the tail, in whatever order. The evaluator archives on
    meanwhile."""
    archive, found = Archive(url), list[str]()
    for partition in range(PARTITIONS):
        known = await history.read(rig.redis, partition)
        for name in known.files:
            of = parse(name)
            assert of is not None
            rows = archive.open(partition, "events", of).read(columns=["id", "cause"]).to_pylist()
            found += [row["id"] for row in rows if row["cause"] is None]
        for commit, entry in known.tail:
            found += [each.event.id for each in applied(commit, entry) if each.cause is None]
    return found


@pytest.mark.parametrize("archive", ["s3"], indirect=True)
async def test_redis_emptied_under_load_comes_back_though_the_log_has_forgotten(
    evaluation: Rig, admin: AIOKafkaAdminClient, archive: str
) -> None:
    rig = evaluation
    await begun(rig, archive)
    first, second, third = events(0, 2_000), events(2_000, 500), events(2_500, 2_000)
    await rig.send(first, size=20)
    await rig.settled()
    await forget(rig, admin)
    await rig.send(second, size=5)
    load = asyncio.create_task(rig.send(third, size=2))
    await rig.redis.flushall()
    await load
    await rig.clock(T + 4_500 * 1_000 + 20 * MINUTE)
    await rig.settled()
    reference = Reference({"w": plan()})
    reference.apply([*first, *second, *third])
    reference.move(T + 4_500 * 1_000 + 20 * MINUTE)
    members = reference.members()
    for segment in DEFINITIONS:
        assert await rig.members(segment) == members.get(("w", segment), set())
    announced = await rig.heard()
    check_delivery(announced)
    assert {each.id for each in announced} == {each.id for each in reference.transitions}
    assert sorted(await archived(rig, archive)) == sorted(event.id for event in [*first, *second, *third])
    worker = rig.evaluators[0]
    assert await worker.metric("livesegments_evaluator_restored_total") > 0
    assert await worker.metric("livesegments_evaluator_checkpoints_total") > 0


async def test_a_snapshot_older_than_the_log_gives_way_to_a_checkpoint(
    evaluation: Rig, admin: AIOKafkaAdminClient, archive: str
) -> None:
    rig = evaluation
    await begun(rig, archive)
    first, second = events(0, 500), events(500, 1_000)
    await rig.send(first, size=20)
    await rig.settled()
    old = {key: await rig.redis.dump(key) for key in await rig.redis.keys("*")}
    await rig.send(second, size=20)
    await rig.settled()
    await forget(rig, admin)
    async with rig.redis.pipeline(transaction=True) as pipe:
        pipe.flushall()
        for key, value in old.items():
            pipe.restore(key, 0, value)
        await pipe.execute()
    await rig.clock(T + 2_000 * 1_000)
    await rig.settled()
    reference = Reference({"w": plan()})
    reference.apply([*first, *second])
    reference.move(T + 2_000 * 1_000)
    members = reference.members()
    for segment in DEFINITIONS:
        assert await rig.members(segment) == members.get(("w", segment), set())
    assert sorted(await archived(rig, archive)) == sorted(event.id for event in [*first, *second])
