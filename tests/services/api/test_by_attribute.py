"""A segment for every value of an attribute: the values come from history, with their numbers of profiles."""

from __future__ import annotations

from typing import Any

import pytest

from livesegments.api.segments import by_attribute
from livesegments.core.event import PROFILE
from tests.services.api.conftest import Client
from tests.services.api.past import History, history, served, shop

__all__ = ["history", "served", "shop"]
PLACE = "/v1/segments/by-attribute"
CITY = {"attribute": "city"}


async def lives(history: History, since: int = 0, **cities: Any) -> None:
    for day, (profile, city) in enumerate(cities.items(), since):
        await history.happened(profile, PROFILE, day, attributes={"city": city})


async def test_values_become_segments_once_and_new_ones_when_it_is_repeated(
    shop: Client, history: History
) -> None:
    await lives(history, ann="Kyiv", bob="Lviv", cy="Kyiv", dan=["a", "b"], eve=7, fay=True, gus="KYIV")
    await history.archived()
    await lives(history, 10, bob="Odesa", hal=7.0)
    kyiv = await shop.segment("kyiv", {"type": "attribute", "name": "city", "op": "eq", "value": "Kyiv"})
    seen = (await shop.post(f"{PLACE}/preview", json=CITY)).json()
    assert not seen["more"]
    assert [(each["value"], each["count"], each["segment"]) for each in seen["values"]] == [
        ("Kyiv", 2, kyiv["id"]), (7, 2, None), ("KYIV", 1, None), ("Odesa", 1, None), (True, 1, None),
    ]  # fmt: skip
    await shop.segment("other", name="city: odesa")
    made = await shop.make(PLACE, **CITY, folder="Cities", tags=["city"])
    assert made["kept"] == 1
    names = [(each["name"], each["value"]) for each in made["segments"]]
    assert names == [
        ("city: 7", 7),
        ("city: KYIV", "KYIV"),
        ("city: Odesa (2)", "Odesa"),
        ("city: true", True),
    ]
    found = (await shop.get("/v1/segments", params={"folder": "Cities", "tag": "city"})).json()["segments"]
    assert {each["definition"]["op"] for each in found} == {"eq"} and len(found) == 4
    await lives(history, 20, ira="Dnipro")
    again = await shop.make(PLACE, **CITY, name="Lives in {value}")
    assert [each["name"] for each in again["segments"]] == ["Lives in Dnipro"] and again["kept"] == 5
    assert (await shop.make(PLACE, **CITY))["segments"] == []


async def test_too_many_values_and_a_name_without_one_are_refused(
    shop: Client, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lives(history, ann="Kyiv", bob="Lviv", cy="Odesa")
    unnamed = await shop.post(PLACE, json={**CITY, "name": "City"})
    assert [each["code"] for each in unnamed.json()["errors"]] == ["no_value"]
    monkeypatch.setattr(by_attribute, "MOST", 2)
    seen = (await shop.post(f"{PLACE}/preview", json=CITY)).json()
    assert seen["more"] and len(seen["values"]) == 2
    refused = await shop.post(PLACE, json=CITY)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "too_many_values")
    assert (await shop.get("/v1/segments")).json()["segments"] == []


async def test_an_attribute_that_nobody_has_makes_nothing(shop: Client, history: History) -> None:
    await lives(history, ann="Kyiv")
    none = {"attribute": "colour"}
    assert (await shop.post(f"{PLACE}/preview", json=none)).json()["values"] == []
    assert await shop.make(PLACE, **none) == {"segments": [], "kept": 0}


async def test_what_is_no_attribute_of_history_is_refused(shop: Client) -> None:
    orders = {"name": "order", "window": {"last": "7d"}, "measure": {"of": "count"}}
    assert (await shop.put("/v1/computed-attributes/orders", json=orders)).is_success
    codes = []
    for name in ("tags", "computed:nobody", "computed:orders"):
        for place in (PLACE, f"{PLACE}/preview"):
            refused = await shop.post(place, json={"attribute": name})
            assert refused.status_code == 422
            codes += [(each["pointer"], each["code"]) for each in refused.json()["errors"]]
    assert [code for _, code in codes[::2]] == [
        "wrong_node",
        "unknown_computed_attribute",
        "computed_attribute",
    ]
    assert codes[::2] == codes[1::2] and {pointer for pointer, _ in codes} == {"/attribute"}
