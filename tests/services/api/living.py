"""The api with a real evaluator beside it: fixtures for the modules that import them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from livesegments.api.web import times
from livesegments.core.event import Event
from livesegments.runtime.embedded.stack import Stack
from tests.services.api.conftest import ADMIN_KEY, Client, emptied, running, settings, until
from tests.services.evaluator.rig import Rig, rig

DAY_MS = 86_400_000
START_MS = 1_640_995_200_000  # 2022-01-01T00:00:00Z


class Shop(Client):
    """A client with the rig of its evaluator."""

    rig: Rig

    async def settled(self) -> None:
        async def done() -> bool:
            lag = (await self.get("/v1/lag")).json()
            return lag["inbound"] == 0 and all(
                part["applied"] >= part["end"] and part["outbox"] == 0 and part["revision"] >= lag["revision"]
                for part in lag["partitions"]
            )

        await until(done)

    async def ready(self, segment: str) -> None:
        async def done() -> bool:
            return bool((await self.get(f"/v1/segments/{segment}")).json()["state"] == "ready")

        await until(done)

    def event(self, profile: str, name: str, time_ms: int, **properties: Any) -> Event:
        return Event(f"{profile}-{name}-{time_ms}", self.workspace, profile, name, time_ms, properties)

    async def members(self, segment: str, **query: Any) -> list[Any]:
        found: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            answer = await self.get(f"/v1/segments/{segment}/members", params={**query, **cursor})
            assert answer.status_code == 200, answer.text
            found += answer.json()["members"]
            if (following := answer.json()["next_cursor"]) is None:
                return found
            cursor = {"cursor": following}


@pytest.fixture(scope="module")
async def live(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, Rig]]:
    """The api's address, and the rig of an evaluator beside it."""
    await emptied(stack)
    folder: Path = tmp_path_factory.mktemp("evaluator")
    shared = replace(settings(stack), data=str(folder))  # else the api looks elsewhere for what is archived
    async with running(shared) as url, rig(stack, folder) as evaluation:
        evaluator = evaluation.start()
        await evaluation.until(evaluator.ready)
        yield url, evaluation


@pytest.fixture
async def shop(live: tuple[str, Rig]) -> AsyncIterator[Shop]:
    url, evaluation = live
    async with Client(url, ADMIN_KEY) as boss:
        workspace = (await boss.make("/v1/workspaces", name="shop"))["id"]
        key = await boss.make(f"/v1/workspaces/{workspace}/keys", name="k", scopes=["read", "write"])
    async with Shop(url, key["key"], workspace) as client:
        client.rig = evaluation
        yield client


async def at_least(shop: Shop, ms: int) -> int:
    """The instant of the partition's clock that is furthest."""
    lag = (await shop.get("/v1/lag")).json()
    clocks = [part["clock"] for part in lag["partitions"] if part["clock"]]
    if not clocks:
        return ms
    return times.parse(max(clocks))
