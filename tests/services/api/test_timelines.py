"""Timelines through the api, of the tail and of the archive, with a real evaluator beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from livesegments.core.event import PROFILE, Event
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys
from livesegments.wire.topics import partition_of
from tests.services.api.conftest import ADMIN_KEY, CITY, Client, emptied, running, settings, until
from tests.services.api.living import START_MS, Shop
from tests.services.evaluator.rig import rig

ORDERED = {"type": "event", "name": "order"}


@pytest.fixture(params=["tail", "archive"])
async def shop(
    request: pytest.FixtureRequest, stack: Stack, tmp_path: Path
) -> AsyncIterator[tuple[Shop, bool]]:
    """A client, and whether history is archived at once."""
    archived = request.param == "archive"
    await emptied(stack)
    served = msgspec.structs.replace(settings(stack), archive=str(tmp_path / "archive"))
    async with running(served) as url, rig(stack, tmp_path) as evaluation:
        evaluator = evaluation.start(archive_after_s=0.1 if archived else 3_600)
        await evaluation.until(evaluator.ready)
        async with Client(url, ADMIN_KEY) as boss:
            workspace = (await boss.make("/v1/workspaces", name="shop"))["id"]
        async with Shop(url, ADMIN_KEY, workspace) as client:
            client.headers["X-Workspace"] = workspace
            client.rig = evaluation
            yield client, archived


async def stored(shop: Shop, stack: Stack, profile: str, archived: bool) -> None:
    """Waits until a profile's history is where the test wants it."""
    partition = partition_of(shop.workspace, profile, 8)
    async with Redis.from_url(stack.redis) as redis:
        if not archived:
            assert await redis.hlen(keys.archive(partition)) == 0
            return

        async def empty() -> bool:
            return await redis.xlen(keys.tail(partition)) == 0 < await redis.hlen(keys.archive(partition))

        await until(empty)


async def read(shop: Shop, profile: str, **query: Any) -> list[Any]:
    answer = await shop.get(f"/v1/timelines/{profile}", params=query)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["moments"]
    if cursor := answer.json()["next_cursor"]:
        assert len(found) == query["limit"]
        found += await read(shop, profile, **query | {"cursor": cursor})
    return found


async def test_what_happened_newest_first_paged_and_by_an_event(
    shop: tuple[Shop, bool], stack: Stack
) -> None:
    client, archived = shop
    await client.segment("buyers", ORDERED)
    await client.segment("kyiv", CITY)
    await client.settled()
    change = Event("e1", client.workspace, "a/b", PROFILE, START_MS, {"attributes": {"city": "Kyiv"}})
    order = Event("m-7", client.workspace, "a/b", "order", START_MS + 5, {"total": 12.5})
    other = Event("x", client.workspace, "bob", "order", START_MS + 6)
    await client.rig.send([change, order, order, other])
    await client.settled()
    await stored(client, stack, "a/b", archived)
    late = Event("late", client.workspace, "a/b", "seen", START_MS + 1)
    await client.rig.send([late])
    await client.settled()

    found = await read(client, "a%2Fb")
    assert [(each["name"], each["event_id"], each["cause"]) for each in found] == [
        ("$segment_entered", "m-7", "event"),
        ("order", None, None),
        ("seen", None, None),
        ("$segment_entered", "e1", "attribute"),
        ("$attribute_changed", "e1", None),
        ("$profile", None, None),
    ]
    assert [each["properties"] for each in found[:2]] == [{"segment": "buyers"}, {"total": 12.5}]
    assert (found[0]["version"], found[0]["sequence"]) == (1, 1)
    assert (found[2]["time"], found[2]["applied_at"]) == (
        "2022-01-01T00:00:00.001Z",
        "2022-01-01T00:00:00.006Z"
        if partition_of(client.workspace, "bob", 8) == partition_of(client.workspace, "a/b", 8)
        else "2022-01-01T00:00:00.005Z",
    )
    for size in (1, 2, 4):
        assert await read(client, "a%2Fb", limit=size) == found
    assert await read(client, "a%2Fb", event="m-7") == found[:2]
    assert await read(client, "a%2Fb", event="e1") == found[3:]
    assert (await client.get("/v1/timelines/nobody")).status_code == 404
    assert (await client.get("/v1/timelines/bob", params={"cursor": "nonsense"})).status_code == 422
