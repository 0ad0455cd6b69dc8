"""Subscriptions as a resource: made, read, edited, rotated, deleted; the segments that they hear of stay."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.api.conftest import Client

HOOK = {"url": "https://hooks.example.com/in"}


async def test_one_is_made_read_edited_and_deleted(shop: Client) -> None:
    await shop.segment("vip")
    made = await shop.make(
        "/v1/subscriptions",
        name="VIP",
        segments=["vip"],
        kinds=["entered"],
        minimum_dwell_s=3_600,
        webhook=HOOK,
    )
    assert made.pop("secret").startswith("whsec_")
    path = f"/v1/subscriptions/{made['id']}"
    read = await shop.get(path)
    assert read.json() == made and read.headers["etag"] == '"1"'
    assert (made["webhook"], made["batch"], made["backfill"]) == (
        HOOK | {"secrets": 1},
        {"max": 1, "within_s": 0},
        False,
    )

    assert (await shop.patch(path, json={"cool_down_s": 60})).status_code == 428
    match = {"If-Match": '"1"'}
    edited = await shop.patch(
        path, json={"cool_down_s": 60, "paused": True, "batch": {"max": 10}}, headers=match
    )
    assert edited.json() | {"updated_at": made["updated_at"]} == made | {
        "cool_down_s": 60, "paused": True, "batch": {"max": 10, "within_s": 0}, "version": 2,
    }  # fmt: skip
    assert (await shop.patch(path, json={"paused": False}, headers=match)).status_code == 412
    assert (await shop.get("/v1/subscriptions")).json() == {"subscriptions": [edited.json()]}

    refused = await shop.delete("/v1/segments/vip")
    assert refused.status_code == 409 and f"subscription '{made['id']}' (VIP)" in refused.text
    assert (await shop.delete(path)).status_code == 204
    assert (await shop.get(path)).status_code == 404
    assert (await shop.delete("/v1/segments/vip")).status_code == 204


async def test_a_secret_is_shown_once_and_rotates(shop: Client) -> None:
    made = await shop.make("/v1/subscriptions", name="a", webhook=HOOK)
    path = f"/v1/subscriptions/{made['id']}"
    rotated = await shop.make(f"{path}/secrets")
    assert rotated["secret"].startswith("whsec_") and rotated["secret"] != made["secret"]
    read = (await shop.get(path)).text
    assert made["secret"] not in read and rotated["secret"] not in read
    assert (await shop.get(path)).json()["webhook"]["secrets"] == 2
    pulled = await shop.make("/v1/subscriptions", name="b")
    assert pulled["webhook"] is None and pulled["secret"] is None
    assert (await shop.post(f"/v1/subscriptions/{pulled['id']}/secrets")).status_code == 409


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"segments": ["nowhere"]}, "/segments/0", "unknown_segment"),
        ({"webhook": {"url": "http://127.0.0.1/"}}, "/webhook/url", "bad_url"),
        ({"webhook": {"url": "http://169.254.169.254/latest"}}, "/webhook/url", "bad_url"),
        ({"kinds": []}, "/kinds", "wrong_length"),
        ({"minimum_dwell_s": -1}, "/minimum_dwell_s", "out_of_range"),
    ],
)
async def test_faults_are_said_where_they_are(
    shop: Client, body: dict[str, Any], pointer: str, code: str
) -> None:
    refused = await shop.post("/v1/subscriptions", json={"name": "x"} | body)
    assert refused.status_code == 422
    assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == [(pointer, code)]
