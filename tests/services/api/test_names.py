"""The names that were seen in a workspace."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from livesegments.core.names.seen import Names, observe
from livesegments.core.names.unseen import DERIVED
from livesegments.runtime.embedded.stack import Stack
from livesegments.store.names import NameStore
from tests.services.api.conftest import Client

NOW_MS = 1_700_000_000_000


async def seen(stack: Stack, workspace: str) -> None:
    """Two orders and two changes of profiles."""
    names: Names = {}
    for city in ("Kyiv", "Kyiv", "Lviv"):
        observe(names, "order", NOW_MS, {"total": 7, "products": [{"sku": "a"}]})
        observe(names, "$profile", NOW_MS, {"city": city, "email": f"{city}@example.org"}, dotted=False)
    async with Redis.from_url(stack.redis) as redis:
        assert await NameStore(redis).add(workspace, names)


async def test_names_are_told_with_types_values_and_when_they_were_last_seen(
    stack: Stack, shop: Client
) -> None:
    await seen(stack, shop.workspace)
    found = (await shop.get("/v1/names")).json()
    order = found["events"][0]
    at = "2023-11-14T22:13:20.000Z"
    assert (order["name"], order["derived"], order["last_seen"], order["complete"]) == (
        "order",
        False,
        at,
        True,
    )
    assert order["properties"] == [
        {"name": "products", "types": ["list"], "last_seen": at, "values": []},
        {"name": "products.sku", "types": ["string"], "last_seen": at, "values": ["a"]},
        {"name": "total", "types": ["number"], "last_seen": at, "values": [7]},
    ]
    assert found["attributes"] == [
        {"name": "city", "types": ["string"], "last_seen": at, "values": ["Kyiv"]},
        {"name": "email", "types": ["string"], "last_seen": at, "values": []},
    ]
    assert {event["name"] for event in found["events"] if event["derived"]} == set(DERIVED)


async def test_names_are_searched_and_of_one_workspace(
    stack: Stack, shop: Client, open_workspace: Any
) -> None:
    await seen(stack, shop.workspace)
    found = (await shop.get("/v1/names", params={"search": "CIT"})).json()
    assert (found["events"], [each["name"] for each in found["attributes"]]) == ([], ["city"])
    other = (await (await open_workspace()).get("/v1/names")).json()
    assert other["attributes"] == [] and all(event["derived"] for event in other["events"])


MISSPELT = {"type": "event", "name": "ordr", "window": {"last": "7d"}}


async def test_a_name_that_was_never_seen_is_a_warning_with_the_nearest(stack: Stack, shop: Client) -> None:
    await seen(stack, shop.workspace)
    made = await shop.segment("misspelt", MISSPELT)
    (warning,) = made["warnings"]
    assert (warning["pointer"], warning["code"]) == ("/definition/name", "unseen_event")
    assert warning["message"].endswith("did you mean 'order'?")
    city = {"type": "attribute", "name": "City", "op": "eq", "value": "Kyiv"}
    edited = await shop.patch("/v1/segments/misspelt", json={"definition": city}, headers={"If-Match": '"1"'})
    assert [each["code"] for each in edited.json()["warnings"]] == ["unseen_attribute"]
    right = {"id": "right", "name": "right", "definition": {**MISSPELT, "name": "order"}}
    body = {"segments": [{**right, "definition": MISSPELT, "id": "a", "name": "a"}, right]}
    checked = (await shop.post("/v1/segments/check", json=body)).json()["results"]
    assert [[each["code"] for each in result["warnings"]] for result in checked] == [["unseen_event"], []]


async def test_what_holds_for_everyone_is_a_warning_and_static_segments_have_none(shop: Client) -> None:
    everyone = {"type": "event", "name": "order", "window": {"last": "7d"}, "op": "gte", "value": 0}
    made = await shop.segment("everyone", everyone)
    assert "always" in [each["code"] for each in made["warnings"]]
    assert (await shop.segment("static", type="static"))["warnings"] == []
    assert "warnings" not in (await shop.get("/v1/segments/everyone")).json()
