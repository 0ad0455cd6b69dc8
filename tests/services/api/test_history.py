"""What is asked of history before something is saved: previews, plans of edits, declarations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from livesegments.core.event import PROFILE
from livesegments.store import keys
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
    assert "--accept-misfits" in refused.json()["detail"]  # the CLI shows it: what a person may do there
    assert [each["code"] for each in refused.json()["errors"]] == ["would_not_fit"] * 2
    assert (await shop.get("/v1/fields/age")).status_code == 404
    made = await shop.put("/v1/fields/age", json={"type": "number", "accept_misfits": True, "label": "Age"})
    assert made.status_code == 200, made.text
    assert (made.json()["version"], made.json()["unfit_segments"]) == (1, ["old"])
