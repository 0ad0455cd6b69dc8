"""The audit log: every change has its entry, which outlives Redis; nobody else sees it, and it has bounds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from livesegments.api.operations import erasures
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys
from livesegments.store.audit_log import BESIDE, KINDS, AuditLog
from livesegments.store.catalog import Catalog
from livesegments.wire import catalog as wire
from tests.services.api.conftest import ADMIN_KEY, CITY, Client, running, settings, until

Open = Callable[..., Awaitable[Client]]
LIST = {"values": ["a", "b"]}


async def told(who: Client, **query: Any) -> list[dict[str, Any]]:
    """All entries that fit, the newest first, in pages of three."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = (
            await who.get("/v1/audit", params={**query, "limit": 3, **({"cursor": cursor} if cursor else {})})
        ).json()
        found += page["entries"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def change(shop: Client, method: str, path: str, **given: Any) -> Any:
    answer = await shop.request(method, path, **given)
    assert answer.is_success, answer.text
    return answer


async def test_every_change_says_who_made_it_and_what_it_changed(shop: Client) -> None:
    made = await shop.post(
        "/v1/segments",
        json={"id": "vip", "name": "VIP", "definition": CITY},
        headers={"X-Request-Id": "order-17"},
    )
    assert made.headers["X-Request-Id"] == "order-17"
    refused = await shop.post("/v1/segments", json={"id": "vip", "name": "VIP", "definition": CITY})
    assert refused.status_code == 409 and refused.headers["X-Request-Id"]
    other = {"type": "attribute", "name": "city", "op": "eq", "value": "Lviv"}
    anyhow = {"If-Match": "*"}
    await change(shop, "PATCH", "/v1/segments/vip", json={"definition": other}, headers=anyhow)
    await change(shop, "POST", "/v1/segments/vip/versions/1/rollback")
    await change(shop, "POST", "/v1/segments/vip/archive")
    await change(shop, "POST", "/v1/segments/vip/unarchive")
    await change(shop, "DELETE", "/v1/segments/vip")
    entries = await told(shop, kind="segment", target="vip")
    actions = ["delete", "restore", "archive", "rollback", "edit", "create"]
    assert [each["action"] for each in entries] == actions
    assert {(each["by"], each["name"]) for each in entries} == {("k", "VIP")}
    first, last = entries[-1], entries[0]
    assert (first["before"], first["request"], first["after"]["version"]) == (None, "order-17", 1)
    assert (last["after"], last["before"]["version"]) == (None, 5)
    for older, newer in zip(entries[:0:-1], entries[-2::-1], strict=True):
        assert newer["before"] == older["after"], "no change between two entries is missing"


async def test_each_kind_of_change_is_in_it(
    shop: Client, boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures, "APPLIED_S", 0.0)  # no evaluator runs here
    measure = {"name": "order_placed", "measure": {"of": "count"}}
    hook = {"name": "hook", "webhook": {"url": "https://example.com/in"}}
    for method, path, body in (
        ("PUT", "/v1/value-lists/cities", LIST),
        ("DELETE", "/v1/value-lists/cities", None),
        ("PUT", "/v1/computed-attributes/orders", measure),
        ("PUT", "/v1/fields/a%2Fb", {"type": "text"}),
        ("POST", "/v1/subscriptions", hook),
        ("POST", "/v1/segments", {"id": "fans", "name": "fans", "type": "static"}),
        ("POST", "/v1/segments/fans/exports", {}),
        ("POST", "/v1/erasures", {"profile": "ada@example.com"}),
    ):
        await change(shop, method, path, **({} if body is None else {"json": body}))
    path = f"/v1/workspaces/{shop.workspace}"
    made = (await change(boss, "POST", f"{path}/keys", json={"name": "x", "scopes": ["read"]})).json()
    await change(boss, "DELETE", f"{path}/keys/{made['id']}")
    await change(boss, "PATCH", path, json={"name": "New"}, headers={"If-Match": "*"})
    entries = await told(shop)
    assert [(each["action"], each["kind"]) for each in reversed(entries)] == [
        ("create", "workspace"),
        ("create", "key"),
        ("create", "value_list"),
        ("delete", "value_list"),
        ("create", "computed_attribute"),
        ("create", "field"),
        ("create", "subscription"),
        ("create", "segment"),
        ("start", "export"),
        ("start", "erasure"),
        ("create", "key"),
        ("revoke", "key"),
        ("edit", "workspace"),
    ]
    assert {each["by"] for each in entries} == {"admin", "k"}
    assert [each["target"] for each in entries if each["kind"] == "field"] == ["a/b"]
    assert [each["target"] for each in entries if each["action"] == "revoke"] == [made["id"]]
    assert "ada@example.com" not in str(entries) and made["key"] not in str(entries)
    assert [each["kind"] for each in await told(shop, by="admin", action="edit")] == ["workspace"]


async def test_members_of_a_list_are_in_it_by_their_number_and_the_first_of_them(
    shop: Client, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures, "APPLIED_S", 0.0)  # no evaluator runs here
    await shop.segment("fans", type="static")
    many = [f"p{number}" for number in range(1_000)]
    await change(shop, "POST", "/v1/segments/fans/members", json={"profiles": many})
    await change(shop, "POST", "/v1/segments/fans/members", json={"profiles": ["ann", "bob", "ann"]})
    await change(shop, "POST", "/v1/segments/fans/members/remove", json={"profiles": ["bob", "ann"]})
    await change(shop, "DELETE", "/v1/segments/fans/members/p1")
    expected = [
        ("remove_members", "1 profile", ["p1"]),
        ("remove_members", "2 profiles", ["bob", "ann"]),
        ("add_members", "2 profiles", ["ann", "bob"]),
        ("add_members", "1,000 profiles", many[:10]),
    ]
    entries = (await told(shop, kind="segment", target="fans"))[:4]
    assert [(each["action"], each["note"], each["profiles"]) for each in entries] == expected
    assert {each["by"] for each in entries} == {"k"}
    await change(shop, "POST", "/v1/erasures", json={"profile": "ann"})
    entries = (await told(shop, kind="segment", target="fans"))[:4]
    assert [each["profiles"] for each in entries] == [["p1"], ["bob"], ["bob"], many[:10]]
    async with Redis.from_url(stack.redis) as redis:
        assert '"ann"' not in str(await redis.hvals(keys.catalog_audit(shop.workspace)))
        log = AuditLog(redis, Catalog(redis).changes, lambda: 0)
        assert await log.trim(shop.workspace, 8, 0) == 2, "a quarter of what is kept may be about members"
    assert [each["profiles"] for each in await told(shop, target="fans")] == [["p1"], ["bob"], []]


async def test_a_refused_change_leaves_none_and_another_workspace_sees_none(open_workspace: Open) -> None:
    one, other = await open_workspace(), await open_workspace()
    assert (await one.delete("/v1/segments/none")).status_code == 404
    assert (await one.post("/v1/segments", json={"name": ""})).status_code == 422
    await one.segment("secret")
    assert [each["target"] for each in await told(one, kind="segment")] == ["secret"]
    assert await told(other, kind="segment") == []
    pretending = {"X-Workspace": one.workspace}
    assert (await other.get("/v1/audit", headers=pretending)).status_code == 403


async def test_times_and_what_isnt_a_cursor(shop: Client) -> None:
    await shop.segment("a")
    assert await told(shop, until="2020-01-01T00:00:00Z") == []
    assert len(await told(shop, since="2020-01-01T00:00:00Z")) == 3
    assert (await shop.get("/v1/audit?since=soon")).status_code == 422
    assert (await shop.get("/v1/audit?cursor=x")).status_code == 422


async def test_it_comes_back_when_the_store_was_lost(stack: Stack) -> None:
    async with running(settings(stack)) as url, Client(url, ADMIN_KEY) as admin:
        workspace = (await admin.make("/v1/workspaces", name="lost"))["id"]
        there = {"X-Workspace": workspace}
        made = await admin.post("/v1/segments", json={"name": "x", "type": "static"}, headers=there)
        assert made.status_code == 201
        before = (await admin.get("/v1/audit", headers=there)).json()
        assert [each["kind"] for each in before["entries"]] == ["segment", "workspace"]
        async with Redis.from_url(stack.redis) as redis:
            await redis.flushall()

        async def back() -> bool:
            answer = await admin.get("/v1/audit", headers=there)
            return answer.is_success and answer.json() == before

        await until(back)


async def test_it_is_cut_to_its_bounds(shop: Client, stack: Stack) -> None:
    for number in range(4):
        await shop.segment(f"s{number}")
    entries = await told(shop)
    async with Redis.from_url(stack.redis) as redis:
        log = AuditLog(redis, Catalog(redis).changes, lambda: 0)
        assert await log.trim(shop.workspace, 100, 0) == 0
        assert await log.trim(shop.workspace, 3, 0) == len(entries) - 3
        assert await told(shop) == entries[:3]
        assert await log.trim(shop.workspace, 3, 1 << 42) == 3
        assert await redis.exists(keys.catalog_audit(shop.workspace)) == 0


def test_no_kind_of_entry_is_left_out() -> None:
    """A new kind of the catalogue is audited, or is written beside others."""
    assert {kind for kind, _ in wire._KINDS} == KINDS.keys() | BESIDE
