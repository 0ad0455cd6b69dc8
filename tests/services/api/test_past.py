"""What is asked about the past: members as of an instant, whether a profile was in a segment and why, flows, overlaps."""

from __future__ import annotations

from typing import Any

import pytest

from livesegments.api.web.times import iso
from livesegments.core.event import PROFILE, Transition
from livesegments.store import keys
from livesegments.store.adoption import Served, Switch, encode
from livesegments.wire.topics import partition_of
from tests.services.api.conftest import Client
from tests.services.api.past import DAY_MS, ORDERED, START_MS, History, history, served, shop

__all__ = ["history", "served", "shop"]

PRO = {"type": "attribute", "name": "plan", "op": "eq", "value": "pro"}


async def test_the_past_is_answered_by_what_was_known_then(shop: Client, history: History) -> None:
    await shop.segment("buyers", ORDERED)
    entered = Transition("1", shop.workspace, "buyers", "ann", "entered", START_MS, 1, "event", "e1", 1)
    exited = Transition(
        "2", shop.workspace, "buyers", "ann", "exited", START_MS + 7 * DAY_MS, 2, "clock", None, 1
    )
    await history.happened("ann", "ordered", 0, [entered])
    await history.archived()
    await history.happened("ann", "visited", 8, [exited])
    await history.happened("bob", "ordered", 9)

    async def then(at: str) -> Any:
        response = await shop.get("/v1/segments/buyers/as-of", params={"at": at, "limit": 1})
        assert response.status_code == 200, response.text
        return response.json()

    assert (await then("2023-11-14T22:13:19Z"))["members"] == []
    assert (await then("2023-11-20T00:00:00Z"))["members"] == ["ann"]
    assert (await then("2023-11-21T22:13:20Z"))["members"] == []
    last = await then("2023-11-24T00:00:00Z")
    assert (last["members"], last["count"], last["next_cursor"]) == (["bob"], 1, None)

    async def was(at: str) -> Any:
        params = {"at": at, "profile": "ann"}
        return (await shop.get("/v1/segments/buyers/was", params=params)).json()

    assert (await was("2023-11-14T00:00:00Z"))["since"] is None
    during = await was("2023-11-15T00:00:00Z")
    assert (during["in"], during["version"], during["cause"], during["event_id"]) == (True, 1, "event", "e1")
    after = await was("2023-11-22T00:00:00Z")
    assert (after["in"], after["since"], after["cause"]) == (False, "2023-11-21T22:13:20.000Z", "clock")


