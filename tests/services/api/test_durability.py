"""The catalogue survives the loss of Redis, of the topic's end, and of an api between its two writes."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import structs
from redis.asyncio import Redis

from livesegments.api.web import publisher
from livesegments.api.web.publisher import NotPublished, Publisher
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.service import Service, started
from livesegments.store import keys
from livesegments.store.catalog import Catalog
from livesegments.store.snapshot import Snapshot
from livesegments.wire import catalog as wire
from livesegments.wire.topics import DEFINITIONS
from tests.effort import effort
from tests.services.api.conftest import (
    ADMIN_KEY,
    CITY,
    NOW_MS,
    PATIENCE_S,
    Client,
    emptied,
    running,
    settings,
    until,
)

AGAIN_S = 0.05
"""Who finds no api asks no sooner again: else the senders take the machine from the api that starts."""


async def furnished(url: str) -> dict[str, str]:
    """A workspace `shop` with segments a, b, of which b is edited and c is deleted; a header with a key of it."""
    async with Client(url, ADMIN_KEY) as boss:
        await boss.make("/v1/workspaces", id="shop", name="Shop", timezone="Europe/Berlin")
        key = await boss.make("/v1/workspaces/shop/keys", name="k", scopes=["read", "write"])
    async with Client(url, key["key"]) as shop:
        for id_ in "abc":
            await shop.segment(id_)
        await shop.patch("/v1/segments/b", json={"name": "B"}, headers={"If-Match": "*"})
        await shop.delete("/v1/segments/c")
    return {"Authorization": f"Bearer {key['key']}"}


async def names(url: str, header: dict[str, str]) -> list[str]:
    async with Client(url, None) as client:
        listed = await client.get("/v1/segments", headers=header)
        assert listed.status_code == 200, listed.text
        return [segment["name"] for segment in listed.json()["segments"]]


async def in_topic(stack: Stack) -> dict[str, bytes]:
    """The last value per key."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        topic, found = TopicPartition(DEFINITIONS, 0), dict[str, bytes]()
        consumer.assign([topic])
        end = (await consumer.end_offsets([topic]))[topic]
        while await consumer.position(topic) < end:
            for record in (await consumer.getmany(topic, timeout_ms=500)).get(topic, []):
                found[record.key.decode()] = record.value
        return {key: value for key, value in found.items() if value}
    finally:
        await consumer.stop()


async def test_what_is_answered_is_in_the_topic(stack: Stack) -> None:
    await emptied(stack)
    async with running(settings(stack)) as url:
        await furnished(url)
        entries = await in_topic(stack)
    kept = sorted(key for key in entries if not key.startswith(("audit/", "key/")))
    assert kept == ["segment/shop/a", "segment/shop/b", "workspace/shop"]
    changed = wire.decode(entries["segment/shop/b"])
    assert isinstance(changed, wire.Segment) and changed.name == "B"
    (key,) = (entry for entry in map(wire.decode, entries.values()) if isinstance(entry, wire.Key))
    assert key.workspace == "shop" and key.scopes == ("read", "write")


async def test_after_the_loss_of_redis_a_new_api_restores_everything(stack: Stack) -> None:
    await emptied(stack)
    async with running(settings(stack)) as url:
        header = await furnished(url)
    async with Redis.from_url(stack.redis) as redis:
        await redis.flushall()
    async with running(settings(stack)) as url:
        assert await names(url, header) == ["a", "B"]
        async with Client(url, None) as client:
            edited = await client.patch(
                "/v1/segments/b", json={"name": "b2"}, headers={**header, "If-Match": '"2"'}
            )
            assert edited.json()["version"] == 3


async def test_former_definitions_come_back_too(stack: Stack) -> None:
    await emptied(stack)
    async with running(settings(stack)) as url:
        header = await furnished(url)
        async with Client(url, None) as client:
            city = {"definition": {**CITY, "value": "Lviv"}}
            edited = await client.patch("/v1/segments/b", json=city, headers={**header, "If-Match": "*"})
            assert edited.status_code == 200
            before = (await client.get("/v1/segments/b/versions", headers=header)).json()
    assert [each["version"] for each in before["versions"]] == [2, 1]
    async with Redis.from_url(stack.redis) as redis:
        await redis.flushall()
    async with running(settings(stack)) as url, Client(url, None) as client:
        assert (await client.get("/v1/segments/b/versions", headers=header)).json() == before
        assert (await client.delete("/v1/segments/b", headers=header)).status_code == 204
    assert not [key for key in await in_topic(stack) if key.startswith("version/")]


