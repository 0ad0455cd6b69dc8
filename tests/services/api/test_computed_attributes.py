"""Computed attributes: put, asked about by segments, edited, deleted."""

from __future__ import annotations

from typing import Any

from livesegments.api.fields.computed_attributes import progress_of
from livesegments.api.fields.computed_edits import replacing
from livesegments.store.progress import Progress
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import ComputedAttribute, Workspace, decode
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


def _put(snapshot: Snapshot, document: dict[str, Any], description: str, now_ms: int) -> ComputedAttribute:
    workspace = Workspace("w", "Shop", "UTC", 0)
    (made,) = replacing(snapshot, workspace, "spent", document, description, now_ms)
    entry = decode(made.value)
    assert isinstance(entry, ComputedAttribute)
    return entry


def test_while_one_is_built_its_end_is_estimated_by_the_pace_since_it_was_defined() -> None:
    made = _put(Snapshot("1"), SPENT, "", 1_000)
    later = Snapshot("2", computed=[made])
    described = _put(later, SPENT, "What it spent.", 3_000)
    assert (described.updated_ms, described.defined_ms) == (3_000, 1_000)
    half = Progress("building", 5, 10, 1)
    assert progress_of(described, half, 5_000).estimated_end == "1970-01-01T00:00:09.000Z"
    edited = _put(later, {**SPENT, "window": {"last": "30d"}}, "", 4_000)
    assert edited.defined_ms == 4_000
    assert progress_of(edited, Progress("ready", 10, 10, 2), 5_000).estimated_end is None


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
