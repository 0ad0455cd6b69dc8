"""Segments that are made, edited and deleted, on the real stack: their members follow, with all of history."""

from __future__ import annotations

import time

from livesegments.core.event import Event
from livesegments.store import keys
from livesegments.wire import catalog
from tests.delivery import check_delivery
from tests.services.evaluator.buying import ACTIVE, DAY, PRO, T, plan
from tests.services.evaluator.rig import PARTITIONS, Evaluator, Rig

BOUGHT = '{"type":"event","name":"buy","window":{"last":"30d"}}'
IDLE = '{"type":"event","name":"buy","window":{"last":"45d"},"op":"eq","value":0}'


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
    assert {(each.cause, each.version) for each in await rig.heard()} == {("definition", 1)}


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
    assert check_delivery(await rig.heard()) == {("w", "pro", each) for each in profiles[1_900:]}


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
    assert check_delivery(await rig.heard()) == set()


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
    told = [each for each in await rig.heard() if each.cause == "backfill"]
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
    told = [(each.profile, each.kind) for each in await rig.heard() if each.cause == "backfill"]
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
    assert check_delivery(await rig.heard()) == {("w", "bought", id_) for id_ in profiles}


async def backfilling(evaluator: Evaluator) -> bool:
    return await evaluator.metric("livesegments_evaluator_backfilled_total") > 0
