"""Which definition explains whether a profile was in a segment, while its partition is being brought to a new one."""

from __future__ import annotations

from typing import Any

from livesegments.api.web.times import iso
from livesegments.core.event import Transition
from livesegments.store import keys
from livesegments.store.adoption import Served, Switch, encode
from livesegments.wire.topics import partition_of
from tests.services.api.conftest import Client
from tests.services.api.past import DAY_MS, ORDERED, START_MS, History, history, served, shop

__all__ = ["history", "served", "shop"]

MINUTE_MS = 60_000


async def test_a_profile_that_the_new_definition_has_not_come_to_is_explained_by_the_old_one(
    shop: Client, history: History
) -> None:
    """Its partition switched at the start, and came to ann three minutes later, to bob in five."""
    await shop.segment("buyers", ORDERED)
    longer = {"definition": {**ORDERED, "window": {"last": "30d"}}}
    await shop.patch("/v1/segments/buyers", json=longer, headers={"If-Match": "*"})
    for number in range(8):
        before = (Switch(1, START_MS - 90 * DAY_MS),)
        stored = encode(Served(2, 0, 0, since_ms=START_MS, before=before))
        await history.redis.hset(keys.served(number, shop.workspace), "buyers", stored)
    home = partition_of(shop.workspace, "ann", 8)
    bob = next(f"p{n}" for n in range(99) if partition_of(shop.workspace, f"p{n}", 8) == home)
    for profile, minutes in (("ann", 3), (bob, 5)):
        at_ms = START_MS + minutes * MINUTE_MS
        told = Transition(
            profile, shop.workspace, "buyers", profile, "entered", at_ms, 1, "backfill", None, 2
        )
        await history.happened(profile, "ordered", -20, [told])
    await history.happened("cy", "visited", 1)

    async def was(profile: str, minutes: float) -> tuple[Any, Any, Any]:
        at = iso(START_MS + round(minutes * MINUTE_MS))
        answer = await shop.get("/v1/segments/buyers/was", params={"at": at, "profile": profile})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["definition"]["window"] == {"last": {1: "7d", 2: "30d"}[found["why_version"]]}
        return found["in"], found["why_version"], found["why"][0]["holds"]

    assert await was("ann", -1) == await was("ann", 1) == (False, 1, False)
    assert await was("ann", 4) == (True, 2, True)
    assert await was(bob, 4) == (False, 1, False)
    assert await was(bob, 6) == (True, 2, True)
