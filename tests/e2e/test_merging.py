"""Segment's basic flow on the real parts: an anonymous visit, `identify` with both ids, and who is in the segment."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.test_up import Up

KEEN = {"type": "event", "name": "Product Viewed", "value": 1_500}
"""Counts to more than one record of 500, and more than the 1,000 ids that are known."""
BROWSED = {"type": "attribute", "name": "landing", "op": "eq", "value": "/sale"}
VIEWS = 1_500
PATIENCE_S = 60.0


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_what_was_done_before_identify_counts_for_the_known_profile(tmp_path: Path) -> None:
    up = await Up(tmp_path).start()
    try:
        async with (
            httpx.AsyncClient(
                base_url=up.told["api"], headers=_bearer(up.told["api_key"]), timeout=30
            ) as api,
            httpx.AsyncClient(
                base_url=up.told["ingest"], headers=_bearer(up.told["write_key"]), timeout=30
            ) as ingest,
        ):
            await _flow(api, ingest)
    finally:
        up.process.send_signal(signal.SIGTERM)
        await up.process.wait()


async def _flow(api: httpx.AsyncClient, ingest: httpx.AsyncClient) -> None:
    async def profile(id_: str) -> Any:
        return (await api.get(f"/v1/profiles/{id_}")).json()

    async def segments(id_: str) -> set[str]:
        return {each["id"] for each in (await profile(id_)).get("segments", ())}

    for id_, definition in (("keen", KEEN), ("browsed", BROWSED)):
        made = await api.post("/v1/segments", json={"id": id_, "name": id_, "definition": definition})
        assert made.status_code == 201, made.text
    visit = [{"type": "identify", "anonymousId": "a-1", "messageId": "i0", "traits": {"landing": "/sale"}}]
    visit += [
        {"type": "track", "anonymousId": "a-1", "messageId": f"v{number}", "event": "Product Viewed"}
        for number in range(VIEWS)
    ]
    for start in range(0, len(visit), 500):
        sent = await ingest.post("/v1/batch", json={"batch": visit[start : start + 500]})
        assert sent.json()["accepted"] == len(visit[start : start + 500]), sent.text

    async def visited() -> bool:
        return await segments("anonymous:a-1") == {"keen", "browsed"}

    await until(visited)
    known = {"userId": "ann", "anonymousId": "a-1", "messageId": "i1", "traits": {"plan": "pro"}}
    for _ in range(2):  # a repeat changes nothing
        assert (await ingest.post("/v1/identify", json=known)).json()["accepted"] == 1

    async def merged() -> bool:
        return await segments("ann") == {"keen", "browsed"}

    await until(merged)
    assert (await profile("ann"))["attributes"] == {"landing": "/sale", "plan": "pro"}
    gone = await profile("anonymous:a-1")
    assert gone["merged_into"] == "ann" and gone["segments"] == [] and gone["attributes"] == {}
    members = (await api.get("/v1/segments/keen/members")).json()
    assert [each["profile"] if isinstance(each, dict) else each for each in members["members"]] == ["ann"]
    explained = await api.get("/v1/segments/keen/explanations/anonymous:a-1")
    assert explained.status_code == 404

    once = {
        "id": "once",
        "name": "once",
        "definition": {"type": "event", "name": "Order", "value": 1, "op": "eq"},
    }
    assert (await api.post("/v1/segments", json=once)).status_code == 201
    late = {"anonymousId": "a-1", "messageId": "o1", "event": "Order"}
    for _ in range(2):
        assert (await ingest.post("/v1/track", json=late)).status_code == 200

    async def ordered() -> bool:
        return "once" in await segments("ann")

    await until(ordered)
    exact = {"type": "event", "name": "Product Viewed", "op": "eq", "value": VIEWS}
    preview = await api.post("/v1/segments/preview", json={"definition": exact})
    assert preview.status_code == 200, preview.text
    assert preview.json()["count"] == 1, preview.text
    later = {"id": "exact", "name": "exact", "definition": exact}
    assert (await api.post("/v1/segments", json=later)).status_code == 201

    async def filled() -> bool:
        return (await segments("ann")) == {"keen", "browsed", "once", "exact"}

    await until(filled)
    moves = await api.get("/v1/timelines/anonymous:a-1?limit=5")
    assert "merge" in moves.text


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
