"""Value lists: put, named by segments, replaced, deleted."""

from __future__ import annotations

from tests.services.api.conftest import Client

LISTED = {"type": "attribute", "name": "city", "op": "in", "value_list": "cities"}


async def test_a_list_is_put_named_replaced_and_deleted(shop: Client) -> None:
    unknown = await shop.post("/v1/segments", json={"id": "s", "name": "s", "definition": LISTED})
    assert unknown.status_code == 422
    assert [(each["pointer"], each["code"]) for each in unknown.json()["errors"]] == [
        ("/definition/value_list", "unknown_value_list")
    ]
    put = await shop.put("/v1/value-lists/cities", json={"values": ["Kyiv", "Lviv", "Kyiv", 1, 1.0]})
    assert put.status_code == 200, put.text
    assert (put.json()["version"], put.json()["count"], put.json()["used_by"]) == (1, 3, [])

    made = await shop.segment("s", LISTED)
    assert made["definition"] == LISTED
    same = (await shop.put("/v1/value-lists/cities", json={"values": [1, "Lviv", "Kyiv"]})).json()
    assert (same["version"], same["used_by"]) == (1, ["s"])
    assert (await shop.get("/v1/segments/s")).json()["definition_version"] == 1

    replaced = (await shop.put("/v1/value-lists/cities", json={"values": ["Odesa"]})).json()
    assert (replaced["version"], replaced["count"]) == (2, 1)
    segment = (await shop.get("/v1/segments/s")).json()
    assert (segment["definition_version"], segment["definition"]) == (2, LISTED)
    assert (await shop.get("/v1/value-lists/cities/values")).json()["values"] == ["Odesa"]
    listed = (await shop.get("/v1/value-lists")).json()["value_lists"]
    assert [(each["id"], each["used_by_count"]) for each in listed] == [("cities", 1)]

    refused = await shop.delete("/v1/value-lists/cities")
    assert refused.status_code == 409 and "'s'" in refused.json()["errors"][0]["message"]
    assert (await shop.delete("/v1/segments/s")).status_code == 204
    assert (await shop.delete("/v1/value-lists/cities")).status_code == 204
    assert (await shop.get("/v1/value-lists/cities")).status_code == 404
    again = (await shop.put("/v1/value-lists/cities", json={"values": []})).json()
    assert (again["version"], again["count"]) == (3, 0)


async def test_a_large_list_travels_in_parts_and_is_read_in_pages(shop: Client) -> None:
    values = [f"sku-{number:020d}" for number in range(30_000)]
    put = await shop.put("/v1/value-lists/skus", json={"values": values})
    assert put.json()["count"] == 30_000
    page = (await shop.get("/v1/value-lists/skus/values", params={"limit": 10_000})).json()
    found = page["values"]
    while page["next_cursor"]:
        query = {"limit": 10_000, "cursor": page["next_cursor"]}
        page = (await shop.get("/v1/value-lists/skus/values", params=query)).json()
        found += page["values"]
    assert found == values
    many = await shop.put("/v1/value-lists/many", json={"values": list(range(1_000_000))})
    assert (many.status_code, many.json()["count"]) == (200, 1_000_000), many.text
    page = (await shop.get("/v1/value-lists/many/values", params={"limit": 10})).json()
    assert page["values"] == [0, 1, 10, 100, 1000, 10000, 100000, 100001, 100002, 100003]
    more = await shop.put("/v1/value-lists/more", json={"values": list(range(1_000_001))})
    assert (more.status_code, more.json()["errors"][0]["pointer"]) == (422, "/values")
    refused = await shop.put("/v1/value-lists/skus", json={"values": [True, None, "a\0"]})
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/values/0", "/values/1", "/values/2"]
    assert refused.json()["errors"][1]["message"] == "must be a string or a number, not null"