async def test_the_loss_of_redis_under_a_running_api_mends_itself(stack: Stack) -> None:
    await emptied(stack)
    async with running(settings(stack)) as url, Redis.from_url(stack.redis) as redis:
        header = await furnished(url)
        await redis.flushall()

        async def back() -> bool:
            async with Client(url, None) as client:
                status = (await client.get("/v1/segments", headers=header)).status_code
            assert status in {200, 503}  # never 401: the key is not unknown, the catalogue is lost
            return status == 200

        await until(back)
        assert await names(url, header) == ["a", "B"]


async def test_an_old_snapshot_of_redis_is_brought_up_to_the_topic(stack: Stack) -> None:
    await emptied(stack)
    async with Redis.from_url(stack.redis) as redis:
        async with running(settings(stack)) as url:
            header = await furnished(url)
            old = {key: await redis.dump(key) for key in await redis.keys("*")}
            async with Client(url, None) as client:
                await client.delete("/v1/segments/a", headers=header)
                await client.post(
                    "/v1/segments", json={"id": "d", "name": "d", "definition": CITY}, headers=header
                )
        await redis.flushall()
        for key, value in old.items():
            assert value is not None
            await redis.restore(key, 0, value)
        async with running(settings(stack)) as url:
            assert await names(url, header) == ["B", "d"]
            async with Client(url, None) as client:  # partitions of that snapshot may know version 1 of it
                body = {"id": "a", "name": "a", "definition": CITY}
                again = await client.post("/v1/segments", json=body, headers=header)
                assert again.json()["definition_version"] == 2


async def test_a_change_left_between_the_two_writes_is_rolled_forward(stack: Stack) -> None:
    await emptied(stack)
    async with running(settings(stack)) as url:
        header = await furnished(url)
    async with Redis.from_url(stack.redis) as redis:  # an api that died before it published would leave this
        await Catalog(redis).change_segment(
            "shop", lambda snapshot: ("put", wire.Segment("shop", "late", "late", 1, 1, NOW_MS, NOW_MS))
        )
    assert "segment/shop/late" not in await in_topic(stack)
    async with running(settings(stack)) as url:
        assert await names(url, header) == ["a", "B", "late"]
        assert "segment/shop/late" in await in_topic(stack)
    async with Redis.from_url(stack.redis) as redis:
        assert await Catalog(redis).changes.outbox() == []


async def test_a_topic_that_was_lost_is_published_again(stack: Stack) -> None:
    await emptied(stack)
    async with running(settings(stack)) as url:
        header = await furnished(url)
    async with Redis.from_url(stack.redis) as redis:
        saved = {key: await redis.dump(key) for key in await redis.keys("*")}
        before = await in_topic(stack)
        await emptied(stack)
        for key, value in saved.items():
            assert value is not None
            await redis.restore(key, 0, value)
    async with running(settings(stack)) as url:
        assert await names(url, header) == ["a", "B"]
        assert await in_topic(stack) == before


def putting(segment: wire.Segment) -> Callable[[Snapshot], tuple[Literal["put"], wire.Segment]]:
    return lambda _: ("put", segment)


async def test_two_publishers_keep_the_order_of_changes(stack: Stack) -> None:
    await emptied(stack)
    async with Redis.from_url(stack.redis) as redis:
        catalogs = [Catalog(redis), Catalog(redis)]
        publishers = [Publisher(redis, catalog, stack.kafka) for catalog in catalogs]
        await publishers[0].restore()
        await publishers[1].restore()
        for version in range(1, 21):
            segment = wire.Segment("shop", "s", f"name {version}", version, 1, NOW_MS, NOW_MS)
            _, sequence = await catalogs[version % 2].change_segment("shop", putting(segment))
            await publishers[version % 2].published(sequence)
        last = wire.decode((await in_topic(stack))["segment/shop/s"])
        assert isinstance(last, wire.Segment) and last.version == 20
        for publisher in publishers:
            await publisher.close()


