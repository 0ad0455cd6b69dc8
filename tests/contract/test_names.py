"""The names in a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from livesegments.core.names.seen import GAVE_WAY, MAX_NAMES, Name, Names, observe
from livesegments.store import keys
from livesegments.store.names import NameStore


@pytest.fixture
async def redis(clean_redis: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(clean_redis) as client:
        yield client


def seen(name: str, time_ms: int = 1, times: int = 1) -> Names:
    names: Names = {}
    for _ in range(times):
        observe(names, name, time_ms, {"a": 1})
    return names


async def test_what_several_see_at_once_is_added_up(redis: Redis) -> None:
    stores = [NameStore(redis) for _ in range(4)]
    added = await asyncio.gather(
        *(store.add("w", seen("n", time_ms)) for time_ms, store in enumerate(stores))
    )
    found = await stores[0].read("w")
    assert found["n"].paths["a"].count == sum(added) and sum(added) >= 1
    assert await stores[0].read("other") == {}


async def test_names_are_bounded_and_the_newest_stay(redis: Redis) -> None:
    store = NameStore(redis)
    assert await store.add("w", seen("$profile", 0))
    for start in (0, 400):
        assert await store.add("w", {f"n{n}": Name(n) for n in range(start, start + 400)})
    found = await store.read("w")
    assert found.keys() == {"$profile", GAVE_WAY, *(f"n{n}" for n in range(800 - MAX_NAMES, 800))}
    assert len(found) == await redis.hlen(keys.names("w"))


async def test_a_quota_of_names_holds_and_says_how_many_gave_way(redis: Redis) -> None:
    gave_way: list[int] = []
    store = NameStore(redis, gave_way.append)
    for start in (0, 2, 4):
        assert await store.add("w", {f"n{n}": Name(n) for n in range(start, start + 2)}, most=3)
    assert (await store.read("w")).keys() == {"n3", "n4", "n5", GAVE_WAY}
    assert gave_way == [1, 2]
    assert await store.add("w", {"n6": Name(6), "n7": Name(7)}, most=1_000)
    assert len(await store.read("w")) == 6, "a greater quota has room at once"
