"""Who reads while the evaluator stands still is answered 503 by every api, once the store has lost something."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from msgspec.structs import replace

from livesegments.core.event import Event
from livesegments.wire.topics import EVENTS, EVENTS_GROUP
from tests.services.api.conftest import ADMIN_KEY, Client, running, settings
from tests.services.evaluator.buying import PRO, T, plan
from tests.services.evaluator.rig import PARTITIONS, Rig

PROFILES = [f"p{number}" for number in range(100)]
PATHS = (
    "/v1/segments/pro/count",
    "/v1/segments/pro",
    "/v1/segments/pro/members",
    "/v1/segments/pro/members/p1",
    "/v1/profiles/p1",
    "/v1/segments/pro/forecast",
    "/v1/segments/pro/as-of?at=2023-11-15T00:00:00Z",
    "/v1/segments/pro/explanations/p1",
    "/v1/timelines/p1",
)


def changes(profiles: list[str]) -> list[Event]:
    return [plan(f"{p}-plan", p, "pro", T) for p in profiles]


@asynccontextmanager
async def reader(rig: Rig) -> AsyncIterator[Client]:
    """An api of its own, and a caller of it."""
    given = replace(settings(rig.stack), partitions=PARTITIONS, data=str(rig.folder))
    async with running(given, wait=False) as url, Client(url, ADMIN_KEY) as client:
        client.headers["X-Workspace"] = "w"
        yield client


async def counted(client: Client) -> tuple[int, Any]:
    """What it says; a workspace that isn't there again yet isn't an answer either."""
    answer = await client.get("/v1/segments/pro/count")
    body = answer.json()
    return answer.status_code, body["count"] if answer.status_code == 200 else body["detail"]


async def known_to_the_broker(rig: Rig, admin: AIOKafkaAdminClient) -> bool:
    ends = await rig.ends(EVENTS)
    stored = await admin.list_consumer_group_offsets(EVENTS_GROUP)
    return all(
        (found := stored.get(TopicPartition(EVENTS, partition))) is not None and found.offset == end
        for partition, end in ends.items()
    )


@pytest.mark.parametrize("loss", ["emptied", "an old snapshot"])
async def test_no_api_gives_a_wrong_count_before_the_evaluator_has_noticed(
    evaluation: Rig, admin: AIOKafkaAdminClient, loss: str
) -> None:
    rig = evaluation
    await rig.workspace()
    await rig.segment("pro", PRO)
    worker = rig.start(archive_after_s=0.5)
    await rig.send(changes(PROFILES[:50]))
    await rig.settled()
    old = {key: await rig.redis.dump(key) for key in await rig.redis.keys("*")} if loss != "emptied" else {}
    await rig.send(changes(PROFILES[50:]))
    await rig.settled()
    await rig.until(lambda: known_to_the_broker(rig, admin))
    async with AsyncExitStack() as stack:
        before = await stack.enter_async_context(reader(rig))

        async def right() -> bool:
            return await counted(before) == (200, 100)

        await rig.until(right)
        worker.child.signal(signal.SIGSTOP)
        try:
            async with rig.redis.pipeline(transaction=True) as pipe:
                pipe.flushall()
                for key, value in old.items():
                    pipe.restore(key, 0, value)
                await pipe.execute()
            after = await stack.enter_async_context(reader(rig))
            for client in (before, after):

                async def said(client: Client = client) -> bool:
                    status, what = await counted(client)
                    assert status == 503, what
                    return "partition" in what

                await rig.until(said)
                answers = [(path, (await client.get(path)).status_code) for path in PATHS]
                assert {status for _, status in answers} == {503}, answers
        finally:
            worker.child.signal(signal.SIGCONT)
        for client in (before, after) if old else ():  # what was emptied comes back in others' tests

            async def back(client: Client = client) -> bool:
                status, what = await counted(client)
                assert status == 503 or what == 100, what
                return status == 200

            await rig.until(back, timeout_s=60)
