"""Events are taken back on the real parts: log, evaluator, archive, Redis, transitions."""

from __future__ import annotations

import json

import pytest

from livesegments.core.event import PROFILE, RETRACT, Event
from livesegments.store import keys
from livesegments.wire.rejected import decode
from livesegments.wire.topics import REJECTED, partition_of
from tests.services.evaluator.rig import PARTITIONS, Evaluator, Rig

T = 1_700_000_000_000
HOUR = 3_600_000
BUYERS = '{"type":"event","name":"order","window":{"last":"30d"}}'
SPENDERS = '{"type":"event","name":"order","measure":{"of":"sum","property":"total"},"op":"gte","value":100}'
SPENT = {"type": "computed", "name": "order", "measure": {"of": "sum", "property": "total"}}
ASKED = {"type": "attribute", "name": "computed:spent", "op": "lt", "value": 100, "when_missing": False}


def order(id_: str, profile: str = "ada", total: int = 60, at: int = T) -> Event:
    return Event(id_, "w", profile, "order", at, {"total": total})


def retraction(id_: str, event_id: str, profile: str = "ada", at: int = T + HOUR) -> Event:
    return Event(id_, "w", profile, RETRACT, at, {"event_id": event_id})


async def begun(rig: Rig, **settings: float) -> Evaluator:
    await rig.workspace()
    await rig.segment("buyers", BUYERS)
    await rig.segment("spenders", SPENDERS)
    await rig.computed("spent", SPENT)
    frugal = {"type": "all", "of": [json.loads(BUYERS), SPENT | {"asked": ASKED}]}
    await rig.segment("frugal", json.dumps(frugal))
    evaluator = rig.start("log", **settings)
    await rig.settled()
    return evaluator


async def archived(rig: Rig) -> None:
    async def is_archived() -> bool:
        lengths = [await rig.redis.xlen(keys.tail(partition)) for partition in range(PARTITIONS)]
        return not any(lengths)

    await rig.until(is_archived)


@pytest.mark.parametrize("archive_after_s", [0.2, 3_600])
async def test_a_refund_takes_the_order_out_of_counts_and_sums(
    evaluation: Rig, archive_after_s: float
) -> None:
    """Whether the order is in a file by then, or in the tail still."""
    rig = evaluation
    evaluator = await begun(rig, archive_after_s=archive_after_s)
    await rig.send([order("o1"), order("o2"), order("b1", "bob", 200)])
    await rig.settled()
    assert await rig.members("spenders") == {"ada", "bob"}
    if archive_after_s < 1:
        await archived(rig)
    await rig.send([retraction("r1", "o1"), retraction("r2", "b1", "bob"), retraction("r3", "o2", "bob")])
    await rig.settled()
    assert await rig.members("spenders") == set()
    assert await rig.members("buyers") == await rig.members("frugal") == {"ada"}
    announced = await rig.heard()
    last = [each for each in announced if (each.segment, each.profile) == ("frugal", "ada")][-1]
    assert (last.kind, last.cause, last.event_id) == ("entered", "retraction", "r1")
    assert last.computed == {"spent": 60}
    told = {
        (each.segment, each.profile, each.kind, each.cause, each.event_id)
        for each in announced
        if each.kind == "exited" and each.segment != "frugal"
    }
    assert told == {
        ("spenders", "ada", "exited", "retraction", "r1"),
        ("spenders", "bob", "exited", "retraction", "r2"),
        ("buyers", "bob", "exited", "retraction", "r2"),
    }
    assert await evaluator.metric("livesegments_evaluator_recounted_total") == 2


async def test_an_order_that_comes_after_its_retraction_never_counts(evaluation: Rig) -> None:
    rig = evaluation
    await begun(rig)
    await rig.send([retraction("r1", "o1", at=T), order("o1")])
    await rig.settled()
    assert await rig.members("buyers") == set()
    await rig.segment("late", '{"type":"event","name":"order"}')
    await rig.settled()
    assert await rig.members("late") == set()


async def test_a_retraction_that_an_evaluator_left_behind_is_carried_out_by_the_next(evaluation: Rig) -> None:
    """The first one can't reach the archive; what it noted is in Redis."""
    rig = evaluation
    file = rig.folder / "no-folder"
    await begun(rig)
    await rig.send([order("o1")])
    await rig.settled()
    await rig.evaluators[0].child.stop()
    file.write_text("a file where the folder of the archive should be")
    stuck = rig.start(archive=str(file))
    home = partition_of("w", "ada", PARTITIONS)
    await rig.send([retraction("r1", "o1")])

    async def noted() -> bool:
        return bool(await rig.redis.hlen(keys.recounts(home)))

    await rig.until(noted)
    assert await rig.members("buyers") == {"ada"}
    await stuck.child.stop()
    rig.start()
    await rig.settled()
    assert await rig.members("buyers") == set()


async def test_a_change_of_the_profile_is_not_taken_back_and_rejected_says_so(evaluation: Rig) -> None:
    rig = evaluation
    await begun(rig)
    await rig.segment("pro", '{"type":"attribute","name":"plan","op":"eq","value":"pro"}')
    await rig.send(
        [Event("c1", "w", "ada", PROFILE, T, {"attributes": {"plan": "pro"}}), retraction("r1", "c1")]
    )
    await rig.settled()
    assert await rig.members("pro") == {"ada"}
    (refused,) = [decode(record.value) for record in await rig.records(REJECTED, 1)]
    assert [fault.code for fault in refused.faults] == ["not_retractable"]
    assert "'c1' is a change of the profile" in refused.faults[0].message
