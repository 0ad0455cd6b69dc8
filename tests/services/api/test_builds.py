"""Builds of segments with a real evaluator beside the api: cancelled, superseded, deleted, heard or not.

Where the archive can't be written, a build can't come to its end: so it is caught in the middle of one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys
from tests.services.api.conftest import ADMIN_KEY, Client, emptied, running, settings, until
from tests.services.api.living import DAY_MS, START_MS, Shop
from tests.services.evaluator.rig import PARTITIONS, Rig, rig

EARLY = [f"early{number}" for number in range(20)]
LATE = [f"late{number}" for number in range(5)]


def opened(last: str) -> dict[str, Any]:
    return {"type": "event", "name": "opened", "window": {"last": last}}


class Place:
    """Where the evaluator's archive lies; `blocked` while it can't be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "archive"

    @contextmanager
    def blocked(self) -> Iterator[None]:
        aside = self.folder.with_name("aside")
        self.folder.mkdir(exist_ok=True)
        self.folder.rename(aside)
        self.folder.write_text("no folder: nothing can be written below it")
        try:
            yield
        finally:
            self.folder.unlink()
            aside.rename(self.folder)


@pytest.fixture(scope="module")
async def live(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[str, Rig, Place]]:
    await emptied(stack)
    folder = tmp_path_factory.mktemp("evaluator")
    async with running(settings(stack)) as url, rig(stack, folder) as evaluation:
        evaluator = evaluation.start(data=folder)
        await evaluation.until(evaluator.ready)
        yield url, evaluation, Place(folder)


@pytest.fixture
async def shop(live: tuple[str, Rig, Place]) -> AsyncIterator[Shop]:
    """The early ones opened 40 days before the late ones; "openers" of the last 30 days is ready."""
    url, evaluation, _ = live
    async with Client(url, ADMIN_KEY) as boss:
        workspace = (await boss.make("/v1/workspaces", name="shop"))["id"]
        key = await boss.make(f"/v1/workspaces/{workspace}/keys", name="k", scopes=["read", "write"])
    async with Shop(url, key["key"], workspace) as client:
        client.rig = evaluation
        clock = max(
            START_MS, *[int(await evaluation.redis.hget(keys.head(p), "clock") or 0) for p in range(8)]
        )
        await evaluation.send([client.event(each, "opened", clock) for each in EARLY])
        late = clock + 40 * DAY_MS
        await evaluation.send([client.event(each, "opened", late) for each in LATE])
        await evaluation.clock(late)
        await client.segment("openers", opened("30d"))
        await client.ready("openers")
        await client.settled()  # its transitions are announced
        yield client


@pytest.fixture
def place(live: tuple[str, Rig, Place]) -> Place:
    return live[2]


async def edit(shop: Shop, last: str) -> Any:
    etag = (await shop.get("/v1/segments/openers")).headers["ETag"]
    body = {"definition": opened(last)}
    answer = await shop.patch("/v1/segments/openers", json=body, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def facts(shop: Shop, redis: Any) -> list[set[bytes]]:
    return [set(await redis.hkeys(keys.facts(number, shop.workspace))) for number in range(PARTITIONS)]


async def heard(lines: AsyncIterator[str], count: int) -> list[Any]:
    found: list[Any] = []
    async with asyncio.timeout(60):
        while len(found) < count:
            line = await anext(lines)
            if line.startswith("data:"):
                found.append(msgspec.json.decode(line[5:]))
    return found


async def test_an_edit_that_is_cancelled_goes_back_to_what_was_served(
    shop: Shop, place: Place, stack: Stack
) -> None:
    assert sorted(await shop.members("openers")) == sorted(LATE)
    with place.blocked():
        async with Redis.from_url(stack.redis) as redis:
            before = await facts(shop, redis)
            assert (await edit(shop, "60d"))["state"] == "building"
            await shop.settled()
            assert await facts(shop, redis) != before
            answer = await shop.delete("/v1/segments/openers/build")
            assert answer.status_code == 200, answer.text
            found = answer.json()
            assert found["cancelled"] == "edit"
            assert found["segment"]["definition"]["window"] == {"last": "30d"}
            assert (found["segment"]["version"], found["segment"]["definition_version"]) == (3, 3)
            await shop.ready("openers")
            assert await facts(shop, redis) == before
    assert sorted(await shop.members("openers")) == sorted(LATE)
    assert (await shop.delete("/v1/segments/openers/build")).status_code == 409
    await edit(shop, "60d")
    await shop.ready("openers")
    assert len(await shop.members("openers")) == 25


async def test_a_new_segment_whose_build_is_cancelled_leaves_nothing_behind(
    shop: Shop, place: Place, stack: Stack
) -> None:
    async with Redis.from_url(stack.redis) as redis:
        before = await facts(shop, redis)
        with place.blocked():
            await shop.segment("again", opened("90d"))
            await shop.settled()
            assert (await shop.get("/v1/segments/again")).json()["state"] == "building"
            answer = await shop.delete("/v1/segments/again/build")
            assert answer.json() == {"cancelled": "segment", "segment": None}
            await shop.settled()

        async def gone() -> bool:
            left = [
                await redis.hexists(kind(number, shop.workspace), "again")
                for number in range(PARTITIONS)
                for kind in (keys.served, keys.segments)
            ]
            return await facts(shop, redis) == before and not any(left)

        await until(gone)
    assert (await shop.get("/v1/segments/again")).status_code == 404
    assert (await shop.delete("/v1/segments/again/build")).status_code == 404
    await shop.segment("again", opened("90d"))
    await shop.ready("again")
    assert len(await shop.members("again")) == 25


async def test_a_second_edit_supersedes_the_first(shop: Shop, place: Place) -> None:
    async with shop.stream("GET", "/v1/transitions", params={"backfill": True}) as stream:
        lines = stream.aiter_lines()
        assert (await anext(lines)).startswith(":")
        with place.blocked():
            await edit(shop, "60d")
            await shop.settled()
            await edit(shop, "90d")
            await shop.settled()
        await shop.ready("openers")
        told = await heard(lines, len(EARLY))
    assert {each["profile"] for each in told} == set(EARLY)
    assert {(each["kind"], each["cause"], each["version"]) for each in told} == {("entered", "backfill", 3)}


async def test_a_segment_deleted_while_it_is_built_leaves_nothing_behind(
    shop: Shop, place: Place, stack: Stack
) -> None:
    async with Redis.from_url(stack.redis) as redis:
        before = await facts(shop, redis)
        with place.blocked():
            await shop.segment("gone", opened("90d"))
            await shop.settled()
            assert (await shop.delete("/v1/segments/gone")).status_code == 204
            await shop.settled()

        async def forgotten() -> bool:
            return await facts(shop, redis) == before

        await until(forgotten)


async def test_a_stream_is_silent_about_history_unless_it_asks(shop: Shop) -> None:
    async with shop.stream("GET", "/v1/transitions", params={"segment": "openers"}) as stream:
        lines = stream.aiter_lines()
        assert (await anext(lines)).startswith(":")
        await edit(shop, "60d")
        await shop.ready("openers")
        now = max([int(await shop.rig.redis.hget(keys.head(p), "clock") or 0) for p in range(PARTITIONS)])
        await shop.rig.send([shop.event("new", "opened", now)])
        (only,) = await heard(lines, 1)
    assert (only["profile"], only["cause"]) == ("new", "event")
