"""Runs the examples of docs/audiences.md in their order: requests with the answers that the page shows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from livesegments.core.event import MERGE, PROFILE, Event
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import audiences
from tests.services.api.conftest import running, settings, until
from tests.services.api.living import START_MS, Shop, live, shop

__all__ = ["live", "shop"]

PAGE = Path(__file__).parents[3] / "docs" / "audiences.md"
EXAMPLE = re.compile(
    r"^```http\n(GET|POST|PUT|DELETE) (\S+)\n(.*?)\n?\n(\d{3})\n(.*?)```$", re.DOTALL | re.MULTILINE
)
PEOPLE = {"ann": ("Kyiv", "opted_in"), "bob": ("Kyiv", "opted_in"), "cem": ("Lviv", "opted_out")}


async def test_every_example_gives_what_the_page_says(shop: Shop) -> None:
    await shop.rig.send(
        [
            Event(
                *(f"p-{name}", shop.workspace, name, PROFILE, START_MS),
                {
                    "attributes": {"email": f"{name}@example.com", "city": city},
                    "consent": [{"channel": "email", "state": state}],
                },
            )
            for name, (city, state) in PEOPLE.items()
        ]
    )
    await shop.settled()
    examples = EXAMPLE.findall(PAGE.read_text("utf-8"))
    assert examples
    named: dict[str, str] = {}
    for method, *shown, status, expected in examples:
        path, body = (_with(named, text) for text in shown)
        answer = await shop.request(method, path, json=json.loads(body) if body else None)
        assert answer.status_code == int(status), (path, answer.text)
        if expected:
            _same(answer.json(), json.loads(expected), named, path)
        await shop.settled()
        if path == "/v1/audiences/frozen":
            lviv = {"attributes": {"city": "Lviv"}}
            await shop.rig.send([Event("moves", shop.workspace, "bob", PROFILE, START_MS + 1, lviv)])
            await shop.settled()


def _with(named: dict[str, str], text: str) -> str:
    for name, value in named.items():
        text = text.replace(name, value)
    return text


def _same(got: Any, shown: Any, named: dict[str, str], where: str) -> None:
    """Texts that the page writes with capitals and `…` stand for those of this run: TOKEN… is remembered."""
    if isinstance(shown, dict):
        assert got.keys() == shown.keys(), where
        for key, value in shown.items():
            _same(got[key], value, named, f"{where}/{key}")
    elif isinstance(shown, list):
        assert len(got) == len(shown), (where, got)
        if where.endswith(("/members", "/fields")):  # in the order of the partitions, which depends on ids
            got, shown = (sorted(each, key=json.dumps) for each in (got, shown))
        for at, value in enumerate(shown):
            _same(got[at], value, named, f"{where}/{at}")
    elif isinstance(shown, str) and re.fullmatch(r"[A-Z]+…", shown):
        named.setdefault(shown, str(got))
    else:
        assert got == shown, where


async def test_a_copy_of_a_list_has_its_members_where_these_are_asked_for(shop: Shop) -> None:
    await shop.segment("guests", type="static")
    await shop.post("/v1/segments/guests/members", json={"profiles": ["ann", "bob"]})
    await shop.settled()
    for name, members in (("with", True), ("without", False)):
        body = {"id": name, "name": name, "members": members}
        assert (await shop.post("/v1/segments/guests/clone", json=body)).status_code == 201
    await shop.settled()
    assert sorted(await shop.members("with")) == ["ann", "bob"] and await shop.members("without") == []


async def test_what_is_no_audience_is_refused_by_its_place(shop: Shop) -> None:
    await shop.segment("kyiv")
    bucket = {"salt": "s", "from": 50, "to": 10}
    for part, pointer, code in (
        ({"include": ["kyiv", "no"]}, "/audience/include/1", "unknown_segment"),
        ({"exclude": ["no"]}, "/audience/exclude/0", "unknown_segment"),
        ({"include": []}, "/audience/include", "wrong_length"),
        ({"consent": {"state": "any"}}, "/audience/consent", "missing"),
        ({"bucket": bucket}, "/audience/bucket/to", None),
        ({"bucket": bucket | {"from": 0, "salt": ""}}, "/audience/bucket/salt", "empty"),
        ({"bucket": {"from": 0, "to": 1}}, "/audience/bucket/salt", "missing_field"),
        ({"bucket": 7}, "/audience/bucket", "wrong_type"),
        ({"consent": {"channel": ""}}, "/audience/consent/channel", "empty"),
        ({"consent": {"channel": "email", "none": 1}}, "/audience/consent/none", "unknown_field"),
        ({"part": {"number": 0, "of": 2}}, "/audience/part/number", "out_of_range"),
        ({"part": {"number": 3, "of": 2}}, "/audience/part/number", "too_large"),
    ):
        audience = {"include": ["kyiv"]} | part
        answer = await shop.post("/v1/audiences/count", json={"audience": audience})
        assert answer.status_code == 422, answer.text
        (fault,) = answer.json()["errors"]
        assert fault["pointer"] == pointer and code in (None, fault["code"])
    foreign = {"audience": {"include": ["kyiv"]}, "cursor": "gqFh"}
    assert (await shop.post("/v1/audiences/members", json=foreign)).status_code == 422
    split = {"audience": {"include": ["kyiv"], "part": {"number": 1, "of": 2}}}
    assert (await shop.post("/v1/audiences/split", json=split)).status_code == 422


async def test_an_audience_carries_computed_attributes_and_says_what_is_still_built(shop: Shop) -> None:
    orders = {"type": "event", "name": "order"}
    await shop.segment("shoppers", orders)
    measure = {"name": "order", "window": {"last": "90d"}, "measure": {"of": "sum", "property": "total"}}
    assert (await shop.put("/v1/computed-attributes/spent", json=measure)).status_code == 200
    await shop.settled()
    await shop.rig.send([shop.event(name, "order", START_MS, total=5) for name in ("ada", "bob")])
    await shop.settled()
    asked = {"audience": {"include": ["shoppers"]}, "fields": ["computed:spent", "city"]}

    async def ready() -> bool:
        page = (await shop.post("/v1/audiences/members", json=asked)).json()
        return not page["warnings"]

    await until(ready)
    page = (await shop.post("/v1/audiences/members", json=asked)).json()
    values = {each["profile"]: each["fields"] for each in page["fields"]}
    assert values == {name: {"computed:spent": 5} for name in ("ada", "bob")} and len(page["members"]) == 2

    erased = await shop.post("/v1/erasures", json={"profile": "ada"})
    assert erased.status_code == 202, erased.text
    await shop.settled()
    assert (await shop.post("/v1/audiences/count", json={"audience": asked["audience"]})).json()["count"] == 1


async def test_a_token_outlives_the_api_and_names_nobody_who_was_erased(shop: Shop, stack: Stack) -> None:
    await shop.segment("shoppers", {"type": "event", "name": "order"})
    await shop.settled()
    await shop.rig.send([shop.event(name, "order", START_MS) for name in ("ada", "bob")])
    await shop.settled()
    body = {"audience": {"include": ["shoppers"]}}
    made = await shop.make("/v1/audiences/frozen", **body)
    assert [each["token"] for each in (await shop.get("/v1/audiences/frozen")).json()["frozen"]] == [
        made["token"]
    ]
    path = f"/v1/audiences/frozen/{made['token']}"
    assert (await shop.post("/v1/erasures", json={"profile": "ada"})).status_code == 202
    await shop.settled()
    async with (
        running(settings(stack)) as url,
        httpx.AsyncClient(base_url=url, headers=shop.headers) as other,
    ):
        page = (await other.get(f"{path}/members", params={"fields": "city", "limit": 1})).json()
        rest = (await other.get(f"{path}/members", params={"cursor": page["next_cursor"]})).json()
        assert page["members"] + rest["members"] == ["bob"] and rest["next_cursor"] is None
        assert (await other.get(f"{path}/changes")).json()["profiles"] == []
        assert (await other.get(f"{path}/members", params={"cursor": "gqFh"})).status_code == 422
    for of in ("", "/members", "/changes"):
        unknown = await shop.get(f"/v1/audiences/frozen/0123{of}")
        assert unknown.status_code == 410 and "freeze the audience again" in unknown.json()["detail"]


async def test_a_list_is_replaced_by_its_difference_added_to_and_taken_from(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audiences, "PIECE", 4)
    await shop.segment("shoppers", {"type": "event", "name": "order"})
    await shop.segment("vips", type="static")
    await shop.settled()
    everybody = [f"p{at}" for at in range(40)]
    await shop.rig.send([shop.event(name, "order", START_MS) for name in everybody[:30]])
    put = await shop.post("/v1/segments/vips/members", json={"profiles": everybody[20:]})
    assert put.status_code == 202  # is not applied yet: the job waits for it

    async def run(how: str, **audience: Any) -> Any:
        body = {"segment": "vips", "how": how, "audience": audience}
        answer = await shop.post("/v1/list-jobs", json=body)
        assert answer.status_code == 202, answer.text
        path = f"/v1/list-jobs/{answer.json()['id']}"

        async def ended() -> bool:
            return bool((await shop.get(path)).json()["state"] != "running")

        await until(ended)
        await shop.settled()
        return (await shop.get(path)).json()

    job = await run("replace", include=["shoppers"])
    assert (job["state"], job["done"], job["added"], job["removed"]) == ("done", 30, 20, 10)
    assert sorted(await shop.members("vips")) == sorted(everybody[:30])
    stayed = (await shop.get("/v1/timelines/p25", params={"limit": 100})).json()
    assert "exited" not in json.dumps(stayed)
    half = {"salt": "s", "from": 0, "to": 50}
    gone = await run("remove", include=["vips"], bucket=half)
    left = await shop.members("vips")
    assert gone["removed"] == 30 - len(left) and 0 < len(left) < 30
    again = await run("append", include=["shoppers"])
    assert (again["added"], again["removed"]) == (gone["removed"], 0)
    assert (await run("append", include=["shoppers"]))["added"] == 0
    assert len(await shop.members("vips")) == 30
    listed = (await shop.get("/v1/list-jobs")).json()["jobs"]
    assert len(listed) == 4
    assert (await shop.delete(f"/v1/list-jobs/{listed[0]['id']}")).status_code == 204
    assert (await shop.get(f"/v1/list-jobs/{listed[0]['id']}")).status_code == 404
    wrong = {"segment": "shoppers", "audience": {"include": ["vips"]}}
    assert (await shop.post("/v1/list-jobs", json=wrong)).status_code == 409


async def test_a_list_is_replaced_by_those_into_whom_its_profiles_were_merged(shop: Shop) -> None:
    await shop.segment("vips", type="static")
    await shop.settled()
    merge = [
        Event(f"m-{old}", shop.workspace, old, MERGE, START_MS, {"into": into})
        for old, into in (("guest", "visitor"), ("visitor", "ann"))
    ]
    await shop.rig.send([shop.event("guest", "seen", START_MS), *merge])
    await shop.settled()
    for profiles, change in ((["guest", "bob"], (2, 0)), (["ann", "visitor"], (0, 1)), (["guest"], (0, 0))):
        put = await shop.put("/v1/segments/vips/members", json={"profiles": profiles})
        assert (put.json()["added"], put.json()["removed"]) == change
        await shop.settled()
    assert await shop.members("vips") == ["ann"]
