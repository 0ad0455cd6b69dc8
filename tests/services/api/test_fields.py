"""Values of attributes and of computed attributes, of members and of one profile, with a real evaluator beside
the api."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from livesegments.api.web import times
from livesegments.core.event import PROFILE, Event
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys
from livesegments.wire.topics import partition_of
from tests.services.api.conftest import until
from tests.services.api.living import DAY_MS, START_MS, Shop, at_least, live, shop

__all__ = ["live", "shop"]

SPENT = {"name": "order", "window": {"last": "90d"}, "measure": {"of": "sum", "property": "total"}}
MOST = {"name": "order", "measure": {"of": "max", "property": "items"}}


async def page(shop: Shop, *names: str, **query: Any) -> Any:
    answer = await shop.get("/v1/segments/shoppers/members", params={"fields": names, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_every_member_has_the_values_that_it_has(shop: Shop, stack: Stack) -> None:
    await shop.segment("shoppers", {"type": "event", "name": "order"})
    parts = {name: partition_of(shop.workspace, name, 8) for name in ("ada", *map("bob{}".format, range(99)))}
    bob = next(name for name, part in parts.items() if part != parts["ada"])
    kyiv = {"attributes": {"city": "Kyiv", "vip": False, "gone": None, "age": 36}}
    await shop.rig.send(
        [
            Event("e", shop.workspace, "ada", PROFILE, START_MS, kyiv),
            shop.event("ada", "order", START_MS, total=0.1, items=3),
            shop.event(bob, "order", START_MS, total=400),
        ]
    )
    for id_, definition in (("spent", SPENT), ("most", MOST)):
        assert (await shop.put(f"/v1/computed-attributes/{id_}", json=definition)).status_code == 200
    await shop.settled()

    async def ready() -> bool:
        found = (await shop.get("/v1/computed-attributes")).json()["computed_attributes"]
        return all(each["state"] == "ready" for each in found)

    await until(ready)
    ready_members = (await shop.get("/v1/segments/shoppers/members")).json()
    assert ready_members.keys() == {"members", "times", "next_cursor"}  # as before, without `fields`
    plain = await page(shop, "city", "gone", "vip", "city")
    values = {each["profile"]: each["fields"] for each in plain["fields"]}
    assert values == {"ada": {"city": "Kyiv", "vip": False}, bob: {}}

    # to a partition that still builds it, a computed attribute is one that it does not serve yet
    place = keys.served(parts[bob], shop.workspace)
    async with Redis.from_url(stack.redis) as redis:
        assert await redis.hdel(place, "computed:most") == 1
    found = await page(shop, "city", "computed:spent", "computed:most", include="times")
    assert [each["profile"] for each in found["fields"]] == found["members"] == plain["members"]
    assert [each["profile"] for each in found["times"]] == found["members"]
    assert {each["profile"]: each["fields"] for each in found["fields"]} == {
        "ada": {"city": "Kyiv", "computed:spent": 0.1, "computed:most": 3},
        bob: {"computed:spent": 400},
    }
    assert [(each["code"], "computed:most" in each["message"]) for each in found["warnings"]] == [
        ("building", True)
    ]
    spent = (await shop.get("/v1/profiles/ada")).json()["computed"]["spent"]["value"]
    assert spent == 0.1

    first = await page(shop, "computed:spent", limit=1)
    rest = await page(shop, "computed:spent", limit=1, cursor=first["next_cursor"])
    assert first["fields"] + rest["fields"] == [
        {"profile": name, "fields": {"computed:spent": {"ada": 0.1, bob: 400}[name]}}
        for name in plain["members"]
    ]
    assert first["warnings"] == []


async def test_what_is_no_field_is_refused_by_its_name(shop: Shop) -> None:
    await shop.segment("shoppers", {"type": "event", "name": "order"})
    assert await page(shop, "city") == {
        "members": [], "times": [], "next_cursor": None, "fields": [], "warnings": [],
    }  # fmt: skip
    path = "/v1/segments/shoppers/members"
    unknown = await shop.get(path, params={"fields": ["city", "computed:spent", "computed:"]})
    assert unknown.status_code == 422
    assert [(each["pointer"], each["code"]) for each in unknown.json()["errors"]] == [
        ("query: fields", "unknown_computed_attribute")
    ] * 2
    assert "'computed:spent'" in unknown.json()["errors"][0]["message"]
    for names, code in (
        ([f"a{at}" for at in range(21)], "wrong_length"),
        (["x" * 257], "too_long"),
        ([""], "empty"),
    ):
        answer = await shop.get(path, params={"fields": names})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
    assert (await shop.get("/v1/segments/nobody/members?fields=a")).status_code == 404


async def test_many_profiles_are_read_at_once_each_as_it_was_asked_for(shop: Shop) -> None:
    await shop.segment("shoppers", {"type": "event", "name": "order"})
    spent = await shop.put("/v1/computed-attributes/spent", json=SPENT)
    assert spent.status_code == 200
    await shop.settled()
    known: dict[str, Any] = {"attributes": {"city": "Kyiv"}, "tags": ["vip"], "groups": ["g"]}
    known |= {"consent": [{"channel": "email", "topic": "news", "state": "opted_out"}]}
    await shop.rig.send(
        [
            Event("e", shop.workspace, "ada", PROFILE, START_MS, known),
            shop.event("ada", "order", START_MS + 1, total=2),
            shop.event("eve", "seen", START_MS),
        ]
    )
    await shop.settled()

    async def read(**asked: Any) -> Any:
        answer = await shop.post("/v1/profiles/read", json=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    asked = ["eve", "nobody", "ada", "eve"]
    assert await read(profiles=asked) == {
        "profiles": [{"profile": "eve", "fields": {}}, {"profile": "ada", "fields": {}}],
        "unknown": ["nobody"],
        "warnings": [],
    }
    parts = ["tags", "consent", "groups", "segments"]
    found = await read(profiles=asked, fields=["city", "computed:spent"], parts=parts)
    empty: dict[str, Any] = {"tags": [], "consent": [], "groups": [], "segments": []}
    assert found["profiles"][0] == {"profile": "eve", "fields": {"computed:spent": 0}, **empty}
    whole = (await shop.get("/v1/profiles/ada")).json()
    assert found["profiles"][1] == {
        "profile": "ada",
        "fields": {"city": "Kyiv", "computed:spent": 2},
        **{part: whole[part] for part in ("tags", "consent", "groups")},
        "segments": [{key: each[key] for key in ("id", "entered_at")} for each in whole["segments"]],
    }
    for body, pointer in (
        ({"profiles": ["ada"], "fields": ["computed:no"]}, "/fields"),
        ({"profiles": [f"p{at}" for at in range(1_001)]}, "/profiles"),
        ({"profiles": ["ada"], "parts": ["lists"]}, "/parts/0"),
    ):
        answer = await shop.post("/v1/profiles/read", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_a_computed_attribute_counts_history_and_what_comes(shop: Shop) -> None:
    begun_ms = await at_least(shop, START_MS)  # other tests move the clock of the log
    await shop.rig.send(
        [shop.event(who, "order", begun_ms, total=total) for who, total in (("ada", 0.1), ("bob", 400))]
    )
    await shop.settled()
    assert (await shop.put("/v1/computed-attributes/spent", json=SPENT)).status_code == 200
    asks = {"type": "attribute", "name": "computed:spent", "op": "gt", "value": 300}
    await shop.segment("big", asks)
    await shop.ready("big")

    async def value() -> Any:
        return (await shop.get("/v1/profiles/ada")).json()["computed"].get("spent")

    left = times.iso(begun_ms + 90 * DAY_MS)

    async def filled() -> bool:
        return bool(await value() == {"value": 0.1, "changes_at": left})

    await until(filled)
    assert await shop.members("big") == ["bob"]
    await shop.rig.send([shop.event("ada", "order", begun_ms + 1, total=300)])
    await shop.settled()
    assert (await value())["value"] == 300.1
    assert sorted(await shop.members("big")) == ["ada", "bob"]
    why = (await shop.get("/v1/segments/big/explanations/ada")).json()["why"]
    assert (why["type"], why["condition"], why["evidence"]["value"]) == ("attribute", asks, 300.1)
    assert (why["evidence"]["moves_at"]) == left
    last = {"name": "order", "measure": {"of": "last_at"}}
    assert (
        await shop.put("/v1/computed-attributes/spent", json={**SPENT, "window": {"last": "30d"}})
    ).status_code == 200
    assert (await shop.put("/v1/computed-attributes/last", json=last)).status_code == 200

    async def both() -> bool:
        found: dict[str, Any] = (await shop.get("/v1/profiles/ada")).json()["computed"]
        return found == {
            "last": {"value": times.iso(begun_ms + 1), "changes_at": None},
            "spent": {"value": 300.1, "changes_at": times.iso(begun_ms + 30 * DAY_MS)},
        }

    await until(both)
