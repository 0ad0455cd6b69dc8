"""The service on the real stack."""

import time
from base64 import b64decode

import msgspec
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownTopicOrPartitionError

from livesegments.core.event import PROFILE, Event, Transition
from livesegments.runtime.settings import Settings
from livesegments.runtime.topic_identity import topic_id
from livesegments.runtime.topics import create_topics
from livesegments.store import keys
from livesegments.wire import catalog
from livesegments.wire.topics import EVENTS, REJECTED, partition_of
from tests.delivery import check_delivery
from tests.services.evaluator.rig import PARTITIONS, Evaluator, Rig

T = 1_700_000_000_000
DAY = 86_400_000
HOUR = 3_600_000

ACTIVE = '{"type":"event","name":"bought","window":{"last":"1h"},"value":2}'
BRIEF = '{"type":"event","name":"bought","window":{"last":"2s"}}'
PRO = '{"type":"attribute","name":"plan","op":"eq","value":"pro"}'


def bought(id_: str, profile: str, time_ms: int, workspace: str = "w") -> Event:
    return Event(id_, workspace, profile, "bought", time_ms, {})


def plan(id_: str, profile: str, value: str, time_ms: int) -> Event:
    return Event(id_, "w", profile, PROFILE, time_ms, {"attributes": {"plan": value}})


async def heard(rig: Rig) -> list[Transition]:
    return [each for _, each in await rig.announced()]


async def test_an_event_makes_a_member_and_the_clock_unmakes_it(evaluation: Rig) -> None:
    rig = evaluation
    await rig.workspace()
    await rig.segment("active", ACTIVE)
    rig.start()
    await rig.settled()
    await rig.send([bought("1", "ann", T), bought("2", "ann", T + 5), bought("3", "bob", T)])
    await rig.settled()
    assert await rig.members("active") == {"ann"}
    await rig.clock(T + HOUR)
    await rig.settled()
    assert await rig.members("active") == set()
    found = [(each.kind, each.at_ms, each.sequence, each.cause, each.event_id) for each in await heard(rig)]
    assert found == [("entered", T + 5, 1, "event", "2"), ("exited", T + HOUR, 2, "clock", None)]


async def test_an_event_twice_counts_once(evaluation: Rig) -> None:
    rig = evaluation
    await rig.workspace()
    await rig.segment("active", ACTIVE)
    worker = rig.start()
    await rig.settled()
    await rig.send([bought("1", "ann", T)])
    await rig.send([bought("1", "ann", T)])
    await rig.settled()
    assert await rig.members("active") == set()
    assert await worker.metric("livesegments_evaluator_duplicates_total") == 1


async def test_transitions_lie_in_the_partition_of_their_profile(evaluation: Rig) -> None:
    rig = evaluation
    await rig.workspace()
    await rig.segment("pro", PRO)
    rig.start()
    await rig.settled()
    profiles = [f"p{number}" for number in range(50)]
    await rig.send([plan(f"e{p}", p, "pro", T) for p in profiles])
    await rig.settled()
    announced = await rig.announced()
    assert {each.profile for _, each in announced} == set(profiles)
    assert all(partition == partition_of("w", each.profile, PARTITIONS) for partition, each in announced)


async def test_live_what_is_due_fires_within_200_ms(evaluation: Rig) -> None:
    rig = evaluation
    await rig.workspace()
    await rig.segment("brief", BRIEF)
    worker = rig.start(clock="wall")
    await rig.settled()
    now_ms = time.time_ns() // 1_000_000
    profiles = [f"p{number}" for number in range(20)]
    await rig.send([bought(p, p, now_ms) for p in profiles])

    async def all_out() -> bool:
        return await worker.metric("livesegments_evaluator_announced_total") == 2 * len(profiles)

    await rig.until(all_out)
    exits = [each for each in await heard(rig) if each.kind == "exited"]
    assert {each.at_ms for each in exits} == {now_ms + 2_000}
    in_time = await worker.metric('livesegments_evaluator_wake_lateness_seconds_bucket{le="0.2"}')
    assert in_time == await worker.metric("livesegments_evaluator_wake_lateness_seconds_count") > 0


