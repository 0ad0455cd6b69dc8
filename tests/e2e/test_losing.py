"""What the product promises of history, on the whole of it: nothing is missed while a segment is made, its Redis may lose
everything, and who is erased is in no key and no file.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from tests.e2e.test_up import Up
from tests.services.evaluator.canary import in_files, in_redis

PROFILES = [f"p{number}" for number in range(40)]
ROUNDS = 12
DAYS = range(30, 34)
PATIENCE_S = 90.0
CANARY = "canary-7c1e"
SECRET = "swallow-91"
KEPT = ("valkey", "archive", "exports", "imports")
"""Folders of the data folder; the broker's is left out."""
FILE = f"id,since\n{CANARY},{SECRET}\nbob,2024-01-31\n"


class Shop:
    """A running product, and a caller of it."""

    def __init__(self, up: Up, api: httpx.AsyncClient, ingest: httpx.AsyncClient) -> None:
        self.up, self.api, self.ingest = up, api, ingest

    async def track(self, id_: str, event: str, *profiles: str) -> None:
        """One event of each, repeated under the same id until it is accepted."""
        calls = [{"type": "track", "userId": p, "event": event, "messageId": f"{id_}-{p}"} for p in profiles]

        async def accepted() -> bool:
            answer = await self.ingest.post("/v1/batch", json={"batch": calls})
            assert answer.status_code in (200, 429, 503), answer.text
            return answer.status_code == 200

        await until(accepted)

    async def create(self, id_: str, definition: Any) -> None:
        body = {"id": id_, "name": id_, "definition": definition}
        made = await self.api.post("/v1/segments", json=body)
        assert made.status_code == 201, made.text

    async def members(self, id_: str) -> list[str] | None:
        """None while that can't be answered."""
        answer = await self.api.get(f"/v1/segments/{id_}/members", params={"limit": 1_000})
        assert answer.status_code in (200, 503), answer.text
        return sorted(answer.json()["members"]) if answer.status_code == 200 else None

    async def has(self, id_: str, *profiles: str) -> None:
        async def so() -> bool:
            return await self.members(id_) == sorted(profiles)

        await until(so)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    async with AsyncExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (("CHECKPOINT_EVERY_S", "1"), ("ARCHIVE_AFTER_S", "0.5")):
                patch.setenv(f"LIVESEGMENTS_{name}", value)
            up = await Up(tmp_path_factory.mktemp("data")).start("--no-console")
        stack.push_async_callback(up.end, signal.SIGTERM)
        api, ingest = [
            await stack.enter_async_context(
                httpx.AsyncClient(
                    base_url=up.told[each], headers={"Authorization": f"Bearer {up.told[key]}"}, timeout=60
                )
            )
            for each, key in (("api", "api_key"), ("ingest", "write_key"))
        ]
        yield Shop(up, api, ingest)


async def test_what_is_accepted_while_a_segment_is_made_counts_once(shop: Shop) -> None:
    """Everybody buys in every round, and segments are made amid them: each counts all rounds, no more, no less."""
    made = asyncio.Event()

    async def rounds() -> None:
        for number in range(ROUNDS):
            if number == ROUNDS - 1:
                await made.wait()
            await shop.track(f"b{number}", "bought", *PROFILES)

    async with asyncio.TaskGroup() as group:
        group.create_task(rounds())
        for days in DAYS:
            definition = {"type": "event", "name": "bought", "window": {"last": f"{days}d"}}
            await shop.create(f"all-{days}", {**definition, "op": "eq", "value": ROUNDS})
            await asyncio.sleep(0)
        made.set()
    for days in DAYS:
        await shop.has(f"all-{days}", *PROFILES)


