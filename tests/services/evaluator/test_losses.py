"""Redis goes back, goes empty, or has no room, under a running evaluator; it mends by itself."""

from __future__ import annotations

import json
from typing import Any

from livesegments.core.event import Event
from tests.delivery import check_delivery
from tests.services.evaluator.buying import ACTIVE, HOUR, PRO, T, plan
from tests.services.evaluator.rig import Rig

SPENT = {"type": "computed", "name": "bought", "measure": {"of": "sum", "property": "total"}}
ASKED = {"type": "attribute", "name": "computed:spent", "op": "gte", "value": 0.3}
PROFILES = [f"p{number}" for number in range(100)]


async def begun(rig: Rig) -> None:
    """A hundred profiles are pro and have bought once."""
    await rig.workspace()
    await rig.segment("active", ACTIVE)
    await rig.segment("pro", PRO)
    await rig.computed("spent", SPENT)
    await rig.segment("spenders", json.dumps(SPENT | {"asked": ASKED}))
    rig.start()
    await rig.settled()
    await rig.send(plan(f"{p}-plan", p, "pro", T) for p in PROFILES)
    await rig.send(Event(f"{p}-first", "w", p, "bought", T + 1, {"total": 0.1}) for p in PROFILES)
    await rig.settled()


async def buy_again(rig: Rig) -> None:
    await rig.send(Event(f"{p}-second", "w", p, "bought", T + 2, {"total": 0.2}) for p in PROFILES[::2])
    await rig.clock(T + HOUR // 2)
    await rig.settled()


async def check(rig: Rig) -> None:
    """Members are as if nothing had happened, and what was announced twice has its old id."""
    assert await rig.members("active") == set(PROFILES[::2])
    assert await rig.members("pro") == set(PROFILES)
    assert await rig.members("spenders") == set(PROFILES[::2])
    announced = await rig.heard()
    assert len(check_delivery(announced)) == 200
    assert len({each.id for each in announced}) == 200
    told = [each.computed for each in announced if each.segment == "spenders"]
    assert told and all(values == {"spent": 0.3} for values in told)


async def test_redis_taken_back_to_an_old_snapshot_catches_up(evaluation: Rig) -> None:
    rig = evaluation
    await begun(rig)
    old: dict[bytes, Any] = {key: await rig.redis.dump(key) for key in await rig.redis.keys("*")}
    await buy_again(rig)
    async with rig.redis.pipeline(transaction=True) as pipe:
        pipe.flushall()
        for key, value in old.items():
            pipe.restore(key, 0, value)
        await pipe.execute()
    await rig.settled()
    await check(rig)


async def test_redis_emptied_is_filled_again_from_the_log(evaluation: Rig) -> None:
    rig = evaluation
    await begun(rig)
    await buy_again(rig)
    await rig.redis.flushall()
    await rig.settled()
    await check(rig)


async def test_redis_without_room_is_waited_for_and_said(evaluation: Rig) -> None:
    rig = evaluation
    await begun(rig)
    worker = rig.evaluators[0]
    await rig.redis.config_set("maxmemory", "1mb")
    try:
        await rig.send(Event(f"{p}-second", "w", p, "bought", T + 2, {"total": 0.2}) for p in PROFILES[::2])

        async def unready() -> bool:
            return not await worker.ready()

        await rig.until(unready)
    finally:
        await rig.redis.config_set("maxmemory", "0")
    await rig.settled()
    await check(rig)
    assert "OOM" in worker.log.read_text() or "OutOfMemory" in worker.log.read_text()
