"""What a hand has done to the store is found and repaired, by what happened."""

from __future__ import annotations

import pytest

from livesegments.core.event import Event
from livesegments.core.profile import decode, encode
from livesegments.store import keys
from livesegments.wire.topics import partition_of
from tests.services.evaluator.rig import PARTITIONS, Evaluator, Rig

T = 1_700_000_000_000
ORDERED = '{"type":"event","name":"order","value":2}'
HOME = partition_of("w", "ada", PARTITIONS)
AUDITED, DRIFTED = "livesegments_evaluator_audited_total", "livesegments_evaluator_drifted_total"


def orders(*profiles: str) -> list[Event]:
    return [Event(f"{each}-{n}", "w", each, "order", T + n, {}) for each in profiles for n in range(3)]


async def begun(rig: Rig) -> None:
    await rig.workspace()
    await rig.segment("regulars", ORDERED)
    rig.start(audits_per_s=20)
    await rig.settled()
    await rig.send(orders("ada", "bob", "eve"))
    await rig.settled()
    assert await rig.members("regulars") == {"ada", "bob", "eve"}


async def counts(rig: Rig, evaluator: Evaluator, name: str, least: int) -> None:
    async def there() -> bool:
        return await evaluator.metric(name) >= least

    await rig.until(there)


async def test_what_is_right_is_left_alone(evaluation: Rig) -> None:
    rig = evaluation
    await begun(rig)
    (evaluator,) = rig.evaluators
    await counts(rig, evaluator, AUDITED, 10)
    assert await evaluator.metric(DRIFTED) == 0
    assert {each.cause for _, each in await rig.announced()} == {"event"}


@pytest.mark.parametrize("planted", ["gone", "too many"])
async def test_a_member_that_a_hand_took_out_or_put_in_is_put_right(evaluation: Rig, planted: str) -> None:
    rig = evaluation
    await begun(rig)
    await rig.send(orders("kim")[:1])
    await rig.settled()
    key = keys.members(partition_of("w", "kim", PARTITIONS), "w", "regulars")
    if planted == "gone":
        assert await rig.redis.zrem(keys.members(HOME, "w", "regulars"), "ada")
    else:
        assert await rig.redis.zadd(key, {"kim": 0})

    async def right() -> bool:
        return await rig.members("regulars") == {"ada", "bob", "eve"}

    await rig.until(right)
    await counts(rig, rig.evaluators[0], DRIFTED, 1)


async def test_a_fact_that_is_gone_is_counted_anew_and_who_left_is_in_again(evaluation: Rig) -> None:
    """As a fault would leave it: the state says that nothing was ordered, and that ada isn't a member."""
    rig = evaluation
    await begun(rig)
    await rig.evaluators[0].child.stop()
    stored = await rig.redis.hget(keys.profiles(HOME, "w"), "ada")
    profile = decode(stored)
    profile.facts, profile.memberships["regulars"].entered_ms = {}, None
    await rig.redis.hset(keys.profiles(HOME, "w"), "ada", encode(profile))
    await rig.redis.zrem(keys.members(HOME, "w", "regulars"), "ada")
    evaluator = rig.start(audits_per_s=20)

    async def right() -> bool:
        return await rig.members("regulars") == {"ada", "bob", "eve"}

    await rig.until(right)
    await counts(rig, evaluator, DRIFTED, 1)

    async def told() -> bool:
        return any(each.cause == "repair" for _, each in await rig.announced())

    await rig.until(told)
