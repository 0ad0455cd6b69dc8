"""Lag and ownership as the api shows them, also while no evaluator runs."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import httpx
from msgspec.structs import replace

from livesegments.core.event import Event
from livesegments.runtime.embedded.stack import Stack
from livesegments.wire.topics import partition_of
from tests.services.api.conftest import ADMIN_KEY, Client, emptied, running, settings, until
from tests.services.evaluator.rig import PARTITIONS, rig

T = 1_700_000_000_000
HOME = partition_of("w", "ann", PARTITIONS)


async def gauge(client: httpx.AsyncClient, name: str, partition: int) -> float | None:
    text = (await client.get("/metrics")).text
    found = re.search(rf'^{name}{{partition="{partition}"}} (\S+)$', text, re.MULTILINE)
    return None if found is None else float(found[1])


async def test_a_dead_evaluator_leaves_its_lag_visible_and_the_api_not_ready(
    stack: Stack, tmp_path: Path
) -> None:
    await emptied(stack)
    async with (
        rig(stack, tmp_path) as evaluation,
        running(replace(settings(stack), unowned_ms=500), wait=False) as url,
        Client(url, None) as client,
    ):

        async def unready() -> bool:
            answer = await client.get("/readyz")
            return answer.status_code == 503 and "No evaluator has partition 0, 1, 2" in answer.text

        async def ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        async def owned() -> bool:
            return await gauge(client, "livesegments_api_partition_owned", HOME) == 1

        async def behind() -> bool:
            return await gauge(client, "livesegments_api_partition_lag_records", HOME) == 3

        await until(unready)  # nobody has ever been there
        evaluator = evaluation.start()
        await until(ready)
        await until(owned)
        evaluator.child.signal(signal.SIGKILL)
        await evaluation.send((Event(str(n), "w", "ann", "seen", T, {}) for n in range(3)), size=1)
        await until(behind)
        await until(unready)
        assert not await owned()
        async with Client(url, ADMIN_KEY) as admin:
            course = (await admin.get("/v1/lag/course")).json()
        assert [each["records"] for each in course["points"]] == [3] and course["step_s"] == 15
        evaluation.start()
        await until(ready)


async def test_the_api_shows_its_own_metrics_alone(stack: Stack) -> None:
    await emptied(stack)
    async with running(settings(stack)) as url, Client(url, None) as client:
        text = (await client.get("/metrics")).text
    assert "livesegments_api_requests_total" in text
    assert "livesegments_evaluator" not in text and "livesegments_ingest" not in text
