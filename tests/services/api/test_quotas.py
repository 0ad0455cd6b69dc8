"""Quotas of a workspace: set by an admin, shown to its own callers, and held to where segments are created."""

from __future__ import annotations

from livesegments.api.segments.editing import MAX_SEGMENTS, QUOTA_SEGMENTS
from livesegments.core.names.seen import MAX_NAMES
from livesegments.runtime import metrics
from tests.services.api.conftest import CITY, Client

NONE = {"events_per_s": None, "segments": MAX_SEGMENTS, "profiles": None, "names": MAX_NAMES}


async def edit(boss: Client, workspace: str, **quotas: int | None) -> None:
    path = f"/v1/workspaces/{workspace}"
    match = {"If-Match": (await boss.get(path)).headers["ETag"]}
    answer = await boss.patch(path, json={"quotas": quotas}, headers=match)
    assert answer.status_code == 200, answer.text


async def test_quotas_are_set_one_by_one_and_taken_away_with_null(shop: Client, boss: Client) -> None:
    async def shown() -> dict[str, int | None]:
        own = (await shop.get("/v1/workspace")).json()["quotas"]
        assert own == (await boss.get(f"/v1/workspaces/{shop.workspace}")).json()["quotas"]
        return own  # type: ignore[no-any-return]

    assert await shown() == NONE
    await edit(boss, shop.workspace, events_per_s=100, profiles=1_000)
    assert await shown() == NONE | {"events_per_s": 100, "profiles": 1_000}
    await edit(boss, shop.workspace, events_per_s=None, segments=7, names=9)
    assert await shown() == NONE | {"profiles": 1_000, "segments": 7, "names": 9}


async def test_a_quota_is_at_least_one_and_an_admins_to_set(shop: Client, boss: Client) -> None:
    path = f"/v1/workspaces/{shop.workspace}"
    match = {"If-Match": (await boss.get(path)).headers["ETag"]}
    for wrong in (0, -1, "7", 1.5):
        answer = await boss.patch(path, json={"quotas": {"profiles": wrong}}, headers=match)
        assert answer.status_code == 422, wrong
    assert (await boss.patch(path, json={"quotas": {"other": 1}}, headers=match)).status_code == 422
    assert (await shop.patch(path, json={"quotas": {"profiles": 1}}, headers=match)).status_code == 403


async def test_how_long_events_are_kept_is_an_admins_to_set(shop: Client, boss: Client) -> None:
    path = f"/v1/workspaces/{shop.workspace}"

    async def shown() -> int:
        return int((await boss.get(path)).json()["history_days"])

    async def put(who: Client, days: object) -> int:
        match = {"If-Match": (await boss.get(path)).headers["ETag"]}
        return (await who.patch(path, json={"history_days": days}, headers=match)).status_code

    assert await shown() == 0, "for ever, as the services' settings have it"
    assert await put(boss, 365) == 200
    assert await shown() == (await shop.get("/v1/workspace")).json()["history_days"] == 365
    for wrong in (-1, "7", 1.5, 10**9):
        assert await put(boss, wrong) == 422, wrong
    assert await put(shop, 1) == 403
    assert (await shown(), await put(boss, None), await shown()) == (365, 200, 0)


async def test_segments_beyond_the_quota_are_refused_one_by_one_and_in_a_batch(
    shop: Client, boss: Client
) -> None:
    await edit(boss, shop.workspace, segments=2)
    await shop.make("/v1/segments", id="one", name="One", definition=CITY)
    two = [{"id": id_, "name": id_, "definition": CITY} for id_ in ("two", "three")]
    answer = await shop.post("/v1/segments:batch", json={"segments": two})
    assert answer.status_code == 422
    faults = answer.json()["errors"]
    assert [(each["pointer"], each["code"]) for each in faults] == [("/segments/1", QUOTA_SEGMENTS)]
    await shop.make("/v1/segments", **two[0])
    answer = await shop.post("/v1/segments", json=two[1])
    told = answer.json()
    assert (answer.status_code, told["errors"][0]["code"]) == (409, QUOTA_SEGMENTS)
    assert "2 segments" in told["detail"]
    assert b'livesegments_api_quota_refused_total{quota="segments"}' in metrics.exposition(metrics.API)
    assert (await shop.delete("/v1/segments/one")).status_code == 204
    await shop.make("/v1/segments", **two[1])
