"""A workspace that is degraded says so, and its ETag does, too."""

from __future__ import annotations

from redis.asyncio import Redis

from livesegments.runtime.embedded.stack import Stack
from livesegments.store import degraded, keys
from tests.services.api.conftest import Client


async def test_the_etag_changes_with_what_is_degraded(boss: Client, shop: Client, stack: Stack) -> None:
    path = f"/v1/workspaces/{shop.workspace}"
    well = (await boss.get(path)).headers["ETag"]
    assert (await boss.get(path, headers={"If-None-Match": well})).status_code == 304
    seen = [well]
    async with Redis.from_url(stack.redis) as redis:
        for state in (degraded.Degraded(events=1, last_ms=1), degraded.Degraded(plan="OverflowError()")):
            await redis.hset(keys.degraded(1), shop.workspace, degraded.encode(state))
            answer = await boss.get(path, headers={"If-None-Match": ", ".join(seen)})
            assert answer.status_code == 200 and answer.json()["degraded"]["plan"] == state.plan
            own = await shop.get("/v1/workspace")
            assert own.json()["degraded"] == answer.json()["degraded"], "its own keys see it, too"
            seen.append(answer.headers["ETag"])
            again = await boss.get(path, headers={"If-None-Match": seen[-1]})
            assert (again.status_code, again.headers["ETag"]) == (304, seen[-1])
        assert len(set(seen)) == 3
        edited = await boss.patch(path, json={"name": "new"}, headers={"If-Match": seen[-1]})
        assert edited.status_code == 200, "what was read may be edited, degraded or not"
        await redis.hset(keys.degraded(1), shop.workspace, degraded.encode(degraded.Degraded()))
    answer = await boss.get(path)
    assert answer.headers["ETag"] == edited.headers["ETag"] and answer.json()["degraded"] is None
