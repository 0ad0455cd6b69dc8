"""The metrics that ingest shows."""

import asyncio
import json
import re

import httpx
from aiokafka import AIOKafkaProducer

from livesegments.runtime.settings import Settings
from livesegments.wire.topics import INBOUND

AUTH = ("write", "")


async def shown(client: httpx.AsyncClient) -> dict[str, float]:
    """Name with labels → value."""
    lines = (await client.get("/metrics")).text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


async def test_latency_and_statuses_are_counted_by_route(client: httpx.AsyncClient) -> None:
    before = await shown(client)
    for body, status in ((b'{"userId":"u","event":"e"}', 200), (b"{", 422)):
        answer = await client.post("/v1/track", content=body, auth=AUTH)
        assert answer.status_code // 100 == status // 100
    after = await shown(client)
    gained = {name: value - before.get(name, 0) for name, value in after.items()}
    assert gained['livesegments_ingest_request_seconds_count{path="/v1/track"}'] == 2
    statuses = {name: n for name, n in gained.items() if "ingest_requests_total" in name and n}
    assert list(statuses.values()) == [1, 1]
    assert not any(re.match("livesegments_(evaluator|api)", name) for name in after)


async def test_the_lag_of_inbound_is_shown(client: httpx.AsyncClient, settings: Settings) -> None:
    value = json.dumps({"profile": "p", "name": "n", "workspace": "shop"}).encode()
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka) as producer:
        await producer.send_and_wait(INBOUND, value, partition=3)
    async with asyncio.timeout(60):
        while (await shown(client)).get('livesegments_ingest_inbound_lag_records{partition="3"}') != 0:
            pass
