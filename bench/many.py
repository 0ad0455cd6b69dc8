"""Ten thousand segments: what one more costs, all at once, adopted, and after a restart.

`python -m bench many`. The api and one evaluator run as processes of their own, with the stored profiles of a
small shop; a segment counts as adopted when the api calls it ready.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import httpx

from bench import harness, workload
from livesegments.core.event import PROFILE, Event
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.service import Service
from livesegments.wire.topics import EVENTS

KEY = "admin-key-of-the-bench"
PROFILES = 4_000
LOOK_S = 0.02
PATIENCE_S = 300.0


class Many(NamedTuple):
    """In seconds. `one_s` are medians of creating one segment where that many are there already."""

    segments: int
    one_s: dict[int, float]
    bulk_s: float
    bulk_ready_s: float
    adopted_s: float
    adopted_events_s: float
    restart_s: float


async def run(running: Stack, segments: int, ones: int = 50) -> Many:
    definitions: list[dict[str, Any]] = [
        {"id": name, "name": name, "definition": item}
        for name, item in workload.definitions(segments).items()
    ]
    bulk, rest = definitions[: -2 * ones], definitions[-2 * ones :]
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="livesegments-bench-")))
        api = harness.service("api", running, folder, "wall", {"LIVESEGMENTS_ADMIN_KEY": KEY})
        await stack.enter_async_context(_started(api))
        headers = {"Authorization": f"Bearer {KEY}", "X-Workspace": workload.WORKSPACE}
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=api.url, headers=headers, timeout=PATIENCE_S)
        )
        made = await client.post(
            "/v1/workspaces", json={"id": workload.WORKSPACE, "name": "Bench", "timezone": "Europe/Berlin"}
        )
        made.raise_for_status()
        await harness.preload(running, harness.packed(_profiles()), EVENTS)
        evaluator = harness.service("evaluator", running, folder, "wall")
        one_s: dict[int, float] = {}
        async with _started(evaluator):
            await _whole(client)
            one_s[0] = await _ones(client, rest[:ones])
            await _ready(client, [each["id"] for each in rest[:ones]])
            begun = time.perf_counter()
            answer = await client.post("/v1/segments:batch", json={"segments": bulk})
            answer.raise_for_status()
            bulk_s = time.perf_counter() - begun
            await _ready(client, [bulk[0]["id"], bulk[-1]["id"]])
            bulk_ready_s = time.perf_counter() - begun
            one_s[segments - ones] = await _ones(client, rest[ones:])
            await _ready(client, [each["id"] for each in rest[ones:]])
            adopted = [await _adopted(client, f"one-more-{number}", _city(number)) for number in range(5)]
            events = [await _adopted(client, f"event-{number}", _bought(number)) for number in range(5)]
        begun = time.perf_counter()
        async with _started(evaluator):
            restart_s = time.perf_counter() - begun
    return Many(segments, one_s, bulk_s, bulk_ready_s, median(adopted), median(events), restart_s)


def table(run: Many) -> list[str]:
    few, many = min(run.one_s), max(run.one_s)
    rows = (
        (f"create one, beside {few:,} others", run.one_s[few] * 1_000, "ms", "≤ 15"),
        (f"create one, beside {many:,} others", run.one_s[many] * 1_000, "ms", "≤ 15"),
        (f"create {run.segments:,} in one request", run.bulk_s, "s", "≤ 30"),
        ("the same, until all are ready", run.bulk_ready_s, "s", ""),
        ("one more by an attribute, until it is ready", run.adopted_s, "s", "≤ 1"),
        ("one more by events, until it is ready", run.adopted_events_s, "s", ""),
        ("an evaluator's start, until it owns its partitions", run.restart_s, "s", "≤ 5"),
    )
    lines = ["| | measured | wanted |", "|---|---|---|"]
    lines += [f"| {what} | {value:,.2f} {unit} | {wanted} |" for what, value, unit, wanted in rows]
    return lines


def _profiles() -> list[Event]:
    now_ms = time.time_ns() // 1_000_000
    return [
        Event(
            f"e{number}",
            workload.WORKSPACE,
            f"profile-{number}",
            PROFILE,
            now_ms - 1_000,
            {
                "attributes": {
                    "city": f"city{number}",
                    "country": "DE",
                    "age": 18 + number % 60,
                    "points": number,
                }
            },
        )
        for number in range(PROFILES)
    ]


def _city(number: int) -> dict[str, Any]:
    return workload.attribute("city", "eq", f"city{number}")


def _bought(number: int) -> dict[str, Any]:
    return workload.event("order_placed", "30d", **workload.where("product_id", f"p{number}"))


async def _whole(client: httpx.AsyncClient) -> None:
    """The api creates nothing before the evaluator has applied what it met in the log."""
    body = {"id": "first", "name": "first", "definition": _city(0)}
    while (
        answer := await client.post("/v1/segments", json=body)
    ).status_code == httpx.codes.SERVICE_UNAVAILABLE:
        await asyncio.sleep(LOOK_S)
    answer.raise_for_status()


async def _ones(client: httpx.AsyncClient, bodies: list[dict[str, Any]]) -> float:
    seconds = []
    for body in bodies:
        begun = time.perf_counter()
        (await client.post("/v1/segments", json=body)).raise_for_status()
        seconds.append(time.perf_counter() - begun)
    return median(seconds)


async def _ready(client: httpx.AsyncClient, ids: list[str]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        for id_ in ids:
            while (await client.get(f"/v1/segments/{id_}")).json()["state"] != "ready":
                await asyncio.sleep(LOOK_S)


async def _adopted(client: httpx.AsyncClient, id_: str, definition: dict[str, Any]) -> float:
    begun = time.perf_counter()
    body = {"id": id_, "name": id_, "definition": definition}
    (await client.post("/v1/segments", json=body)).raise_for_status()
    await _ready(client, [id_])
    return time.perf_counter() - begun


@asynccontextmanager
async def _started(service: Service) -> AsyncIterator[None]:
    await service.start()
    try:
        await service.ready(print)
        yield
    finally:
        await service.stop()
