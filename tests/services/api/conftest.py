"""The api as in production: uvicorn on a real socket, with the real broker and a real Redis."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from redis.asyncio import Redis

from livesegments.api import app
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.settings import ClockMode, Settings
from livesegments.runtime.topics import create_topics, wanted

ADMIN_KEY = "admin-key-of-the-tests"
SECRETS_KEY = "c2VjcmV0cy1rZXktb2YtdGhlLXRlc3RzLTMyYnl0ZXM="
NOW_MS = 1_700_000_000_000
LOOK_S = 0.02
PATIENCE_S = 60.0
UNOWNED_MS = 3_600_000
"""No evaluator runs beside most tests, and the api is to be ready for them however long they take."""

CITY = {"type": "attribute", "name": "city", "op": "eq", "value": "Kyiv"}

_numbers = itertools.count(1)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Waits for a state; fails when it does not come."""
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)


def settings(stack: Stack, clock: ClockMode = "log") -> Settings:
    return Settings(
        kafka=stack.kafka,
        redis=stack.redis,
        admin_key=ADMIN_KEY,
        clock=clock,
        unowned_ms=UNOWNED_MS,
        secrets_key=SECRETS_KEY,
    )


@asynccontextmanager
async def running(settings: Settings, wait: bool = True) -> AsyncIterator[str]:
    """Serves until left; the address, once it is ready (or, without `wait`, once it listens)."""
    server = app.Server(app.config(app.create(settings, lambda: NOW_MS), "127.0.0.1", 0))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            assert not serving.done(), serving.exception()
            await asyncio.sleep(LOOK_S)
        port = server.servers[0].sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as client:

            async def ready() -> bool:
                return (await client.get("/readyz")).status_code == 200

            if wait:
                await until(ready)
        yield url
    finally:
        server.should_exit = True
        await serving


class Client(httpx.AsyncClient):
    """A caller with one key; `workspace` is the one that it acts in."""

    def __init__(self, url: str, key: str | None, workspace: str = "") -> None:
        headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
        super().__init__(base_url=url, headers=headers, timeout=PATIENCE_S)
        self.url, self.workspace = url, workspace

    async def make(self, path: str, **body: Any) -> Any:
        response = await self.post(path, json=body)
        assert response.status_code == 201, response.text
        return response.json()

    async def segment(self, id_: str, definition: Any = CITY, **fields: Any) -> Any:
        body = {"id": id_, "name": id_, **fields}
        if fields.get("type") != "static":
            body["definition"] = definition
        return await self.make("/v1/segments", **body)


async def emptied(stack: Stack) -> None:
    """Makes our topics anew and empties Redis."""
    async with Redis.from_url(stack.redis) as redis:
        await redis.flushall()
    ours = [topic.name for topic in wanted(settings(stack))]
    kafka = AIOKafkaAdminClient(bootstrap_servers=stack.kafka)
    await kafka.start()
    try:
        await kafka.delete_topics(ours)
    finally:
        await kafka.close()
    await create_topics(stack.kafka, settings(stack))


@pytest.fixture(scope="module")
async def api(stack: Stack) -> AsyncIterator[str]:
    """One for a module's tests, each of which has a workspace of its own."""
    await emptied(stack)
    async with running(settings(stack)) as url:
        yield url


@pytest.fixture
async def boss(api: str) -> AsyncIterator[Client]:
    """Holds the admin key."""
    async with Client(api, ADMIN_KEY) as client:
        yield client


@pytest.fixture
async def open_workspace(api: str) -> AsyncIterator[Callable[..., Awaitable[Client]]]:
    """Makes a workspace, and a client with a key of it."""
    opened: list[Client] = []

    async def make(*scopes: str, url: str = api) -> Client:
        async with Client(url, ADMIN_KEY) as admin:
            workspace = await admin.make("/v1/workspaces", name=f"shop {next(_numbers)}")
            key = await admin.make(
                f"/v1/workspaces/{workspace['id']}/keys", name="k", scopes=scopes or ["read", "write"]
            )
        opened.append(Client(url, key["key"], workspace["id"]))
        return opened[-1]

    yield make
    for client in opened:
        await client.aclose()


@pytest.fixture
async def shop(open_workspace: Callable[..., Awaitable[Client]]) -> Client:
    return await open_workspace()
