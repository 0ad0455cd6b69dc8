"""Frozen audiences on a real store: pages of just those who were in it, and who has left or come since."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random

import pytest

from livesegments.api.audiences import freezing
from livesegments.api.audiences.freezing import Freezer
from livesegments.api.web.problems import Problem
from livesegments.core.audience import Audience, Consenting
from livesegments.store import frozen, keys
from livesegments.store.audiences import Audiences
from livesegments.store.departures import Departures, Since
from livesegments.store.frozen import At, Frozen, FrozenStore, Gone
from livesegments.store.standing import Heads
from tests.store.test_audiences import PARTITIONS, SEED, World, world

__all__ = ["world"]

HOUR_MS = 3_600_000
AUDIENCE = Audience(("a", "b"), ("c",))


class Bench:
    """The parts that freeze and read, with a clock that stands still until it is moved."""

    def __init__(self, world: World, most: int = 3, profiles: int = 10_000) -> None:
        self.world, self.now_ms = world, 1_000
        self.heads = Heads(world.store, PARTITIONS)
        self.audiences = Audiences(self.heads)
        self.store = FrozenStore(world.store, self.heads)
        self.departures = Departures(self.audiences, self.store)
        turn = asyncio.Semaphore(1)
        self.freezer = Freezer(self.audiences, self.store, turn, lambda: self.now_ms, most, profiles)

    async def freeze(self, audience: Audience = AUDIENCE) -> Frozen:
        token = await self.freezer.begin("w", audience, HOUR_MS)
        await self.freezer.done(token, 30)
        return await self.store.one("w", token, self.now_ms)

    async def pages(self, made: Frozen, limit: int) -> list[str]:
        found: list[str] = []
        at: At | None = At()
        while at is not None:
            some, at = await self.store.page("w", made, at, limit)
            assert len(some) == limit or at is None
            found += some
        return found

    async def changes(self, made: Frozen, kind: str, limit: int) -> list[str]:
        read = self.departures.left if kind == "left" else self.departures.entered
        found: list[str] = []
        at: Since | None = Since()
        while at is not None:
            some, at = await read("w", made, at, limit)
            assert len(some) <= limit
            found += some
        return found


@pytest.fixture
async def bench(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    for module in (frozen, freezing):
        monkeypatch.setattr(module, "PAGE", 8)
    monkeypatch.setattr(freezing, "WRITE_PAGES", 2)
    made = Bench(world)
    yield made
    await made.freezer.close()


@pytest.mark.parametrize("consent", [None, Consenting("email")])
async def test_pages_stay_while_members_move_and_the_changes_are_told(
    bench: Bench, consent: Consenting | None
) -> None:
    random, world = Random(SEED), bench.world
    audience = Audience(("a", "b"), ("c",), consent=consent)
    then = world.expected(audience)
    made = await bench.freeze(audience)
    assert (made.count, made.ended_ms, made.failed) == (len(then), 1_000, None) and 0 < made.size < 20_000
    for id_ in random.sample(world.ids, 300):
        segment = random.choice("abc")
        world.members[segment] ^= {id_}
        pipe = world.store.pipeline(transaction=False)
        world.put(pipe, segment, id_, id_ in world.members[segment])
        await pipe.execute()
    now = world.expected(audience)
    assert then - now and now - then
    for limit in (1_000, 8, 5):
        found = await bench.pages(made, limit)
        assert len(found) == len(then) and set(found) == then
        for kind, expected in (("left", then - now), ("entered", now - then)):
            changed = await bench.changes(made, kind, limit)
            assert len(changed) == len(expected) and set(changed) == expected, (SEED, kind, limit)


async def test_of_nobody_there_are_no_pages_and_everybody_has_come(bench: Bench) -> None:
    made = await bench.freeze(Audience(("a",), ("a",)))
    assert made.count == 0 and await bench.pages(made, 10) == []
    await bench.world.store.zadd(keys.members(1, "w", "new"), {"x": 1})
    made = await bench.freeze(Audience(("nobody",)))
    assert await bench.changes(made, "entered", 10) == []


async def test_whatever_is_lost_is_gone_and_no_wrong_page(bench: Bench) -> None:
    made = await bench.freeze()
    await bench.world.store.hdel(keys.frozen_ids(1, "w", made.token), "2")
    with pytest.raises(Gone):
        await bench.pages(made, 10)
    await bench.world.store.flushall()
    await bench.world.fill()
    with pytest.raises(Gone):
        await bench.store.one("w", made.token, bench.now_ms)
    with pytest.raises(Gone):
        await bench.pages(made, 10)


async def test_tokens_are_bounded_and_end(bench: Bench) -> None:
    made = [await bench.freeze(Audience(("a",))) for _ in range(3)]
    assert len({each.token for each in made}) == 3
    with pytest.raises(Problem) as refused:
        await bench.freeze()
    assert refused.value.status_code == 409 and refused.value.errors[0].code == "quota_frozen_audiences"
    await bench.store.delete("w", made[0].token)
    assert not await bench.world.store.exists(keys.frozen_ids(0, "w", made[0].token))
    await bench.freeze()
    name = keys.frozen_ids(0, "w", made[1].token)
    assert 0 < await bench.world.store.pttl(name) <= HOUR_MS + frozen.LONGER_MS
    bench.now_ms += HOUR_MS
    with pytest.raises(Gone):
        await bench.store.one("w", made[1].token, bench.now_ms)
    assert await bench.store.every("w", bench.now_ms) == []


async def test_one_that_is_too_large_fails_and_says_so(world: World) -> None:
    bench = Bench(world, profiles=10)
    made = await bench.freeze()
    assert made.ended_ms is None and made.failed is not None and "more than 10 profiles" in made.failed
