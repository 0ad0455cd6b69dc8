"""Where a real evaluator lags, the workspace that makes it lag has to wait, and no other."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import httpx
from redis.asyncio import Redis

from livesegments.ingest import app as ingest
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.settings import Settings
from livesegments.store import keys
from livesegments.store.catalog import digest
from livesegments.wire import catalog
from tests.services.evaluator.rig import Evaluator, rig
from tests.services.ingest.rig import write_catalog

LOUD, CALM = ("write", ""), ("calm", "")
EVENT = {"type": "track", "userId": "u", "event": "e"}
SLOW = """
import time
from livesegments.evaluator import app
from livesegments.evaluator.commits.partition import Partition
apply = Partition.apply
def slowly(*given, **named):
    time.sleep(0.1)
    return apply(*given, **named)
Partition.apply = slowly
app.main()
"""
"""An evaluator that a planted fault keeps from more than ten records a second."""


async def test_who_makes_a_real_evaluator_lag_has_to_wait_and_no_other(
    clean_stack: Stack, tmp_path: Path
) -> None:
    await write_catalog(clean_stack.redis)
    async with Redis.from_url(clean_stack.redis) as redis:
        await redis.hset(keys.CATALOG_WORKSPACES, "calm", catalog.encode(_workspace("calm")))
        key = catalog.Key(digest("calm"), "calm", "calm", ("ingest",), 0)
        await redis.hset(keys.CATALOG_KEYS, key.digest, catalog.encode(key))
    async with rig(clean_stack, tmp_path) as made:
        for workspace in ("shop", "calm"):
            await made.workspace(workspace)
        slow = Evaluator(clean_stack, tmp_path / "slow.log", "wall")
        slow.child.command = [sys.executable, "-c", SLOW]
        slow.child.start()
        made.evaluators.append(slow)
        await made.until(slow.ready)
        settings = Settings(kafka=clean_stack.kafka, redis=clean_stack.redis)
        async with ingest.serving(settings) as url, httpx.AsyncClient(base_url=url, trust_env=False) as http:
            async with asyncio.timeout(60):
                sent = 0
                while (loud := await http.post("/v1/track", json=EVENT, auth=LOUD)).status_code == 200:
                    sent += 1
                    if sent % 20 == 0:
                        calm = await http.post("/v1/track", json=EVENT, auth=CALM)
                        assert calm.status_code == 200
            assert (loud.status_code, loud.json()["code"]) == (429, "quota_saturated")
            assert int(loud.headers["retry-after"]) >= 1
            calm = await http.post("/v1/track", json=EVENT, auth=CALM)
            assert calm.status_code == 200, "the other goes on"


def _workspace(id_: str) -> catalog.Workspace:
    return catalog.Workspace(id_, id_, "UTC", 0)
