"""Segments checked before they are created, and the workspace of a key."""

from __future__ import annotations

from typing import Any

from tests.services.api.conftest import CITY, Client


def dynamic(id_: str, definition: Any = CITY, **more: Any) -> dict[str, Any]:
    return {"id": id_, "name": id_, "definition": definition, **more}


async def check(shop: Client, *segments: Any, upsert: bool = False) -> list[Any]:
    answer = await shop.post("/v1/segments/check", json={"segments": segments, "upsert": upsert})
    assert answer.status_code == 200, answer.text
    results: list[Any] = answer.json()["results"]
    return results


async def test_every_fault_of_every_segment_is_named_and_nothing_is_created(shop: Client) -> None:
    await shop.segment("there")
    results = await check(
        shop,
        dynamic("good"),
        dynamic("bad", {"type": "attribute", "name": "a", "op": "=="}, surplus=1),
        {"name": "no definition"},
        dynamic("there", name="there too"),
        {"id": "other", "name": "there", "type": "static"},
        7,
    )
    pointers = [{fault["pointer"] for fault in result["errors"]} for result in results]
    assert pointers == [set(), {"/definition/op", "/surplus"}, {"/definition"}, {"/id"}, {"/name"}, {""}]
    assert [each["id"] for each in (await shop.get("/v1/segments")).json()["segments"]] == ["there"]


async def test_a_segment_may_refer_to_those_before_it_and_takes_their_names(shop: Client) -> None:
    to_base = {"type": "segment", "id": "base"}
    before = await check(shop, dynamic("base"), dynamic("top", to_base), dynamic("also", CITY, name="base"))
    assert [[fault["code"] for fault in each["errors"]] for each in before] == [[], [], ["taken"]]
    after = await check(shop, dynamic("top", to_base), dynamic("base"))
    assert [bool(each["errors"]) for each in after] == [True, False]


async def test_with_upsert_what_is_there_would_be_edited_or_left(shop: Client) -> None:
    await shop.segment("same", tags=["t"])
    await shop.segment("other")
    await shop.segment("fixed", type="static")
    results = await check(
        shop,
        dynamic("same", tags=["t"]),
        dynamic("other", description="new"),
        dynamic("fixed"),
        {"id": "fixed", "name": "fixed", "type": "static"},
        dynamic("new"),
        dynamic("new", description="again"),
        dynamic("other", {"type": "segment", "id": "other"}),
        upsert=True,
    )
    assert [each["action"] for each in results] == ["none", "edit", "edit", "none", "create", "edit", "edit"]
    assert [bool(each["errors"]) for each in results] == [False, False, True, False, False, False, True]


async def test_a_key_reads_the_name_and_zone_of_its_workspace(shop: Client, boss: Client) -> None:
    own = (await shop.get("/v1/workspace")).json()
    assert own["id"] == shop.workspace and own["timezone"] == "UTC"
    chosen = await boss.get("/v1/workspace", headers={"X-Workspace": shop.workspace})
    assert chosen.json() == own
    assert (await boss.get("/v1/workspace")).status_code == 403
