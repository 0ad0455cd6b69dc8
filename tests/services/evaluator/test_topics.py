"""The topic of events is made anew, or isn't there yet."""

from __future__ import annotations

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownTopicOrPartitionError

from livesegments.runtime.settings import Settings
from livesegments.runtime.topic_identity import topic_id
from livesegments.runtime.topics import create_topics
from livesegments.wire.topics import EVENTS
from tests.services.evaluator.buying import PRO, T, plan
from tests.services.evaluator.rig import Rig


async def made_anew(rig: Rig, admin: AIOKafkaAdminClient) -> None:
    await admin.delete_topics([EVENTS])
    await create_topics(rig.stack.kafka, Settings(kafka=rig.stack.kafka))


async def bob_alone(rig: Rig) -> bool:
    return await rig.members("pro") == {"bob"}


async def test_a_topic_created_anew_has_another_identity(evaluation: Rig, admin: AIOKafkaAdminClient) -> None:
    kafka = evaluation.stack.kafka
    before = await topic_id(kafka, EVENTS)
    assert await topic_id(kafka, EVENTS) == before
    await made_anew(evaluation, admin)

    async def another() -> bool:
        try:
            return await topic_id(kafka, EVENTS) != before
        except UnknownTopicOrPartitionError:  # between the two
            return False

    await evaluation.until(another)


@pytest.mark.parametrize("clock", ["log", "wall"])
async def test_after_the_topic_is_created_anew_its_events_count(
    evaluation: Rig, admin: AIOKafkaAdminClient, clock: str
) -> None:
    rig = evaluation
    await rig.workspace()
    await rig.segment("pro", PRO)
    first = rig.start(clock)
    await rig.settled()
    await rig.send([plan("1", "ann", "pro", T), plan("2", "bob", "pro", T)])
    await rig.settled()
    await first.child.stop()
    await made_anew(rig, admin)
    await rig.send([plan("3", "ann", "free", T + 1)])
    rig.start(clock)

    await rig.until(lambda: bob_alone(rig))


async def test_a_topic_created_anew_under_a_running_worker_is_read_from_its_start(
    evaluation: Rig, admin: AIOKafkaAdminClient
) -> None:
    rig = evaluation
    await rig.workspace()
    await rig.segment("pro", PRO)
    running = rig.start()
    await rig.settled()
    for number in range(5):  # offsets that the new topic will not have for a while
        await rig.send([plan(f"1{number}", "ann", "pro", T), plan(f"2{number}", "bob", "pro", T)])
    await rig.settled()
    await made_anew(rig, admin)
    await rig.send([plan("3", "ann", "free", T + 1)])
    assert await running.child.wait() == 1
    assert "created anew" in running.log.read_text()
    rig.start()

    await rig.until(lambda: bob_alone(rig))


async def test_a_worker_waits_for_its_topic(evaluation: Rig, admin: AIOKafkaAdminClient) -> None:
    rig = evaluation
    await admin.delete_topics([EVENTS])

    async def gone() -> bool:
        return EVENTS not in await admin.list_topics()

    await rig.until(gone)
    worker = rig.start()

    async def said() -> bool:
        return "the topic is not there" in worker.log.read_text()

    await rig.until(said)
    await create_topics(rig.stack.kafka, Settings(kafka=rig.stack.kafka))
    await rig.until(worker.ready)