async def test_redis_without_its_append_only_file_comes_back_by_itself(shop: Shop) -> None:
    """It dies under load, and its file is gone. Until all is there again every answer is right, or a 503."""
    file = shop.up.data / "valkey" / "data"
    refusals: list[str] = []
    ended = asyncio.Event()

    async def read() -> None:
        while not ended.is_set():
            answer = await shop.api.get("/v1/segments/all-30/count")
            body = answer.json()
            if answer.status_code == 503:
                refusals.append(body["detail"])
            else:
                assert (answer.status_code, body.get("count")) == (200, len(PROFILES)), body
            await asyncio.sleep(0.01)

    async def load() -> None:
        number = 0
        while not ended.is_set():
            await shop.track(f"n{number}", "seen", *PROFILES[:5])
            number += 1

    async with asyncio.TaskGroup() as group:
        group.create_task(read())
        group.create_task(load())
        await asyncio.sleep(1.5)  # a checkpoint and a file of the archive lie in between
        async with Redis.from_url(shop.up.told["redis"]) as redis:
            valkey = (await redis.info("server"))["process_id"]
        os.kill(valkey, signal.SIGSTOP)
        shutil.rmtree(file)
        file.mkdir()
        os.kill(valkey, signal.SIGKILL)

        async def refused() -> bool:
            return bool(refusals)

        await until(refused)
        for days in DAYS:
            await shop.has(f"all-{days}", *PROFILES)
        ended.set()
    assert any("partition" in each for each in refusals), refusals[:3]
    await shop.track("after", "bought", *PROFILES[:7])
    await shop.has("all-30", *PROFILES[7:])


async def test_who_is_erased_is_in_no_key_and_no_file(shop: Shop) -> None:
    """State, history, a list, an export, an import with a refused row, and the file of Redis itself."""
    api = shop.api
    traits = {"userId": CANARY, "messageId": f"{SECRET}-i", "traits": {"nick": SECRET}}
    assert (await shop.ingest.post("/v1/identify", json=traits)).status_code == 200
    await shop.track(SECRET, "paid", CANARY)
    await shop.track("b", "paid", "bob")
    await shop.create("payers", {"type": "event", "name": "paid"})
    await shop.has("payers", CANARY, "bob")
    listed = {"id": "listed", "name": "listed", "type": "static"}
    assert (await api.post("/v1/segments", json=listed)).status_code == 201
    put = await api.post("/v1/segments/listed/members", json={"profiles": [CANARY]})
    assert put.status_code < 300, put.text
    await shop.has("listed", CANARY)
    exported = await _exported(shop)
    imported = await _imported(shop)
    valkey = shop.up.data / "valkey"
    for place in KEPT:
        assert in_files(shop.up.data / place, CANARY), place

    erased = (await api.post("/v1/erasures", json={"profile": CANARY, "at_once": True})).json()

    async def done() -> bool:
        return bool((await api.get(f"/v1/erasures/{erased['id']}")).json()["state"] == "done")

    await until(done)
    for gone in (exported, imported):
        assert (await api.get(gone)).status_code == 410
    await shop.has("payers", "bob")
    async with Redis.from_url(shop.up.told["redis"]) as redis:
        for text in (CANARY, SECRET):

            async def nowhere(text: str = text) -> bool:
                return not await in_redis(redis, text) and not in_files(valkey, text)

            await until(nowhere)
            for place in KEPT:
                assert in_files(shop.up.data / place, text) == []


async def _exported(shop: Shop) -> str:
    made = await shop.api.post("/v1/segments/payers/exports", json={"fields": ["nick"]})
    assert made.status_code in (201, 202), made.text
    path = f"/v1/segments/payers/exports/{made.json()['id']}"
    await _done(shop, path)
    return f"{path}/file"


async def _imported(shop: Shop) -> str:
    """Its refused row names the canary: what is no date is no value of a column of dates."""
    made = await shop.api.post("/v1/imports", json={"file_name": "people.csv"})
    path = f"/v1/imports/{made.json()['id']}"
    await shop.api.put(f"{path}/file", params={"offset": 0}, content=FILE.encode())
    columns = [{"column": "since", "attribute": "since", "type": "date"}]
    begun = await shop.api.post(f"{path}/start", json={"id_column": "id", "columns": columns})
    assert begun.status_code < 300, begun.text
    await _done(shop, path)
    return f"{path}/refused"


async def _done(shop: Shop, path: str) -> None:
    async def done() -> bool:
        state = (await shop.api.get(path)).json()["state"]
        assert state != "failed"
        return bool(state == "done")

    await until(done)
