"""Smart segments: each template lives through a story by its defaults, and makes a segment by other values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from livesegments.api.segments.smart import ORDER, TEMPLATES, given
from livesegments.core.check import check
from livesegments.core.fault import Faults
from livesegments.core.plan import Segment, compile
from livesegments.core.trial import Expected, Happening, Trial, outcomes
from tests.services.api.conftest import Client

START = datetime(2026, 3, 1, tzinfo=UTC)


def ms(days: float) -> int:
    return round((START + timedelta(days=days)).timestamp() * 1_000)


def at(days: float, name: str, **properties: Any) -> Happening:
    return Happening(ms(days), name, properties)


def orders(*days: float, total: float = 10) -> list[Happening]:
    return [at(day, ORDER, total=total) for day in days]


SEEN = [at(0, "seen")]
BORN = [Happening(ms(0), properties={"attributes": {"birthday": "1990-03-20"}})]

STORIES: dict[str, list[tuple[list[Happening], dict[float, bool]]]] = {
    "new": [
        ([at(0, "Signed Up")], {0: True, 29.9: True, 30: False}),
        ([at(0, "Signed Up"), at(40, "Signed Up")], {40: False}),
    ],
    "active": [
        ([at(day, "Page Viewed") for day in (0, 1, 2)], {1: False, 2: True, 29.9: True, 30: False}),
    ],
    "vip": [
        (orders(0, 1, 2, 3, 4, total=100), {3: False, 4: True, 364.9: True, 365: False}),
        (orders(0, 1, 2, 3, 4), {4: False}),
        (orders(0, total=900), {0: False}),
    ],
    "at-risk": [
        (orders(0, 10), {10: False, 69.9: False, 70: True, 189.9: True, 190: False}),
        (orders(0, 10, 80), {70: True, 80: False, 140: True}),
        (orders(0), {70: False}),
    ],
    "lapsed": [
        (orders(0, 200), {0: False, 179.9: False, 180: True, 200: False, 380: True}),
        (SEEN, {200: False}),
    ],
    "never-bought": [(SEEN + orders(1), {0: True, 1: False, 1_000: False})],
    "cart-abandoners": [
        ([at(0, "Product Added")], {0: False, 0.16: False, 0.17: True, 6.9: True, 8: False}),
        ([at(0, "Product Added"), *orders(0.1)], {0.17: False, 1: False}),
    ],
    "engaged-openers": [
        ([at(day, "Email Opened") for day in (0, 1, 2)], {1: False, 2: True, 29.9: True, 30: False}),
    ],
    "unengaged-openers": [
        ([at(day, "Email Delivered") for day in range(5)], {3: False, 4: True, 89.9: True, 90: False}),
        ([*(at(day, "Email Delivered") for day in range(5)), at(2, "Email Opened")], {4: False}),
    ],
    "birthday-soon": [(BORN, {0: False, 11.9: False, 12.1: True, 19.9: True, 20.1: False, 377.5: True})],
    "big-spenders": [(orders(0, 10, total=250), {0: False, 10: True, 364.9: True, 365: False})],
    "one-time-buyers": [(orders(0, 500), {0: True, 499: True, 500: False}), (SEEN, {0: False})],
}


def test_every_template_has_a_story() -> None:
    assert STORIES.keys() == TEMPLATES.keys()


@pytest.mark.parametrize("id_", TEMPLATES)
def test_a_template_is_what_it_says_by_its_defaults(id_: str) -> None:
    faults = Faults()
    node, wrong = check(given(TEMPLATES[id_], {}, faults))
    assert node is not None and not faults.found, wrong
    plan = compile("w", "UTC", [Segment("s", 1, 0, node)], 0)
    for events, expected in STORIES[id_]:
        expect = tuple(Expected(ms(day), is_in) for day, is_in in expected.items())
        seen = outcomes(plan, "s", Trial(id_, tuple(events), expect))
        assert dict(zip(expected, seen, strict=True)) == expected


async def test_a_segment_is_made_of_a_template(shop: Client) -> None:
    listed = (await shop.get("/v1/templates")).json()["templates"]
    assert [each["id"] for each in listed] == list(TEMPLATES)
    (lapsed,) = [each for each in listed if each["id"] == "lapsed"]
    assert [each["name"] for each in lapsed["parameters"]] == ["order", "quiet"]
    body = {"id": "gone", "folder": "Smart", "parameters": {"order": "bought", "quiet": "90d"}}
    made = await shop.make("/v1/templates/lapsed/segments", **body)
    assert (made["name"], made["folder"], made["description"]) == ("Lapsed", "Smart", lapsed["description"])
    assert made["definition"]["of"][1] == {
        "type": "event", "name": "bought", "window": {"last": "90d"}, "op": "eq", "value": 0,
    }  # fmt: skip
    again = await shop.post("/v1/templates/lapsed/segments", json={})
    assert again.status_code == 409 and "'gone' (Lapsed)" in again.json()["detail"]
    assert (await shop.post("/v1/templates/lost/segments", json={})).status_code == 404


@pytest.mark.parametrize(
    ("parameters", "pointer", "code"),
    [
        ({"quite": "90d"}, "/parameters/quite", "unknown_field"),
        ({"quiet": 90}, "/parameters/quiet", "wrong_type"),
        ({"order": ""}, "/parameters/order", "empty"),
        ({"quiet": "long"}, "/parameters", "bad_duration"),
    ],
)
async def test_what_no_parameter_can_be_is_named(
    shop: Client, parameters: dict[str, Any], pointer: str, code: str
) -> None:
    refused = await shop.post("/v1/templates/lapsed/segments", json={"parameters": parameters})
    assert refused.status_code == 422
    faults = [(each["pointer"], each["code"]) for each in refused.json()["errors"]]
    assert faults == [(pointer, code)]