async def test_who_has_lost_its_turn_publishes_nothing(stack: Stack) -> None:
    await emptied(stack)
    async with Redis.from_url(stack.redis) as redis:
        catalog = Catalog(redis)
        publisher = Publisher(redis, catalog, stack.kafka)
        await publisher.restore()
        segment = wire.Segment("shop", "s", "s", 1, 1, NOW_MS, NOW_MS)
        _, sequence = await catalog.change_segment("shop", lambda _: ("put", segment))
        async with publisher._turn:
            await redis.set(keys.CATALOG_PUBLISHER, "another")  # as after a pause longer than a turn
            with pytest.raises(NotPublished):
                await publisher._drain()
        assert await redis.get(keys.CATALOG_PUBLISHER) == b"another"
        assert await in_topic(stack) == {}
        await redis.delete(keys.CATALOG_PUBLISHER)
        await publisher.published(sequence)
        noted = [key for key in await in_topic(stack) if not key.startswith("audit/")]
        assert noted == ["segment/shop/s"]
        await publisher.close()


async def test_without_the_broker_an_edit_is_a_503_and_happens_later(stack: Stack) -> None:
    await emptied(stack)
    async with running(settings(stack)) as url:
        header = await furnished(url)
    cut_off = structs.replace(settings(stack), kafka="127.0.0.1:1")
    async with running(cut_off, wait=False) as url, Client(url, None) as client:
        assert (await client.get("/readyz")).status_code == 503
        assert await names(url, header) == ["a", "B"]
        body = {"id": "d", "name": "d", "definition": CITY}
        refused = await client.post("/v1/segments", json=body, headers=header)
        assert refused.status_code == 503 and refused.headers["Retry-After"] == "1"
        assert refused.headers["content-type"] == "application/problem+json"
    assert "segment/shop/d" not in await in_topic(stack)
    async with running(settings(stack)) as url:
        assert await names(url, header) == ["a", "B", "d"]
        assert "segment/shop/d" in await in_topic(stack)


async def test_many_edits_at_once_are_published_together_and_in_order(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "ANSWER_S", PATIENCE_S)  # all of them may take long on a busy machine
    await emptied(stack)
    async with running(settings(stack)) as url:
        header = await furnished(url)
        async with Client(url, None) as client:
            answers = await asyncio.gather(
                *(
                    client.post(
                        "/v1/segments",
                        json={"id": f"s{n}", "name": f"s{n}", "definition": CITY},
                        headers=header,
                    )
                    for n in range(200)
                )
            )
            assert {answer.status_code for answer in answers} == {201}
        kept = await in_topic(stack)
        assert {f"segment/shop/s{n}" for n in range(200)} <= kept.keys()
        async with Redis.from_url(stack.redis) as redis:
            assert await Catalog(redis).entries() == kept


async def test_an_api_that_is_killed_has_lost_nothing_that_it_answered(stack: Stack, tmp_path: Path) -> None:
    """Two apis as processes; one is killed again and again while both are written to."""
    await emptied(stack)
    environment = os.environ | {
        "LIVESEGMENTS_KAFKA": stack.kafka,
        "LIVESEGMENTS_REDIS": stack.redis,
        "LIVESEGMENTS_ADMIN_KEY": ADMIN_KEY,
    }
    apis = [Service(f"api-{n}", "livesegments.api.app", tmp_path / f"api-{n}", environment) for n in "12"]
    answered: set[str] = set()
    async with started(apis):
        await asyncio.gather(*(api.ready(print) for api in apis))
        header = await furnished(apis[0].url)
        ended = asyncio.Event()

        async def write(api: Service, writer: str) -> None:
            async with Client(api.url, None) as client:
                for n in itertools.count():
                    id_ = f"{writer}-{n}"
                    body = {"id": id_, "name": id_, "definition": CITY}
                    try:
                        answer = await client.post("/v1/segments", json=body, headers=header)
                    except httpx.TransportError:
                        await asyncio.sleep(AGAIN_S)
                    else:
                        assert answer.status_code in {201, 503}, answer.text
                        if answer.status_code == 201:
                            answered.add(id_)
                    if ended.is_set():
                        return

        async def more() -> None:
            enough = len(answered) + 20

            async def reached() -> bool:
                return len(answered) >= enough

            await until(reached)

        async with asyncio.TaskGroup() as writing:
            for number, api in enumerate(apis):
                for writer in "abc":
                    writing.create_task(write(api, f"{writer}{number}"))
            for _ in range(effort(1, 3)):
                await more()
                await apis[0].kill()
                await apis[0].restart()
            await more()
            ended.set()
        async with Redis.from_url(stack.redis) as redis:
            catalog = Catalog(redis)

            async def published() -> bool:
                return await catalog.changes.outbox() == []

            await until(published)
            kept = await in_topic(stack)
            assert await catalog.entries() == kept
    assert {f"segment/shop/{id_}" for id_ in answered} <= kept.keys()
