"""The service on the real stack: events, the clock, workers, what is logged."""

from __future__ import annotations

import time

import msgspec
import pytest

from livesegments.evaluator.kernel import native
from livesegments.wire import pack
from livesegments.wire.topics import partition_of
from tests.services.evaluator.buying import ACTIVE, HOUR, PRO, T, bought, plan
from tests.services.evaluator.rig import PARTITIONS, Rig

BRIEF = '{"type":"event","name":"bought","window":{"last":"2s"}}'


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
    found = [(each.kind, each.at_ms, each.sequence, each.cause, each.event_id) for each in await rig.heard()]
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
    exits = [each for each in await rig.heard() if each.kind == "exited"]
    assert {each.at_ms for each in exits} == {now_ms + 2_000}
    in_time = await worker.metric('livesegments_evaluator_wake_lateness_seconds_bucket{le="0.2"}')
    assert in_time == await worker.metric("livesegments_evaluator_wake_lateness_seconds_count") > 0


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
    assert [each.sequence for each in await rig.heard()] == [1]


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


async def test_what_it_logs_is_one_json_object_a_line(evaluation: Rig) -> None:
    await evaluation.workspace()
    evaluator = evaluation.start()
    await evaluation.until(evaluator.ready)
    lines = [msgspec.json.decode(line) for line in evaluator.log.read_text().splitlines()]
    assert {line["service"] for line in lines} == {"evaluator"}
    assert any(line["message"] == "partitions assigned" for line in lines)


@pytest.mark.skipif(not native.BUILT, reason="the interpreted core has several commits under way")
async def test_nearly_all_commits_are_transactions_which_cost_redis_less(evaluation: Rig) -> None:
    """Whole records, which are not joined, and so are one commit each."""
    rig = evaluation
    await rig.workspace()
    await rig.segment("pro", PRO)
    rig.start(core="native")
    await rig.settled()
    await rig.redis.config_resetstat()
    count = 40 * pack.MAX_EVENTS
    await rig.send(plan(f"e{number}", f"p{number % 40}", "pro", T) for number in range(count))
    await rig.settled()
    made = await rig.redis.info("commandstats")
    scripts = made.get("cmdstat_evalsha", {"calls": 0})["calls"]
    assert made["cmdstat_exec"]["calls"] >= 40 and scripts <= PARTITIONS
