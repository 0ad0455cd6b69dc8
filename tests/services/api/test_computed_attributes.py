"""Computed attributes: put, asked about by segments, edited, deleted."""

from __future__ import annotations

from tests.services.api.conftest import Client

SPENT = {"name": "order", "window": {"last": "90d"}, "measure": {"of": "sum", "property": "total"}}
BIG = {"type": "attribute", "name": "computed:spent", "op": "gt", "value": 300}


async def test_one_is_put_asked_about_edited_and_deleted(shop: Client) -> None:
    unknown = await shop.post("/v1/segments", json={"id": "big", "name": "big", "definition": BIG})
    assert [(each["pointer"], each["code"]) for each in unknown.json()["errors"]] == [
        ("/definition/name", "unknown_computed_attribute")
    ]
    put = await shop.put("/v1/computed-attributes/spent", json={**SPENT, "description": "What it spent."})
    assert put.status_code == 200, put.text
    made = put.json()
    assert (made["definition"], made["gives"], made["version"], made["used_by"]) == (SPENT, "number", 1, [])
    assert made["state"] == "building"  # nobody evaluates here

    assert (await shop.segment("big", BIG))["definition"] == BIG
    again = (await shop.put("/v1/computed-attributes/spent", json={**SPENT, "description": "Else"})).json()
    assert (again["version"], again["description"], again["used_by"]) == (1, "Else", ["big"])
    assert (await shop.get("/v1/segments/big")).json()["definition_version"] == 1

    edited = {**SPENT, "window": {"last": "30d"}}
    assert (await shop.put("/v1/computed-attributes/spent", json=edited)).json()["version"] == 2
    segment = (await shop.get("/v1/segments/big")).json()
    assert (segment["definition_version"], segment["definition"]) == (2, BIG)

    odd = await shop.put("/v1/computed-attributes/spent", json={**SPENT, "measure": {"of": "last_at"}})
    assert odd.status_code == 409 and "'big'" in odd.json()["errors"][0]["message"]
    listed = (await shop.get("/v1/computed-attributes")).json()["computed_attributes"]
    assert [(each["id"], each["definition"]) for each in listed] == [("spent", edited)]
    assert (await shop.get("/v1/segments")).json()["segments"][0]["id"] == "big"
    assert (await shop.get("/v1/segments/computed:spent")).status_code == 404

    refused = await shop.delete("/v1/computed-attributes/spent")
    assert refused.status_code == 409 and "'big'" in refused.json()["errors"][0]["message"]
    assert (await shop.delete("/v1/segments/big")).status_code == 204
    assert (await shop.delete("/v1/computed-attributes/spent")).status_code == 204
    assert (await shop.get("/v1/computed-attributes/spent")).status_code == 404
    assert (await shop.put("/v1/computed-attributes/spent", json=SPENT)).json()["version"] == 3


async def test_all_faults_are_said_at_once(shop: Client) -> None:
    wrong = {"names": ["a"], "window": {"last": "x"}, "measure": {"of": "mode"}}
    found = await shop.put("/v1/computed-attributes/a", json=wrong)
    assert found.status_code == 422
    assert {(each["pointer"], each["code"]) for each in found.json()["errors"]} == {
        ("/names", "wrong_length"),
        ("/window/last", "bad_duration"),
        ("/measure", "missing_field"),
    }
    transitions = {"name": "$segment_entered", "measure": {"of": "count"}}
    found = await shop.put("/v1/computed-attributes/a", json=transitions)
    assert [each["code"] for each in found.json()["errors"]] == ["missing_field"]


async def test_what_it_depends_on_stays(shop: Client) -> None:
    await shop.segment("vip", {"type": "tag", "name": "vip"})
    await shop.put("/v1/value-lists/skus", json={"values": ["a"]})
    entered = [{"property": "segment", "op": "eq", "value": "vip"}]
    visits = {"name": "$segment_entered", "where": entered, "measure": {"of": "count"}}
    assert (await shop.put("/v1/computed-attributes/visits", json=visits)).status_code == 200
    listed = [{"property": "sku", "op": "in", "value_list": "skus"}]
    views = {"name": "view", "where": listed, "measure": {"of": "last_at"}}
    put = await shop.put("/v1/computed-attributes/views", json=views)
    assert put.status_code == 200 and put.json()["definition"] == views
    assert (await shop.delete("/v1/segments/vip")).status_code == 409
    assert (await shop.delete("/v1/value-lists/skus")).status_code == 409
    await shop.put("/v1/value-lists/skus", json={"values": ["b"]})
    assert (await shop.get("/v1/computed-attributes/views")).json()["version"] == 2
    asks = {"type": "attribute", "name": "computed:visits", "op": "gte", "value": 2}
    circle = await shop.patch("/v1/segments/vip", json={"definition": asks}, headers={"If-Match": '"1"'})
    assert [each["code"] for each in circle.json()["errors"]] == ["cycle"]
