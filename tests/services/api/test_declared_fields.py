"""Fields: declared, listed, edited and deleted; definitions are checked against them."""

from __future__ import annotations

import pytest

from tests.services.api.conftest import Client

AGE = {"type": "number", "label": "Age", "description": "In years", "accept_misfits": True}


async def test_one_is_declared_listed_edited_and_deleted(shop: Client) -> None:
    made = await shop.put("/v1/fields/a%2Fge", json=AGE)
    assert made.status_code == 200, made.text
    assert made.json() | {"created_at": "", "updated_at": ""} == {
        "name": "a/ge", "type": "number", "label": "Age", "description": "In years", "choices": [], "format": "",
        "timezone": "", "version": 1, "created_at": "", "updated_at": "", "unfit_segments": [],
    }  # fmt: skip
    assert (await shop.put("/v1/fields/a%2Fge", json=AGE)).json()["version"] == 1
    edited = AGE | {"type": "text", "choices": ["young", "old"]}
    assert (await shop.put("/v1/fields/a%2Fge", json=edited)).json()["version"] == 2
    assert [each["name"] for each in (await shop.get("/v1/fields")).json()["fields"]] == ["a/ge"]
    assert (await shop.get("/v1/fields/a%2Fge")).json()["choices"] == ["young", "old"]
    assert (await shop.delete("/v1/fields/a%2Fge")).status_code == 204
    assert (await shop.delete("/v1/fields/a%2Fge")).status_code == 404
    assert (await shop.get("/v1/fields")).json() == {"fields": []}


async def test_a_definition_must_fit_the_declared_types(shop: Client) -> None:
    await shop.put("/v1/fields/age", json=AGE)
    old = {"type": "attribute", "name": "age", "op": "gte", "value": "18"}
    refused = await shop.post("/v1/segments", json={"id": "adults", "name": "adults", "definition": old})
    assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == [
        ("/definition/value", "wrong_type")
    ]
    await shop.segment("adults", old | {"value": 18})
    texts = await shop.put("/v1/fields/age", json=AGE | {"type": "text"})
    assert texts.json()["unfit_segments"] == ["adults"]
    kept = await shop.patch("/v1/segments/adults", json={"name": "grown up"}, headers={"If-Match": "*"})
    assert kept.status_code == 200, kept.text


@pytest.mark.parametrize(
    ("name", "body", "faults"),
    [
        ("tags", {"type": "list"}, [("/name", "reserved_name")]),
        ("created_at", {"type": "text"}, [("/type", "wrong_type")]),
        ("computed:x", {"type": "text"}, [("/name", "reserved_name")]),
        ("a", {"type": "date", "format": "DD.MM"}, [("/format", "bad_format")]),
        ("a", {"type": "date", "timezone": "Mars/Base"}, [("/timezone", "timezone")]),
        ("score", {"type": "text"}, [("/type", "wrong_type")]),
        ("groups", {"type": "text"}, [("/type", "wrong_type")]),
        (
            "a",
            {"type": "text", "format": "DD/MM/YYYY", "timezone": "UTC"},
            [("/format", "no_meaning"), ("/timezone", "no_meaning")],
        ),
        ("a", {"type": "number", "choices": [1, "2"]}, [("/choices/1", "wrong_type")]),
        ("a", {"type": "point", "choices": ["x"]}, [("/choices", "no_meaning")]),
    ],
)
async def test_all_faults_are_said_at_once(
    shop: Client, name: str, body: dict[str, object], faults: list[tuple[str, str]]
) -> None:
    refused = await shop.put(f"/v1/fields/{name}", json=body)
    assert refused.status_code == 422, refused.text
    assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == faults