async def test_it_is_said_why_a_profile_was_in_a_segment_by_what_was_known_then(
    shop: Client, history: History
) -> None:
    spent = {**ORDERED, "measure": {"of": "sum", "property": "total"}, "op": "gte", "value": 10}
    await shop.segment("buyers", {"type": "all", "of": [spent, PRO]})
    await history.happened("ann", PROFILE, 0, attributes={"plan": "pro"})
    await history.happened("ann", "ordered", 1, total=4)
    await history.happened("bob", "ordered", 1, total=40)
    await history.archived()
    await history.happened("ann", "ordered", 2, total=6)
    await history.happened("ann", "visited", 8.5)

    async def why(at: str, events: int = 5) -> Any:
        params: dict[str, Any] = {"at": at, "profile": "ann", "events": events}
        answer = await shop.get("/v1/segments/buyers/was", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    during = await why("2023-11-17T00:00:00Z")
    assert (during["version"], during["why_version"]) == (None, 1)
    assert during["definition"]["type"] == "all"
    assert [(node["pointer"], node["holds"], node["value"]) for node in during["why"]] == [
        ("", True, None), ("/of/0", True, 10), ("/of/1", True, "pro"),
    ]  # fmt: skip
    assert [(event["id"], event["properties"]) for event in during["why"][1]["events"]] == [
        ("e4", {"total": 6}),
        ("e2", {"total": 4}),
    ]
    fewer = (await why("2023-11-17T00:00:00Z", 1))["why"][1]["events"]
    assert [event["id"] for event in fewer] == ["e4"]
    after = await why("2023-11-23T00:00:00Z")
    assert [(node["holds"], node["value"]) for node in after["why"]] == [
        (False, None), (False, 6), (True, "pro"),
    ]  # fmt: skip
    assert (await why("2023-11-14T00:00:00Z"))["why"] == []


async def test_pages_of_the_past_follow_each_other(shop: Client, history: History) -> None:
    await shop.segment("buyers", ORDERED)
    for profile in ("a", "b", "c'd", "é"):
        await history.happened(profile, "ordered", 0)
    pages, cursor = [], None
    while True:
        params: dict[str, Any] = {"at": "2023-11-15T00:00:00Z", "limit": 2}
        params |= {"cursor": cursor} if cursor else {}
        page = (await shop.get("/v1/segments/buyers/as-of", params=params)).json()
        pages.append(page["members"])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert pages == [["a", "b"], ["c'd", "é"]]


@pytest.mark.parametrize("at", ["soon", "2023-13-01", ""])
async def test_an_instant_must_be_one(shop: Client, history: History, at: str) -> None:
    await shop.segment("buyers", ORDERED)
    response = await shop.get("/v1/segments/buyers/as-of", params={"at": at})
    assert response.status_code == 422


async def test_the_past_is_asked_by_the_definition_that_was_served_then(
    shop: Client, history: History
) -> None:
    """Both are written at the same instant here, and nothing has noted when the second took over."""
    await shop.segment("vips", PRO)
    names = {"type": "any", "of": [ORDERED, {"type": "segment", "id": "vips"}]}
    await shop.segment("buyers", names)
    month = {"definition": {**ORDERED, "window": {"last": "30d"}}}
    edited = await shop.patch("/v1/segments/buyers", json=month, headers={"If-Match": "*"})
    assert edited.json()["definition_version"] == 2
    await history.happened("ann", "ordered", -20)
    await history.happened("bob", "ordered", -6)

    async def then(**params: Any) -> Any:
        answer = await shop.get("/v1/segments/buyers/as-of", params={"at": "2023-11-09T22:13:20Z", **params})
        assert answer.status_code == 200, answer.text
        return answer.json()["version"], answer.json()["members"]

    assert await then() == (2, ["ann", "bob"])
    assert await then(definition="served") == (1, ["bob"])
    assert await then(version=1) == (1, ["bob"])
    assert await then(version=2, definition="served") == (2, ["ann", "bob"])
    assert await then(at="2023-11-14T22:13:20Z", definition="served") == (2, ["ann", "bob"])
    missing = await shop.get("/v1/segments/buyers/as-of", params={"at": "2023-11-09", "version": 3})
    assert missing.status_code == 404

    async def was(at: str) -> Any:
        return (await shop.get("/v1/segments/buyers/was", params={"at": at, "profile": "ann"})).json()

    before = await was("2023-11-09T22:13:20Z")
    assert (before["why_version"], before["definition"], before["why"][0]["holds"]) == (1, names, False)
    after = await was("2023-11-14T22:13:20Z")
    assert (after["why_version"], after["why"][0]["holds"]) == (2, True)

    listed = (await shop.get("/v1/segments/buyers/versions")).json()["versions"]
    assert [(each["version"], each["by"], each["definition"]) for each in listed] == [
        (2, "k", month["definition"]),
        (1, "k", names),
    ]
    assert [each["until"] for each in listed] == [None, listed[0]["since"]]

    assert (await shop.delete("/v1/segments/vips")).status_code == 204
    params = {"at": "2023-11-09T22:13:20Z", "definition": "served"}
    refused = await shop.get("/v1/segments/buyers/as-of", params=params)
    assert refused.status_code == 409 and "'vips'" in refused.json()["detail"]
    assert (await was("2023-11-09T22:13:20Z"))["why_version"] == 2


async def test_a_former_definition_is_served_until_the_partitions_have_switched(
    shop: Client, history: History
) -> None:
    """Both are written at the same instant here; the partitions take the second up one day after the other,
    and the third in half of them."""
    await shop.segment("buyers", ORDERED)
    for days in (30, 60):
        longer = {"definition": {**ORDERED, "window": {"last": f"{days}d"}}}
        await shop.patch("/v1/segments/buyers", json=longer, headers={"If-Match": "*"})
    for number in range(8):
        second = Switch(2, START_MS + number * DAY_MS)
        served = Served(2, 0, 0, since_ms=second.since_ms, before=(Switch(1, START_MS - 9 * DAY_MS),))
        if number < 4:
            served = Served(3, 0, 0, since_ms=START_MS + 8 * DAY_MS, before=(second, *served.before))
        await history.redis.hset(keys.served(number, shop.workspace), "buyers", encode(served))
    early, late = (
        next(f"p{n}" for n in range(99) if partition_of(shop.workspace, f"p{n}", 8) == at) for at in (0, 7)
    )
    for profile, day in ((early, 0), (late, 7)):
        at_ms = START_MS + day * DAY_MS
        told = Transition(
            profile, shop.workspace, "buyers", profile, "entered", at_ms, 1, "backfill", None, 2
        )
        await history.happened(profile, "ordered", -20, [told])
    await history.happened("now", "visited", 9)

    async def then(days: float) -> tuple[int, list[int]]:
        """The version of as-of, and those by which the two are explained."""
        at = {"at": iso(int(START_MS + days * DAY_MS))}
        members = await shop.get("/v1/segments/buyers/as-of", params={**at, "definition": "served"})
        was = [
            await shop.get("/v1/segments/buyers/was", params={**at, "profile": each})
            for each in (early, late)
        ]
        return members.json()["version"], [each.json()["why_version"] for each in was]

    assert await then(-10) == (1, [1, 1])
    assert await then(-0.1) == (1, [1, 1])
    assert await then(0.5) == (1, [2, 1])
    assert await then(6.5) == (1, [2, 1])
    assert await then(7.5) == (2, [2, 2])
    assert await then(8.5) == (2, [3, 2])


async def test_flow_counts_back_from_the_present_size(shop: Client, history: History) -> None:
    await shop.segment("buyers", ORDERED)

    def told(sequence: int, kind: Any, day: float, cause: Any, profile: str = "ann") -> Transition:
        at_ms = START_MS + int(day * DAY_MS)
        id_ = f"{profile}{sequence}"
        return Transition(id_, shop.workspace, "buyers", profile, kind, at_ms, sequence, cause, None, 1)

    await history.happened("bob", "ordered", 0, [told(1, "entered", 0, "backfill", "bob")])
    await history.happened("ann", "ordered", 1, [told(1, "entered", 1, "event")])
    await history.happened("ann", "visited", 3, [told(2, "exited", 3, "clock")])
    await history.archived()
    await history.happened("ann", "ordered", 3.01, [told(3, "entered", 3.01, "event")])
    for at, profile in enumerate(("ann", "bob"), 1):
        number = partition_of(shop.workspace, profile, 8)
        await history.redis.zadd(keys.members(number, shop.workspace, "buyers"), {profile: at})
    answer = await shop.get("/v1/segments/buyers/flow", params={"days": 4})
    assert answer.status_code == 200, answer.text
    days = answer.json()["days"]
    assert [(day["day"], day["entered"], day["exited"], day["size"]) for day in days] == [
        ("2023-11-14", 1, 0, 1),
        ("2023-11-15", 1, 0, 2),
        ("2023-11-16", 0, 0, 2),
        ("2023-11-17", 1, 1, 2),
    ]
    assert days[-1]["causes"] == [
        {"cause": "clock", "entered": 0, "exited": 1},
        {"cause": "event", "entered": 1, "exited": 0},
    ]
    two = (await shop.get("/v1/segments/buyers/flow", params={"days": 2})).json()["days"]
    assert two == days[2:]


async def test_segments_overlap(shop: Client, history: History) -> None:
    members = {"a": "pqrs", "b": "qrst", "c": "rx"}
    for id_, profiles in members.items():
        await shop.segment(id_, type="static")
        for profile in profiles:
            number = partition_of(shop.workspace, profile, 8)
            await history.redis.zadd(keys.members(number, shop.workspace, id_), {profile: ord(profile)})
    answer = await shop.get("/v1/overlap", params={"segment": ["a", "b", "c"]})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert {"".join(each["segments"]): each["count"] for each in found["groups"]} == {
        "a": 4, "b": 4, "c": 2, "ab": 3, "ac": 1, "bc": 1, "abc": 1,
    }  # fmt: skip
    assert found["union"] == len(set("pqrstx"))
    assert (await shop.get("/v1/overlap", params={"segment": ["a"]})).status_code == 422
    assert (await shop.get("/v1/overlap", params={"segment": ["a", "a"]})).status_code == 422
    assert (await shop.get("/v1/overlap", params={"segment": ["a", "nobody"]})).status_code == 404