async def test_a_new_segment_is_evaluated_over_all_stored_profiles(evaluation: Rig) -> None:
    rig = evaluation
    await rig.workspace()
    rig.start()
    profiles = [f"p{number}" for number in range(3_000)]
    await rig.send([plan(f"e{p}", p, "pro" if n % 3 == 0 else "free", T) for n, p in enumerate(profiles)])
    await rig.settled()
    await rig.segment("pro", PRO)
    await rig.segment("active", ACTIVE)
    await rig.settled()
    assert await rig.members("pro") == set(profiles[::3])
    progress = await rig.progress("pro")
    assert (progress.state, progress.done, progress.total) == ("ready", 3_000, 3_000)
    assert progress.complete_since_ms is None
    assert (await rig.progress("active")).complete_since_ms is None
    assert {(each.cause, each.version) for each in await heard(rig)} == {("definition", 1)}


async def test_many_members_are_bits_and_few_are_a_sorted_set(evaluation: Rig) -> None:
    rig = evaluation
    await rig.workspace()
    await rig.segment("pro", PRO)
    first = rig.start()
    profiles = [f"p{number}" for number in range(2_000)]
    await rig.send([plan(f"1/{profile}", profile, "pro", T) for profile in profiles])

    async def stored(in_bits: int) -> bool:
        bits = [await rig.redis.exists(keys.bits(number, "w", "pro")) for number in range(PARTITIONS)]
        return bool(sum(bits) == in_bits)

    await rig.until(lambda: stored(PARTITIONS))
    assert await rig.members("pro") == set(profiles)
    await first.child.stop()
    rig.start()
    left = profiles[:1_900]
    await rig.send([plan(f"2/{profile}", profile, "free", T + 1) for profile in left])
    await rig.until(lambda: stored(0))
    assert await rig.members("pro") == set(profiles[1_900:])
    await rig.settled()
    assert check_delivery(await heard(rig)) == {("w", "pro", each) for each in profiles[1_900:]}


async def test_a_change_of_definitions_is_adopted_within_a_second(evaluation: Rig) -> None:
    rig = evaluation
    await rig.workspace()
    rig.start()
    await rig.settled()
    await rig.segment("pro", PRO)
    started = time.monotonic()
    await rig.settled()
    assert time.monotonic() - started < 1


async def test_an_edited_segment_moves_its_members_and_a_deleted_one_lets_them_go(evaluation: Rig) -> None:
    rig = evaluation
    await rig.workspace()
    await rig.segment("pro", PRO)
    rig.start()
    await rig.settled()
    await rig.send([plan("1", "ann", "pro", T), plan("2", "bob", "free", T)])
    await rig.settled()
    await rig.segment("pro", PRO.replace("pro", "free"), version=2)
    await rig.settled()
    assert await rig.members("pro") == {"bob"}
    await rig.delete_segment("pro")
    await rig.settled()
    assert await rig.members("pro") == set()
    assert check_delivery(await heard(rig)) == set()


BOUGHT = '{"type":"event","name":"buy","window":{"last":"30d"}}'
IDLE = '{"type":"event","name":"buy","window":{"last":"45d"},"op":"eq","value":0}'


