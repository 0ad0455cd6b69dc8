"""What a hand has done to the store is found and repaired, by what happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from livesegments.core.event import Event
from livesegments.core.profile import Profile, Register, decode, encode
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


ALL = {
    "attributes": {"city": "Kyiv", "plan": "pro"},
    "tags_add": ["vip"],
    "consent": [{"channel": "email", "topic": "news", "state": "opted_in"}],
    "groups": ["acme"],
    "score": {"set": 7},
    "lists_add": ["list", "unnamed"],
    "lists_versions": {"list": 1},
}
CONDITIONS = {
    "city": '{"type":"attribute","name":"city","op":"eq","value":"Kyiv"}',
    "plan": '{"type":"attribute","name":"plan","op":"exists"}',
    "tag": '{"type":"tag","name":"vip"}',
    "consent": '{"type":"consent","channel":"email","topic":"news","state":"opted_in"}',
    "groups": '{"type":"attribute","name":"groups","op":"has_any","value":["acme"]}',
    "score": '{"type":"attribute","name":"score","op":"gte","value":7}',
}

LISTS = ("list", "unnamed")


def _moved_to_rome(profile: Profile) -> None:
    profile.attributes["city"] = Register("Rome", T + 9, "hand")


def _without_plan(profile: Profile) -> None:
    del profile.attributes["plan"]


def _without_groups(profile: Profile) -> None:
    profile.groups = []
    del profile.attributes["groups"]


def _off_the_list(profile: Profile) -> None:
    profile.lists["list"].value = False


def _off_the_list_by_a_change_without_version(profile: Profile) -> None:
    profile.lists["unnamed"].value = False


def _with_another_score(profile: Profile) -> None:
    assert profile.score is not None
    profile.score.value = profile.attributes["score"].value = 1


PLANTED: dict[str, Callable[[Profile], None]] = {
    "city": _moved_to_rome,
    "plan": _without_plan,
    "tag": lambda profile: profile.tags.clear(),
    "consent": lambda profile: profile.consent.clear(),
    "groups": _without_groups,
    "score": _with_another_score,
    "list": _off_the_list,
    "unnamed": _off_the_list_by_a_change_without_version,
}
"""Segment → what a hand does to the profile that is named like it."""


def _written(profile: Profile) -> list[Any]:
    """The registers of a profile."""
    return [
        profile.attributes, profile.tags, profile.consent, sorted(profile.groups), profile.lists,
        profile.score,
    ]  # fmt: skip


async def test_a_register_that_a_hand_changed_is_what_was_written_last(evaluation: Rig) -> None:
    """Of every kind one, in a profile of its own, with a change that came late and one that was covered."""
    rig = evaluation
    await rig.workspace()
    for id_, definition in CONDITIONS.items():
        await rig.segment(id_, definition)
    for id_ in LISTS:
        await rig.segment(id_, None)
    rig.start(audits_per_s=0)
    await rig.settled()
    written: list[dict[str, Any]] = [ALL, {"attributes": {"city": "Lviv"}}, {"score": {"increment": -1}}]
    for n, changes in enumerate(written):
        at_ms = T - 1_000 * n  # the later ones are older
        await rig.send([Event(f"{each}-{n}", "w", each, "$profile", at_ms, changes) for each in PLANTED])
    await rig.settled()
    for id_ in (*CONDITIONS, *LISTS):
        assert await rig.members(id_) == PLANTED.keys()
    await rig.evaluators[0].child.stop()
    before: dict[str, list[Any]] = {}
    for id_, plant in PLANTED.items():
        key = keys.profiles(partition_of("w", id_, PARTITIONS), "w")
        profile = decode(await rig.redis.hget(key, id_))
        before[id_] = _written(decode(encode(profile)))
        plant(profile)
        assert _written(profile) != before[id_]
        await rig.redis.hset(key, id_, encode(profile))
    evaluator = rig.start(audits_per_s=50)

    async def right() -> bool:
        for id_ in PLANTED:
            stored = await rig.redis.hget(keys.profiles(partition_of("w", id_, PARTITIONS), "w"), id_)
            if _written(decode(stored)) != before[id_]:
                return False
        return all([await rig.members(id_) == PLANTED.keys() for id_ in (*CONDITIONS, *LISTS)])

    await rig.until(right)
    await counts(rig, evaluator, AUDITED, round(await evaluator.metric(AUDITED)) + 20)
    assert await right()
    # a repair whose reply is lost, with a claim that ends meanwhile, is one that nobody counts
    assert 0 < await evaluator.metric(DRIFTED) <= len(PLANTED)
