"""Quotas of workspaces on the real broker and the real store."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from redis.asyncio import Redis

from livesegments.ingest import app as ingest
from livesegments.ingest.gate import Beyond, Gate
from livesegments.ingest.quota import BEHIND_S
from livesegments.runtime import metrics
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.settings import Settings
from livesegments.store import keys
from livesegments.store.catalog import digest
from livesegments.wire import catalog
from livesegments.wire.catalog import Quotas
from livesegments.wire.pack import Packed, decode
from livesegments.wire.topics import EVENTS, INBOUND, INBOUND_GROUP, REJECTED, partition_of
from tests.services.ingest.rig import PARTITIONS, events_of, read, read_all, write_catalog

SHOP, SMALL = ("write", ""), ("small", "")
EVENT = {"type": "track", "userId": "u", "event": "e"}


@pytest.fixture
async def settings(clean_stack: Stack) -> Settings:
    """Workspace `shop` has no quota; `small` may have 5 events/s and 1 profile, which it has."""
    await write_catalog(clean_stack.redis)
    async with Redis.from_url(clean_stack.redis) as redis:
        small = catalog.Workspace("small", "Small", "UTC", 0, quotas=Quotas(events_per_s=5, profiles=1))
        await redis.hset(keys.CATALOG_WORKSPACES, "small", catalog.encode(small))
        key = catalog.Key(digest("small"), "small", "small", ("ingest",), 0)
        await redis.hset(keys.CATALOG_KEYS, key.digest, catalog.encode(key))
        place = keys.profiles(partition_of("small", "known", PARTITIONS), "small")
        await redis.hset(place, "known", b"as stored")
    return Settings(kafka=clean_stack.kafka, redis=clean_stack.redis)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with ingest.serving(settings) as url, httpx.AsyncClient(base_url=url, trust_env=False) as http:
        yield http


async def test_a_workspace_beyond_its_events_is_told_to_wait_and_no_other(client: httpx.AsyncClient) -> None:
    item = EVENT | {"userId": "known"}
    answer = await client.post("/v1/batch", json={"batch": [item] * 100}, auth=SMALL)
    assert answer.status_code == 200, "a request is let in whole while anything is left"
    for path, content in (("/v1/track", EVENT), ("/v1/events", {"profile": "known", "name": "e"})):
        answer = await client.post(path, json=content, auth=SMALL)
        told = answer.json()
        assert (answer.status_code, told["code"]) == (429, "quota_events_per_s")
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 10, "100 events are 20 s of its quota, less a burst"
        assert "5 events/s" in told["message"]
        assert (await client.post("/v1/track", json=EVENT, auth=SHOP)).status_code == 200
    assert b'livesegments_ingest_quota_refused_total{quota="events_per_s"}' in metrics.exposition(
        metrics.INGEST
    )


async def test_events_of_new_profiles_beyond_the_quota_are_kept_in_rejected(
    client: httpx.AsyncClient, clean_stack: Stack
) -> None:
    batch = [EVENT | {"userId": name, "messageId": name} for name in ("known", "new", "known")]
    batch.insert(1, {"type": "track"})
    answer = await client.post("/v1/batch", content=json.dumps({"batch": batch}), auth=SMALL)
    told = answer.json()
    assert (answer.status_code, told["accepted"]) == (200, 2)
    assert [(item["index"], item["code"]) for item in told["rejected"]][1:] == [(2, "too_many_profiles")]
    assert {event.profile for event in events_of(await read(clean_stack.kafka, EVENTS, 1))} == {"known"}
    kept = [json.loads(record.value) for record in await read(clean_stack.kafka, REJECTED, 2)]
    assert "1 profiles" in kept[1]["reason"]
    packed = decode(base64.b64decode(kept[1]["raw"]))
    assert isinstance(packed, Packed) and packed.events[0].profile == "new", "it can be replayed"


async def test_one_event_of_a_new_profile_beyond_the_quota_is_a_422(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/track", json=EVENT | {"userId": "new"}, auth=SMALL)
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_profiles")
    answer = await client.post("/v1/track", json=EVENT | {"userId": "known"}, auth=SMALL)
    assert answer.status_code == 200


async def test_the_inbound_topic_knows_the_quota_of_profiles_too(
    client: httpx.AsyncClient, clean_stack: Stack
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=clean_stack.kafka)
    await producer.start()
    for name in ("new", "known"):
        value = json.dumps({"workspace": "small", "profile": name, "name": "e"}).encode()
        await producer.send_and_wait(INBOUND, value, partition=0)
    await producer.stop()
    assert [event.profile for event in events_of(await read(clean_stack.kafka, EVENTS, 1))] == ["known"]
    kept = [json.loads(record.value) for record in await read(clean_stack.kafka, REJECTED, 1)]
    assert kept[0]["faults"][0]["code"] == "too_many_profiles"


async def test_inbound_records_beyond_the_quota_wait_in_order_and_the_others_go_on(
    client: httpx.AsyncClient, clean_stack: Stack
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=clean_stack.kafka)
    await producer.start()
    sent = [{"workspace": "small", "profile": "known", "name": "e", "id": f"s{n:02}"} for n in range(20)]
    for value in (*sent, {"workspace": "shop", "profile": "a", "name": "e", "id": "other"}):
        await producer.send(INBOUND, json.dumps(value).encode(), partition=0)
    await producer.stop()
    await committed(clean_stack.kafka, len(sent) + 1)
    records = await read_all(clean_stack.kafka, EVENTS)
    came = {event.id: record.timestamp for record in records for event in events_of([record])}
    assert came["s00"] <= came["other"] < came["s19"], "it went past those that waited"
    small = [event.id for event in events_of(records) if event.workspace == "small"]
    assert small == [each["id"] for each in sent]


async def committed(kafka: str, offset: int) -> None:
    """Returns when the first partition of the inbound topic is committed up to there."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=INBOUND_GROUP, enable_auto_commit=False)
    await consumer.start()
    try:
        async with asyncio.timeout(60):
            while await consumer.committed(TopicPartition(INBOUND, 0)) != offset:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        await consumer.stop()


class Behind:
    """An evaluator that applies one record between two looks, however many there are."""

    def __init__(self) -> None:
        self.offset = 0

    async def count(self, workspace: str) -> int:
        return 0

    async def known(self, workspace: str, ids: Sequence[str]) -> set[str]:
        return set()

    async def applied(self) -> list[int]:
        self.offset += 1
        return [self.offset]


async def test_where_a_partition_is_saturated_only_the_noisiest_has_to_wait() -> None:
    now_s = 0.0

    async def none(_: str) -> Quotas:
        return Quotas()

    gate = Gate(none, Behind(), lambda: [1_000], lambda: now_s, lambda: round(now_s * 1_000))
    for _ in range(6):
        await gate.took("loud", 2_000)
        await gate.took("quiet", 100)
        await gate.look()
        now_s += BEHIND_S / 2
    await gate.admit("quiet")
    with pytest.raises(Beyond) as caught:
        await gate.admit("loud")
    assert (caught.value.quota, caught.value.retry_s) == ("saturated", 1)
    now_s += 60
    await gate.look()
    await gate.admit("loud")