async def test_a_new_or_edited_segment_knows_what_happened_before(evaluation: Rig) -> None:
    """A new segment of people who did not buy announces nobody who did; a longer window only adds members."""
    rig = evaluation
    await rig.workspace()
    await rig.segment("bought", BOUGHT)
    rig.start()
    await rig.settled()
    profiles = [f"p{number:04d}" for number in range(400)]
    await rig.send([Event(f"b{id_}", "w", id_, "buy", T) for id_ in profiles])
    await rig.clock(T + 20 * DAY)
    await rig.send([plan("late", "late", "free", T + 20 * DAY)])
    await rig.settled()
    await rig.segment("idle", IDLE)
    await rig.segment("bought", BOUGHT.replace("30d", "60d"), version=2)
    await rig.settled()
    assert await rig.members("idle") == {"late"}
    assert await rig.members("bought") == set(profiles)
    assert (await rig.progress("idle")).complete_since_ms is None
    told = [each for each in await heard(rig) if each.cause == "backfill"]
    assert [(each.segment, each.profile, each.kind) for each in told] == [("idle", "late", "entered")]
    await rig.clock(T + 50 * DAY)
    await rig.settled()
    assert await rig.members("bought") == set(profiles)
    assert await rig.members("idle") == {"late", *profiles}


async def test_a_segment_follows_a_value_list_that_is_replaced(evaluation: Rig) -> None:
    """Its new content has its history before it is served; the old one is served again after a restart."""
    rig = evaluation
    await rig.workspace()
    for digest, sku in (("d1", "red"), ("d2", "blue")):
        await rig._define(catalog.ValuePart("w", digest, 0, 1, [sku, 7]))
    where = '[{"property":"sku","op":"in","value_list":"skus","value":"d1"}]'
    listed = f'{{"type":"event","name":"buy","where":{where}}}'
    await rig.segment("buyers", listed)
    first = rig.start()
    await rig.settled()
    skus = {"ann": "red", "bob": "blue", "cid": 7, "dan": "green"}
    await rig.send([Event(f"b{id_}", "w", id_, "buy", T, {"sku": sku}) for id_, sku in skus.items()])
    await rig.settled()
    assert await rig.members("buyers") == {"ann", "cid"}
    await first.child.kill()
    rig.start()
    await rig.segment("buyers", listed.replace("d1", "d2"), version=2)
    await rig.settled()
    assert await rig.members("buyers") == {"bob", "cid"}
    told = [(each.profile, each.kind) for each in await heard(rig) if each.cause == "backfill"]
    assert sorted(told) == [("ann", "exited"), ("bob", "entered")]


async def test_history_survives_the_death_of_who_fills_it_in(evaluation: Rig) -> None:
    rig = evaluation
    await rig.workspace()
    first = rig.start(archive_after_s=0.2)
    await rig.settled()
    profiles = [f"p{number:04d}" for number in range(2_000)]
    await rig.send([Event(f"b{id_}", "w", id_, "buy", T) for id_ in profiles])
    await rig.settled()
    await rig.segment("bought", BOUGHT)
    await rig.until(lambda: backfilling(first))
    await first.child.kill()
    rig.start(archive_after_s=0.2)
    await rig.settled()
    assert await rig.members("bought") == set(profiles)
    assert check_delivery(await heard(rig)) == {("w", "bought", id_) for id_ in profiles}


async def backfilling(evaluator: Evaluator) -> bool:
    return await evaluator.metric("livesegments_evaluator_backfilled_total") > 0


async def test_events_of_a_workspace_made_a_moment_ago_are_not_lost(evaluation: Rig) -> None:
    rig = evaluation
    rig.start()
    await rig.settled()
    await rig.workspace("new")
    await rig.segment("active", ACTIVE, workspace="new")
    await rig.send([bought("1", "ann", T, "new"), bought("2", "ann", T, "new")])
    await rig.settled()
    assert await rig.members("active", "new") == {"ann"}


async def test_workspaces_with_the_same_ids_share_nothing(evaluation: Rig) -> None:
    rig = evaluation
    for workspace in ("one", "two"):
        await rig.workspace(workspace)
        await rig.segment("active", ACTIVE, workspace=workspace)
    rig.start()
    await rig.settled()
    await rig.send([bought("1", "ann", T, "one"), bought("2", "ann", T, "one"), bought("1", "ann", T, "two")])
    await rig.settled()
    assert (await rig.members("active", "one"), await rig.members("active", "two")) == ({"ann"}, set())


