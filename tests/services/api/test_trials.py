"""Tests of definitions: stored with the segment, run at each edit, a failing one refuses it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.api.conftest import CITY, Client

ANY: dict[str, Any] = {"headers": {"If-Match": "*"}}
AT = "2026-03-01T00:00:00.000Z"
FAILED = [("/tests/0/expect/0", "test_failed")]


def trial(name: str, is_in: bool, **attributes: Any) -> dict[str, Any]:
    events = [{"time": AT, "attributes": attributes}]
    return {"name": name, "events": events, "expect": [{"at": AT, "in": is_in}]}


KYIV, LVIV = trial("in Kyiv", True, city="Kyiv"), trial("not in Lviv", False, city="Lviv")


def faults(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return [(each["pointer"], each["code"]) for each in answer.json()["errors"]]


async def test_one_that_fails_refuses_what_would_make_it_fail(shop: Client) -> None:
    body = {"id": "a", "name": "A", "definition": CITY}
    wrong = trial("in Lviv", True, city="Lviv")
    refused = await shop.post("/v1/segments", json={**body, "tests": [wrong]})
    assert faults(refused) == FAILED
    told = refused.json()["errors"][0]["message"]
    assert told == f"'in Lviv': at {AT} the profile is not in the segment"
    made = await shop.make("/v1/segments", **body, tests=[KYIV, LVIV])
    assert made["tests"] == [KYIV, LVIV]
    lviv = {"definition": {**CITY, "value": "Lviv"}}
    edited = await shop.patch("/v1/segments/a", json=lviv, **ANY)
    assert faults(edited) == [("/tests/0/expect/0", "test_failed"), ("/tests/1/expect/0", "test_failed")]
    assert (await shop.get("/v1/segments/a")).json()["definition_version"] == 1
    with_tests = await shop.patch("/v1/segments/a", json={**lviv, "tests": [wrong]}, **ANY)
    assert (with_tests.status_code, with_tests.json()["tests"]) == (200, [wrong])
    assert faults(await shop.post("/v1/segments/a/versions/1/rollback")) == FAILED
    assert (await shop.post("/v1/segments/a/clone", json={})).json()["tests"] == [wrong]
    emptied = await shop.patch("/v1/segments/a", json={"tests": None}, **ANY)
    assert emptied.json()["tests"] == []
    assert (await shop.post("/v1/segments/a/versions/1/rollback")).status_code == 200


async def test_a_batch_and_a_check_run_them_too_with_the_segments_that_come_along(shop: Client) -> None:
    first = {"id": "a", "name": "A", "definition": CITY}
    second = {"id": "b", "name": "B", "definition": {"type": "not", "of": {"type": "segment", "id": "a"}}}
    good = {"segments": [first, {**second, "tests": [trial("not Kyiv", False, city="Kyiv")]}]}
    bad = {"segments": [first, {**second, "tests": [KYIV]}]}
    checked = (await shop.post("/v1/segments/check", json=bad)).json()["results"]
    pointers = [[fault["pointer"] for fault in each["errors"]] for each in checked]
    assert pointers == [[], ["/tests/0/expect/0"]]
    made = await shop.post("/v1/segments:batch", json=bad)
    assert faults(made) == [("/segments/1/tests/0/expect/0", "test_failed")]
    assert (await shop.post("/v1/segments:batch", json=good)).status_code == 200


async def test_an_edit_runs_the_tests_of_those_that_depend_on_it(shop: Client) -> None:
    def refers(to: str) -> dict[str, Any]:
        return {"type": "segment", "id": to}

    await shop.segment("a")
    await shop.segment("b", {"type": "not", "of": {"type": "not", "of": refers("a")}})
    await shop.segment("c", refers("b"), tests=[KYIV])
    await shop.segment("d", refers("a"))
    lviv = {"definition": {**CITY, "value": "Lviv"}}
    refused = await shop.patch("/v1/segments/a", json=lviv, **ANY)
    assert faults(refused) == [("/definition", "test_failed")]
    assert "segment 'c' (c) depends on it: 'in Kyiv'" in refused.json()["errors"][0]["message"]
    batch = {"segments": [{"id": "a", "name": "a", **lviv}, {"id": "d", "name": "d", "definition": CITY}]}
    refused = await shop.post("/v1/segments:batch", json={**batch, "upsert": True})
    assert faults(refused) == [("/segments/0/definition", "test_failed")]
    assert "segment 'c' (c) depends on it: 'in Kyiv'" in refused.json()["errors"][0]["message"]
    checked = (await shop.post("/v1/segments/check", json={**batch, "upsert": True})).json()["results"]
    assert [[fault["pointer"] for fault in each["errors"]] for each in checked] == [["/definition"], []]
    along = {
        "id": "c",
        "name": "c",
        "definition": refers("b"),
        "tests": [trial("in Lviv", True, city="Lviv")],
    }
    assert (await shop.get("/v1/segments/a")).json()["definition"] == CITY
    both = {"segments": [*batch["segments"], along], "upsert": True}
    assert (await shop.post("/v1/segments/check", json=both)).json()["results"][0]["errors"] == []
    either = {"definition": {"type": "any", "of": [CITY, lviv["definition"]]}}
    assert (await shop.patch("/v1/segments/a", json=either, **ANY)).status_code == 200
    await shop.post("/v1/segments/c/archive")
    assert (await shop.patch("/v1/segments/a", json=lviv, **ANY)).status_code == 200


async def test_what_changed_elsewhere_shows_when_they_are_run(shop: Client) -> None:
    await shop.put("/v1/value-lists/cities", json={"values": ["Kyiv"]})
    listed = {"type": "attribute", "name": "city", "op": "in", "value_list": "cities"}
    await shop.segment("a", listed, tests=[KYIV, LVIV])
    ran = (await shop.post("/v1/segments/a/test")).json()
    assert ran["passed"] and [each["name"] for each in ran["tests"]] == ["in Kyiv", "not in Lviv"]
    await shop.put("/v1/value-lists/cities", json={"values": ["Lviv"]})
    ran = (await shop.post("/v1/segments/a/test")).json()
    seen = {"at": AT, "expected": True, "in": False}
    assert not ran["passed"]
    assert ran["tests"][0] == {"name": "in Kyiv", "passed": False, "seen": [seen], "why": None}


async def test_all_that_a_profile_may_live_through_is_kept_as_it_was_written(shop: Client) -> None:
    await shop.segment("list", type="static")
    attributes = {"home": {"lat": 1.5, "lon": 2}, "gone": None, "n": [1, "x"]}
    events = [
        {"time": AT, "name": "order", "properties": {"total": 1.5}},
        {"time": AT, "tags": {"add": ["vip"], "remove": ["new"]}},
        {"time": AT, "lists": {"add": ["list"]}},
        {"time": AT, "consent": [{"state": "opted_in", "channel": "email"}]},
        {"time": AT, "score": 3.5, "attributes": attributes},
    ]
    every = [
        {"type": "event", "name": "order"},
        {"type": "tag", "name": "vip"},
        {"type": "segment", "id": "list"},
        {"type": "consent", "channel": "email", "state": "opted_in"},
        {"type": "attribute", "name": "score", "op": "eq", "value": 3.5},
    ]
    whole = {"name": "all", "profile": "ann", "events": events, "expect": [{"at": AT, "in": True}]}
    made = await shop.segment("a", {"type": "all", "of": every}, tests=[whole])
    assert made["tests"] == [whole]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"events": []}, "/tests/0/events"),
        ({"events": [{"time": "soon", "name": "a"}]}, "/tests/0/events/0/time"),
        ({"events": [{"time": AT}]}, "/tests/0/events/0"),
        ({"events": [{"time": AT, "name": "$profile"}]}, "/tests/0/events/0"),
        ({"events": [{"time": AT, "name": "a", "score": 1}]}, "/tests/0/events/0"),
        ({"events": [{"time": AT, "attributes": {"a": {"b": 1}}}]}, "/tests/0/events/0/attributes/a"),
        ({"events": [{"time": AT, "name": "a", "properties": {"x": "y" * 70_000}}]}, "/tests"),
        ({"expect": [{"at": AT, "in": 1}]}, "/tests/0/expect/0/in"),
    ],
    ids=str,
)
async def test_what_no_test_can_be_is_named(shop: Client, change: dict[str, Any], pointer: str) -> None:
    body = {"name": "A", "definition": CITY, "tests": [{**KYIV, **change}]}
    assert [where for where, _ in faults(await shop.post("/v1/segments", json=body))] == [pointer]


async def test_a_static_segment_has_no_tests(shop: Client) -> None:
    await shop.segment("list", type="static")
    refused = await shop.patch("/v1/segments/list", json={"tests": [KYIV]}, **ANY)
    assert faults(refused) == [("/tests", "static")]
