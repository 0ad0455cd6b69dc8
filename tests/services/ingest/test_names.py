"""The names that ingest collects from the events that it accepts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from livesegments.core.event import Event
from livesegments.core.names.seen import MAX_NAMES, Name, Names
from livesegments.ingest import names
from livesegments.ingest.names import Observer, attributes_of
from livesegments.ingest.receipt import Accepted
from livesegments.runtime.settings import Settings
from livesegments.store import keys
from livesegments.store.names import NameStore
from livesegments.wire.topics import INBOUND

AUTH = ("write", "")


class Kept:
    """A store that may be away."""

    def __init__(self) -> None:
        self.away, self.names = False, dict[str, dict[str, Name]]()

    async def add(self, workspace: str, seen: Mapping[str, Name], most: int) -> bool:
        if self.away:
            raise ConnectionError
        self.names.setdefault(workspace, {}).update(seen)
        return True


async def enough(_: str) -> int:
    return MAX_NAMES


def accepted(name: str, workspace: str = "w", **properties: Any) -> Accepted:
    event = Event("1", workspace, "p", name, 1, properties)
    return Accepted(workspace, "p", msgspec.msgpack.encode(event))


async def test_of_a_flood_a_bounded_sample_is_taken_and_a_rare_name_is_not_lost_in_it() -> None:
    observer = Observer(kept := Kept(), enough)
    flood = [accepted("often", a=1)] * 1_000
    observer.offer([*flood, accepted("rare", b=1), *flood])
    await observer.flush()
    assert kept.names["w"]["often"].count == names.PER_NAME and kept.names["w"]["rare"].count == 1
    observer.offer([accepted(f"n{number}") for number in range(names.LOOKS * 2)])
    await observer.flush()
    assert len(kept.names["w"]) == names.SAMPLES + 2


async def test_while_the_store_is_away_what_was_seen_is_kept_within_bounds() -> None:
    observer = Observer(kept := Kept(), enough)
    kept.away = True
    observer.offer([accepted("first"), accepted("first", "other")])
    for start in range(0, 3 * names.MAX_PENDING, names.SAMPLES):
        await observer.flush()
        observer.offer([accepted(f"n{start + number}") for number in range(names.SAMPLES)])
    observer.offer([accepted("first", a=1)])
    kept.away = False
    await observer.flush()
    await observer.flush()
    assert kept.names["w"]["first"].count == 1 and "first" in kept.names["other"]
    assert sum(map(len, kept.names.values())) <= names.MAX_PENDING


def test_the_score_and_the_groups_are_attributes() -> None:
    assert attributes_of({"attributes": {"plan": "pro"}, "score": {"increment": 2}, "groups": ["g"]}) == {
        "plan": "pro",
        "score": 2,
        "groups": ["g"],
    }
    assert attributes_of({"tags_add": ["t"]}) == {}


async def found(redis_url: str, *wanted: str) -> Names:
    """Once these names are there."""
    async with Redis.from_url(redis_url) as redis, asyncio.timeout(60):
        while not set(wanted) <= (await NameStore(redis).read("shop")).keys():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return await NameStore(redis).read("shop")


async def test_events_by_http_and_by_the_inbound_topic_are_seen(
    settings: Settings, client: httpx.AsyncClient
) -> None:
    sent = [
        {"profile": "p", "name": "order", "properties": {"total": 7}},
        {"profile": "p", "attributes": {"plan": "pro"}, "score": 3},
    ]
    assert (await client.post("/v1/events", json=sent, auth=AUTH)).status_code == 202
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka)
    await producer.start()
    body = {"workspace": "shop", "profile": "p", "name": "visit", "properties": {"page": {"url": "/"}}}
    await producer.send_and_wait(INBOUND, msgspec.json.encode(body))
    await producer.stop()
    seen = await found(settings.redis, "order", "$profile", "visit")
    assert list(seen["order"].paths) == ["total"] and list(seen["visit"].paths) == ["page.url"]
    assert seen["$profile"].paths.keys() == {"plan", "score"}


async def test_names_that_were_lost_come_again_with_the_next_events(
    settings: Settings, client: httpx.AsyncClient
) -> None:
    event = {"profile": "p", "name": "order", "properties": {"total": 7}}
    for _ in range(2):
        assert (await client.post("/v1/events", json=event, auth=AUTH)).status_code == 202
        await found(settings.redis, "order")
        async with Redis.from_url(settings.redis) as redis:
            await redis.delete(keys.names("shop"))