async def test_a_worker_that_starts_again_goes_on_where_it_was(evaluation: Rig) -> None:
    rig = evaluation
    await rig.workspace()
    await rig.segment("active", ACTIVE)
    first = rig.start()
    await rig.settled()
    await rig.send([bought("1", "ann", T)])
    await rig.settled()
    await first.child.stop()
    assert first.child.ended == 0
    await rig.send([bought("2", "ann", T + 1)])
    rig.start()
    await rig.settled()
    assert await rig.members("active") == {"ann"}
    assert [each.sequence for each in await heard(rig)] == [1]


async def test_two_workers_share_the_partitions(evaluation: Rig) -> None:
    rig = evaluation
    await rig.workspace()
    await rig.segment("pro", PRO)
    workers = [rig.start(), rig.start()]

    async def shared() -> bool:
        owned = [await each.metric("livesegments_evaluator_partitions") for each in workers]
        return owned == [PARTITIONS / 2, PARTITIONS / 2] and all([await each.ready() for each in workers])

    await rig.until(shared, 60)
    profiles = [f"p{number}" for number in range(500)]
    await rig.send([plan(f"e{p}", p, "pro", T) for p in profiles])
    await rig.settled()
    assert await rig.members("pro") == set(profiles)


async def test_a_topic_created_anew_has_another_identity(evaluation: Rig, admin: AIOKafkaAdminClient) -> None:
    kafka = evaluation.stack.kafka
    before = await topic_id(kafka, EVENTS)
    assert await topic_id(kafka, EVENTS) == before
    await admin.delete_topics([EVENTS])
    await create_topics(kafka, Settings(kafka=kafka))

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
    await admin.delete_topics([EVENTS])
    await create_topics(rig.stack.kafka, Settings(kafka=rig.stack.kafka))
    await rig.send([plan("3", "ann", "free", T + 1)])
    rig.start(clock)

    async def out() -> bool:
        return await rig.members("pro") == {"bob"}

    await rig.until(out)


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
    await admin.delete_topics([EVENTS])
    await create_topics(rig.stack.kafka, Settings(kafka=rig.stack.kafka))
    await rig.send([plan("3", "ann", "free", T + 1)])
    assert await running.child.wait() == 1
    assert "created anew" in running.log.read_text()
    rig.start()

    async def out() -> bool:
        return await rig.members("pro") == {"bob"}

    await rig.until(out)


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


async def test_what_it_logs_is_one_json_object_a_line(evaluation: Rig) -> None:
    await evaluation.workspace()
    evaluator = evaluation.start()
    await evaluation.until(evaluator.ready)
    lines = [msgspec.json.decode(line) for line in evaluator.log.read_text().splitlines()]
    assert {line["service"] for line in lines} == {"evaluator"}
    assert any(line["message"] == "partitions assigned" for line in lines)


@pytest.mark.parametrize("value", [b"\xc1 nonsense", b"", None])
async def test_a_record_that_is_none_of_ours_is_kept_in_rejected_and_passed_over(
    evaluation: Rig, value: bytes | None
) -> None:
    rig = evaluation
    await rig.workspace()
    await rig.segment("pro", PRO)
    home = partition_of("w", "ann", PARTITIONS)
    sent = await rig.producer.send_and_wait(EVENTS, value, key=b"k", partition=home)
    await rig.send([plan("1", "ann", "pro", T)])
    rig.start()
    await rig.settled()
    assert await rig.members("pro") == {"ann"}
    (told,) = [msgspec.json.decode(record.value) for record in await rig.records(REJECTED, 1)]
    assert told["source"] == f"events/{home}/{sent.offset}"
    assert b64decode(told["raw"]) == (value or b"")
    assert told["faults"][0]["code"] == "not_packed"
