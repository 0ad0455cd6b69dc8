"""What is asked of history: previews, members as of an instant, and whether a profile was in a segment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from livesegments.api.web.times import iso
from livesegments.core.event import PROFILE, Transition
from livesegments.store import keys
from livesegments.store.adoption import Served, Switch, encode
from livesegments.wire.topics import partition_of
from tests.services.api.conftest import CITY, Client
from tests.services.api.past import DAY_MS, ORDERED, START_MS, History, history, served, shop

__all__ = ["history", "served", "shop"]

PRO = {"type": "attribute", "name": "plan", "op": "eq", "value": "pro"}


async def test_a_preview_counts_from_files_and_tail(shop: Client, history: History) -> None:
    await history.happened("ann", PROFILE, 0, attributes={"plan": "pro"})
    await history.happened("ann", "ordered", 1, total=0.1)
    await history.happened("bob", "ordered", 2, total=5)
    await history.archived()
    await history.happened("ann", "ordered", 6, total=0.2)
    await history.happened("cy", PROFILE, 7, attributes={"plan": "pro"})
    spent = {**ORDERED, "measure": {"of": "sum", "property": "total"}, "op": "gte", "value": 0.3}
    definition = {"type": "all", "of": [spent, {"type": "not", "of": PRO}]}
    response = await shop.post("/v1/segments/preview", json={"definition": definition})
    assert response.status_code == 200, response.text
    found = response.json()
    assert found["at"] == "2023-11-21T22:13:20.000Z"
    assert (found["profiles"], found["count"]) == (3, 1)
    assert {node["pointer"]: node["count"] for node in found["nodes"]} == {
        "": 1, "/of/0": 2, "/of/1": 1, "/of/1/of": 2,
    }  # fmt: skip
    assert found["sample"] == [
        {
            "profile": "bob",
            "conditions": [
                {"pointer": "/of/0", "holds": True, "value": 5},
                {"pointer": "/of/1/of", "holds": False, "value": None},
            ],
        }
    ]
    exact = {**spent, "op": "eq"}
    (ann,) = (await shop.post("/v1/segments/preview", json={"definition": exact})).json()["sample"]
    assert ann == {"profile": "ann", "conditions": [{"pointer": "", "holds": True, "value": 0.3}]}


async def test_a_preview_says_what_is_left_out_and_what_it_costs(shop: Client, history: History) -> None:
    lately = {"type": "event", "name": "ordered", "window": {"last": "30d"}, "value": 2}
    await shop.segment("lately", {"type": "any", "of": [lately, CITY]})
    await history.happened("ann", PROFILE, 0, attributes={"plan": "pro"})
    await history.happened("ann", "ordered", 1, total=4)
    await history.happened("bob", "ordered", 1, total=40)
    free = {**PRO, "op": "neq", "value": "free"}
    spent = {**ORDERED, "measure": {"of": "sum", "property": "total"}, "op": "gte", "value": 10}
    asked = {"definition": {"type": "all", "of": [PRO, free, lately, spent]}}
    answer = await shop.post("/v1/segments/preview", json=asked)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["margin"] == 0
    assert found["lacking"] == [
        {"pointer": "/of/0", "attribute": "plan", "count": 1, "excluded": True},
        {"pointer": "/of/1", "attribute": "plan", "count": 1, "excluded": False},
    ]
    cost = found["cost"]
    assert cost["shared"] == [{"pointer": "/of/2", "segments": ["lately"], "count": 1}]
    assert (cost["new_facts"], cost["looked_at"]) == (1, 2)
    assert 8 < cost["bytes_a_profile"] < 100
    young = {"type": "attribute", "name": "age", "op": "lt", "value": 20}
    never = {"definition": {"type": "all", "of": [young, {**young, "op": "gt", "value": 50}]}}
    warned = (await shop.post("/v1/segments/preview", json=never)).json()["warnings"]
    assert ("/definition", "never") in [(each["pointer"], each["code"]) for each in warned]


async def test_a_quick_estimate_looks_at_one_partition_and_states_its_margin(
    shop: Client, history: History
) -> None:
    names = [name for number in range(400) if partition_of(shop.workspace, name := f"p{number}", 8) == 3]
    for number, name in enumerate(names):
        await history.happened(name, PROFILE, 0, attributes={"plan": "pro" if number % 2 else "free"})
    await history.happened("elsewhere", PROFILE, 0, attributes={"plan": "pro"})
    await history.archived()
    for number in range(8):  # states of as many profiles as there would have to be
        states = {f"s{each}": b"" for each in range(5_000 + 3 * (number == 3))}
        await history.redis.hset(keys.profiles(number, shop.workspace), mapping=states)
    asked = {"definition": PRO, "estimate": True}
    found = (await shop.post("/v1/segments/preview", json=asked)).json()
    assert found["profiles"] == 40_003
    assert abs(found["count"] - 20_000) <= found["margin"]
    assert 1_000 < found["margin"] < 20_000
    assert found["cost"] is None
    exact = (await shop.post("/v1/segments/preview", json={"definition": PRO})).json()
    assert (exact["margin"], exact["count"]) == (0, len(names) // 2 + 1)


async def test_a_preview_looks_at_other_segments_and_no_other_workspace(
    shop: Client, history: History, open_workspace: Any, served: tuple[str, Path]
) -> None:
    await shop.segment("pros", PRO)
    await shop.segment("vips", type="static")
    await history.happened("ann", PROFILE, 0, attributes={"plan": "pro"}, lists_add=["vips"])
    await history.happened("bob", PROFILE, 0, attributes={"plan": "pro"})
    await history.happened("bob", PROFILE, 1, lists_add=["vips"], lists_remove=["vips"])
    both = [{"type": "segment", "id": "pros"}, {"type": "segment", "id": "vips"}]
    asked = {"definition": {"type": "all", "of": both}}
    found = (await shop.post("/v1/segments/preview", json=asked)).json()
    assert [node["count"] for node in found["nodes"]] == [1, 2, 1]
    other = await open_workspace(url=served[0])
    assert (await other.post("/v1/segments/preview", json={"definition": PRO})).json()["profiles"] == 0


async def test_a_preview_refuses_what_creating_would(shop: Client, history: History) -> None:
    wrong = {"definition": {"type": "segment", "id": "nobody"}}
    response = await shop.post("/v1/segments/preview", json=wrong)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/definition/id"


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


async def test_what_reaches_back_beyond_the_history_that_is_kept_is_said_to_be_counted_short(
    shop: Client, history: History
) -> None:
    await shop.segment("week", ORDERED)
    await history.happened("ann", "ordered", 10)
    since_ms = START_MS + 2 * DAY_MS
    await history.redis.hset(keys.retained(0), history.workspace, since_ms)
    month = {**ORDERED, "window": {"last": "30d"}}
    either = {"type": "any", "of": [PRO, month]}

    def said(answer: Any) -> list[tuple[str, str]]:
        found = [(each["pointer"], each["message"]) for each in answer if each["code"] == "history_short"]
        assert all("events before 2023-11-16T22:13:20" in text for _, text in found)
        return found

    async def preview(definition: Any) -> list[tuple[str, str]]:
        answer = await shop.post("/v1/segments/preview", json={"definition": definition})
        assert answer.status_code == 200, answer.text
        return said(answer.json()["warnings"])

    assert [pointer for pointer, _ in await preview(either)] == ["/definition/of/1"]
    assert await preview(ORDERED) == [], "a week has all its history"
    plan = (await shop.post("/v1/segments/week/plan", json={"definition": month})).json()
    assert [pointer for pointer, _ in said(plan["warnings"])] == ["/definition"]
    asked = {"at": "2023-11-18T00:00:00Z"}
    then = (await shop.get("/v1/segments/week/as-of", params=asked)).json()
    assert [pointer for pointer, _ in said(then["warnings"])] == ["/definition"]
    edited = await shop.patch("/v1/segments/week", json={"definition": month}, headers={"If-Match": '"1"'})
    assert edited.status_code == 200
    ((_, text),) = await preview({"type": "segment", "id": "week"})
    assert "the segment week reaches further back" in text
    plan = (await shop.post("/v1/segments/week/plan", json={"definition": ORDERED})).json()
    ((pointer, text),) = said(plan["warnings"])
    assert (pointer, "the definition so far" in text) == ("", True)


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


async def test_an_edit_is_planned_and_made_only_while_the_plan_holds(shop: Client, history: History) -> None:
    await shop.segment("buyers", ORDERED)
    await shop.segment("wide", {"type": "segment", "id": "buyers"})
    rules: dict[str, dict[str, Any]] = {
        "asks": {"segments": ["wide"], "backfill": True},
        "all": {"causes": ["backfill"]},
        "silent": {"segments": ["buyers"]},
        "paused": {"segments": ["buyers"], "backfill": True, "paused": True},
    }
    named = {
        (await shop.make("/v1/subscriptions", name=name, **rule))["id"]: name for name, rule in rules.items()
    }

    def heard_by(plan: Any) -> set[str]:
        return {named[id_] for id_ in plan["subscriptions"]}

    await history.happened("old", "ordered", 0)
    await history.happened("new", "ordered", 10)
    longer = {**ORDERED, "window": {"last": "30d"}}
    response = await shop.post("/v1/segments/buyers/plan", json={"definition": longer})
    assert response.status_code == 200, response.text
    plan = response.json()
    assert (plan["count"], plan["entering"], plan["leaving"]) == (2, 1, 0)
    assert [each["profile"] for each in plan["sample_entering"]] == ["old"]
    assert plan["dependents"] == ["wide"]
    assert heard_by(plan) == {"all", "asks"}, "its window is longer, so it is given its history"
    same = {"type": "any", "of": [ORDERED, {**ORDERED, "value": 3}]}
    kept = (await shop.post("/v1/segments/buyers/plan", json={"definition": same})).json()
    assert heard_by(kept) == {"asks", "silent"}, "the orders of that window are counted already"

    async def edit(definition: Any, version: int = 1) -> int:
        headers = {"If-Match": f'"{version}"', "If-Plan-Match": plan["plan"]}
        body = {"definition": definition}
        return (await shop.patch("/v1/segments/buyers", json=body, headers=headers)).status_code

    assert await edit({**ORDERED, "window": {"last": "31d"}}) == 412
    for number in range(11):
        await history.happened(f"more{number}", "ordered", 1)
    await history.happened("new", "visited", 10)
    assert await edit(longer) == 412
    plan = (await shop.post("/v1/segments/buyers/plan", json={"definition": longer})).json()
    assert plan["entering"] == 12
    assert await edit(longer) == 200
    assert await edit(longer, 2) == 412


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
    for profile in (early, late):
        await history.happened(profile, "ordered", -20)
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


async def test_declaring_a_field_shows_first_how_many_values_would_not_fit(
    shop: Client, history: History
) -> None:
    for number, age in enumerate(["42", 7, "old", "old", 1.5, None]):
        await history.happened(f"p{number}", PROFILE, number, attributes={"age": age})
    await history.archived()
    await history.happened("p1", PROFILE, 9, attributes={"age": "ten"})
    text = {"type": "attribute", "name": "age", "op": "starts_with", "value": "o"}
    await shop.segment("old", text)
    fit = (await shop.post("/v1/fields/check", json={"name": "age", "type": "number"})).json()
    assert (fit["fit"], fit["readable"], fit["misfits"]) == (1, 1, 3)
    assert [(each["value"], each["profiles"]) for each in fit["sample"]] == [("old", 2), ("ten", 1)]
    assert fit["unfit_segments"] == ["old"]
    refused = await shop.put("/v1/fields/age", json={"type": "number"})
    assert refused.status_code == 409 and "3 of 5 profiles" in refused.json()["detail"]
    assert [each["code"] for each in refused.json()["errors"]] == ["would_not_fit"] * 2
    assert (await shop.get("/v1/fields/age")).status_code == 404
    made = await shop.put("/v1/fields/age", json={"type": "number", "accept_misfits": True, "label": "Age"})
    assert made.status_code == 200, made.text
    assert (made.json()["version"], made.json()["unfit_segments"]) == (1, ["old"])
