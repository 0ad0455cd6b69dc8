"""Audiences on a real store, raced with sets in Python."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import chain
from random import Random
from typing import Any

import pytest

from livesegments.core.audience import Audience, Bounds, Consenting, Part, advice, part_of, reading
from livesegments.core.bucket import holds
from livesegments.core.definition import Bucket
from livesegments.core.profile import Membership, Profile, Register, consent_key, encode
from livesegments.core.states import STATES
from livesegments.store import audiences, keys
from livesegments.store.audiences import Audiences
from livesegments.store.client import Client, connect
from livesegments.store.members import Place
from livesegments.store.seen import Restoring
from livesegments.store.standing import Heads

PARTITIONS = 2
SEED = 11
SEGMENTS = "abcde"
PAIRS = [("email", None), ("email", "news"), (None, "news"), ("sms", None)]


class World:
    """Some profiles in some segments, in the store and as sets."""

    def __init__(self, store: Client) -> None:
        random = Random(SEED)
        self.store = store
        self.ids = [f"p{'ä' * random.randrange(3)}{number}" for number in range(700)]
        places = random.sample(range(1, 20_000), len(self.ids))
        self.numbers = dict(zip(self.ids, places, strict=True))
        self.dense = "ace"
        self.home = {id_: number % PARTITIONS for number, id_ in enumerate(self.ids)}
        self.members = {each: {id_ for id_ in self.ids if random.random() < 0.4} for each in SEGMENTS}
        self.consents = {
            id_: {pair: random.choice(["opted_in", "opted_out"]) for pair in PAIRS if random.random() < 0.6}
            for id_ in self.ids
        }

    async def fill(self) -> None:
        pipe = self.store.pipeline(transaction=False)
        for id_ in self.ids:
            said = {consent_key(*pair): Register(state, 1, "e") for pair, state in self.consents[id_].items()}
            state = Profile(1, {"email": Register(f"{id_}@x", 1, "e")}, consent=said)
            pipe.hset(keys.profiles(self.home[id_], "w"), id_, encode(state))
            pipe.hset(keys.ids(self.home[id_], "w"), str(self.numbers[id_]), id_)
            for segment, members in self.members.items():
                if id_ in members:
                    self.put(pipe, segment, id_, True)
        await pipe.execute()

    def put(self, pipe: Any, segment: str, id_: str, is_in: bool) -> None:
        partition, number = self.home[id_], self.numbers[id_]
        if segment in self.dense:
            pipe.setbit(keys.bits(partition, "w", segment), number, int(is_in))
        elif is_in:
            pipe.zadd(keys.members(partition, "w", segment), {id_: number})
        else:
            pipe.zrem(keys.members(partition, "w", segment), id_)

    def expected(self, audience: Audience) -> set[str]:
        several = [self.members[each] for each in audience.include]
        found = set.union(*several) if audience.match == "any" else set.intersection(*several)
        found -= set().union(*(self.members[each] for each in audience.exclude))
        if audience.bucket is not None:
            found = {id_ for id_ in found if holds(audience.bucket, id_)}
        if audience.part is not None:
            of = audience.part.of
            found = {id_ for id_ in found if part_of(id_, of, audience.part.salt) == audience.part.number}
        if audience.consent is not None:
            found = {id_ for id_ in found if self.consents_to(id_, audience.consent)}
        return found

    def consents_to(self, id_: str, asked: Consenting) -> bool:
        said = self.consents[id_]
        pair = asked.channel, asked.topic
        wider = [pair, (asked.channel, None), (None, asked.topic)]
        if asked.suppress and any(said.get(each) == "opted_out" for each in wider if each != (None, None)):
            return False
        stands = said.get(pair, "none")
        return {"opted_in": stands == "opted_in", "not_opted_out": stands != "opted_out", "any": True}[
            asked.state
        ]


@pytest.fixture
async def world(clean_redis: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(audiences, "PIECE", 40)
    async with connect(clean_redis) as client:
        made = World(client)
        await made.fill()
        yield made


async def every(reader: Audiences, audience: Audience, limit: int) -> list[str]:
    found: list[str] = []
    place: Place | None = None
    while True:
        ids, states, place = await reader.page("w", audience, place, limit, ["email"])
        assert len(ids) <= limit
        assert {id_: held.values for id_, held in states.items()} == {
            id_: {"email": f"{id_}@x"} for id_ in ids
        }
        found += ids
        if place is None:
            return found


async def test_pages_and_pieces_are_what_sets_say_each_profile_once(world: World) -> None:
    random = Random(SEED)
    reader = Audiences(Heads(world.store, PARTITIONS))
    for _ in range(40):
        chosen = random.sample(SEGMENTS, random.randrange(1, 5))
        cut = random.randrange(1, len(chosen) + 1)
        consent = Consenting(
            *random.choice(PAIRS),
            random.choice(["opted_in", "not_opted_out", "any"]),
            random.random() < 0.5,
        )
        audience = Audience(
            tuple(chosen[:cut]),
            tuple(chosen[cut:]),
            random.choice(["any", "all"]),
            consent if random.random() < 0.5 else None,
            Bucket("s", 10, 65.25) if random.random() < 0.3 else None,
            Part(2, 3) if random.random() < 0.3 else None,
        )
        expected = world.expected(audience)
        found = await every(reader, audience, random.choice([1, 13, 1_000]) if len(expected) < 60 else 50)
        assert len(found) == len(set(found)) and set(found) == expected, (SEED, audience)


async def test_whoever_stays_is_given_once_while_others_move(world: World) -> None:
    random = Random(SEED)
    reader = Audiences(Heads(world.store, PARTITIONS))
    audience = Audience(("a", "b"), ("c",))
    moving = {id_ for id_ in world.ids if random.random() < 0.3}
    staying = world.expected(audience) - moving
    found: list[str] = []
    place: Place | None = None
    while True:
        ids, _, place = await reader.page("w", audience, place, 20, ())
        found += ids
        if place is None:
            break
        for id_ in random.sample(sorted(moving), 20):
            pipe = world.store.pipeline(transaction=False)
            world.put(pipe, random.choice("abc"), id_, random.random() < 0.5)
            await pipe.execute()
    assert len(found) == len(set(found)) and staying <= set(found) <= staying | moving


async def test_parts_are_disjoint_and_whole_and_of_about_one_size(world: World) -> None:
    reader = Audiences(Heads(world.store, PARTITIONS))
    parts = [await every(reader, Audience(("a",), part=Part(number, 4)), 1_000) for number in range(1, 5)]
    assert sorted(chain(*parts)) == sorted(world.members["a"])
    assert min(map(len, parts)) > len(world.members["a"]) / 8


async def test_of_a_store_that_was_emptied_nothing_is_read(world: World) -> None:
    await world.store.hset(keys.head(1), mapping={"offset": 10, "topic": "t", "commit": 1, "states": STATES})
    reader = Audiences(Heads(world.store, PARTITIONS))
    _, _, place = await reader.page("w", Audience(("a",)), None, 5, ())
    await world.store.flushall()
    with pytest.raises(Restoring, match="partition 1 has applied 0 of 10 records again"):
        await reader.page("w", Audience(("a",)), place, 5, ())


@pytest.mark.parametrize(
    ("count", "size", "parts"),
    [(0, "test", 1), (10, "test", 1), (11, "standard", 1), (101, "large", 1), (1_001, "split", 2)],
)
def test_advice(count: int, size: str, parts: int) -> None:
    found = advice(count, Bounds(10, 100, 1_000))
    assert (found.size, found.parts) == (size, parts)


def test_of_a_state_just_what_is_asked_for_is_read() -> None:
    values = {"email": "ann@x", 'a"b': [1, {"c": None}], "\0": 0, "gone": None, "ä b": "é", "plan": "pro"}
    said = {consent_key("email", None): Register("opted_in", 1, "e")}
    state = Profile(7, {name: Register(value, 1, "e") for name, value in values.items()}, consent=said)
    state.memberships["a"] = Membership(1, 1)
    for names in ((), ("email",), ("email", "ä b", "gone", "none"), ('a"b', "email", "\0", "gone", "none")):
        expected = {name: values[name] for name in names if values.get(name) is not None}
        for consent in (True, False):
            held = reading(names, consent)(encode(state))
            assert held.values == expected
            assert {pair: each.value for pair, each in held.consent.items()} == (
                {consent_key("email", None): "opted_in"} if consent else {}
            )
