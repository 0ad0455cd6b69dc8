"""Keys, scopes, isolation; and that every error is problem+json."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from livesegments.runtime.embedded.stack import Stack
from tests.services.api.conftest import CITY, Client, running, settings

Open = Callable[..., Awaitable[Client]]


async def test_a_secret_is_shown_once_and_kept_as_a_digest(boss: Client, shop: Client) -> None:
    path = f"/v1/workspaces/{shop.workspace}/keys"
    made = await boss.make(path, name="sender", scopes=["read"])
    listed = (await boss.get(path)).json()["keys"]
    assert made["id"] in {key["id"] for key in listed}
    assert made["key"] not in str(listed)


async def test_a_revoked_key_opens_nothing(boss: Client, shop: Client) -> None:
    path = f"/v1/workspaces/{shop.workspace}/keys"
    made = await boss.make(path, name="sender", scopes=["read"])
    async with Client(shop.url, made["key"]) as sender:
        assert (await sender.get("/v1/segments")).status_code == 200
        assert (await boss.delete(f"{path}/{made['id']}")).status_code == 204
        assert (await sender.get("/v1/segments")).status_code == 401
    assert (await boss.delete(f"{path}/{made['id']}")).status_code == 404


async def test_a_key_revoked_through_one_process_opens_nothing_in_another(
    boss: Client, shop: Client, stack: Stack
) -> None:
    path = f"/v1/workspaces/{shop.workspace}/keys"
    async with running(settings(stack)) as other:
        for _ in range(5):
            made = await boss.make(path, name="sender", scopes=["read"])
            async with Client(other, made["key"]) as sender:
                for _ in range(2):
                    assert (await sender.get("/v1/segments")).status_code == 200
                assert (await boss.delete(f"{path}/{made['id']}")).status_code == 204
                assert (await sender.get("/v1/segments")).status_code == 401


async def test_a_revoked_key_opens_not_even_an_answer_that_is_kept(boss: Client, shop: Client) -> None:
    path = f"/v1/workspaces/{shop.workspace}/keys"
    made = await boss.make(path, name="writer", scopes=["write"])
    once, body = {"Idempotency-Key": "k"}, {"name": "x", "definition": CITY}
    async with Client(shop.url, made["key"]) as writer:
        assert (await writer.post("/v1/segments", json=body, headers=once)).status_code == 201
        assert (await boss.delete(f"{path}/{made['id']}")).status_code == 204
        assert (await writer.post("/v1/segments", json=body, headers=once)).status_code == 401


async def test_a_secret_is_never_kept_for_an_idempotency_key(
    boss: Client, shop: Client, stack: Stack
) -> None:
    path, once = f"/v1/workspaces/{shop.workspace}/keys", {"Idempotency-Key": "k"}
    body = {"name": "k", "scopes": ["read"]}
    made = [(await boss.post(path, json=body, headers=once)).json()["key"] for _ in range(2)]
    assert made[0] != made[1]
    async with Redis.from_url(stack.redis) as redis:
        kept = [await redis.get(key) for key in await redis.keys("{catalog}:once:*")]
    assert not any(secret.encode() in (value or b"") for secret in made for value in kept)


async def test_the_clock_of_all_workspaces_is_moved_by_those_who_operate_them(
    boss: Client, shop: Client, open_workspace: Open
) -> None:
    to = {"to": "2020-01-01T00:00:00Z"}
    assert (await shop.post("/v1/clock", json=to)).status_code == 403
    operator = await open_workspace("operate")
    for client in (boss, operator):
        assert (await client.post("/v1/clock", json=to)).status_code == 200
    assert (await operator.get("/v1/segments")).status_code == 403


async def test_scopes(open_workspace: Open) -> None:
    reader, writer = await open_workspace("read"), await open_workspace("write")
    ingest = await open_workspace("ingest")
    body = {"name": "x", "definition": CITY}
    assert (await reader.post("/v1/segments", json=body)).status_code == 403
    assert (await writer.post("/v1/segments", json=body)).status_code == 201
    assert (await writer.get("/v1/segments")).status_code == 403
    assert (await ingest.get("/v1/segments")).status_code == 403
    for client in (reader, writer, ingest):
        assert (await client.get("/v1/workspaces")).status_code == 403


async def test_no_key_no_entry(shop: Client) -> None:
    for key in (None, "ls_wrong"):
        async with Client(shop.url, key) as nobody:
            answer = await nobody.get("/v1/segments")
            assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_workspace_never_sees_another(open_workspace: Open) -> None:
    """Tries every path that OpenAPI has, and the stream."""
    one, other = await open_workspace(), await open_workspace()
    await one.segment("secret", type="static")
    assert (await other.get("/v1/segments")).json()["segments"] == []
    paths = (await other.get("/openapi.json")).json()["paths"]
    tried = 0
    for path, methods in paths.items():
        if not path.startswith("/v1/segments/{id}"):
            continue
        for method in methods:
            body: dict[str, Any] = {"name": "mine"} if method == "patch" else {"profiles": ["ada"]}
            if path.endswith("/plan"):
                body = {"definition": {"type": "tag", "name": "vip"}}
            if path.endswith("/clone"):
                body = {"name": "mine"}
            needed = [each for each in methods[method].get("parameters", []) if each["required"]]
            query = {
                each["name"]: "ada" if each["name"] == "profile" else "2024-01-01T00:00:00Z"
                for each in needed
                if each["in"] == "query"
            }
            answer = await other.request(
                method,
                path.replace("{id}", "secret").replace("{profile}", "ada").replace("{version}", "1"),
                headers={"If-Match": "*"},
                params=query,
                json=body if method in {"post", "patch", "put"} else None,
            )
            assert (answer.status_code, answer.json()["detail"]) == (
                404,
                "There is no segment 'secret' here.",
            ), (method, path)
            tried += 1
    assert tried >= 10
    assert (await other.get("/v1/transitions?segment=secret")).status_code == 404
    reference = {"type": "segment", "id": "secret"}
    assert (await other.post("/v1/segments", json={"name": "x", "definition": reference})).status_code == 422
    pretending = {"X-Workspace": one.workspace}
    assert (await other.get("/v1/segments", headers=pretending)).status_code == 403
    assert (await one.get("/v1/segments/secret")).json()["version"] == 1


async def test_an_admin_acts_where_it_says(boss: Client, shop: Client) -> None:
    await shop.segment("a")
    assert (await boss.get("/v1/segments")).status_code == 403
    there = {"X-Workspace": shop.workspace}
    assert len((await boss.get("/v1/segments", headers=there)).json()["segments"]) == 1
    assert (await boss.get("/v1/segments", headers={"X-Workspace": "nowhere"})).status_code == 404


@pytest.mark.parametrize("timezone", ["Mars/Olympus", "", "../../etc/passwd", "Europe"])
async def test_a_workspace_has_a_real_time_zone(boss: Client, timezone: str) -> None:
    answer = await boss.post("/v1/workspaces", json={"name": "x", "timezone": timezone})
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/timezone"]


async def test_of_two_workspaces_of_one_id_one_is_made(boss: Client) -> None:
    await boss.make("/v1/workspaces", id="acme", name="Acme")
    assert (await boss.post("/v1/workspaces", json={"id": "acme", "name": "Other"})).status_code == 409


JSON = {"Content-Type": "application/json"}
BAD = [
    ("GET", "/nowhere", {}, 404),
    ("PUT", "/v1/segments", {}, 405),
    ("GET", "/v1/segments/none", {}, 404),
    ("GET", "/v1/segments?limit=0", {}, 422),
    ("GET", "/v1/segments?cursor=???", {}, 422),
    ("GET", "/v1/segments?serach=x", {}, 422),
    ("GET", "/v1/segments/none?include=times", {}, 422),
    ("GET", "/v1/transitions?segmnt=x", {}, 422),
    ("GET", "/v1/profiles/nobody", {}, 404),
    ("POST", "/v1/segments", {"content": b"{", "headers": JSON}, 400),
    ("POST", "/v1/segments", {"content": b"[" * 100_000, "headers": JSON}, 400),
    ("POST", "/v1/segments", {"content": b" " * 2_000_000, "headers": JSON}, 413),
    ("POST", "/v1/segments", {"content": b'{"name": "\\ud800"}', "headers": JSON}, 400),
    ("POST", "/v1/segments", {"json": {"name": "x", "definition": None}}, 422),
    ("POST", "/v1/segments", {"json": []}, 422),
    ("POST", "/v1/segments", {"content": b"{}", "headers": {"Content-Type": "text/plain"}}, 415),
    ("POST", "/v1/segments", {"content": b"{}"}, 415),
    ("POST", "/v1/segments", {}, 422),
    ("GET", "/v1/workspaces", {}, 403),
    ("PATCH", "/v1/segments/none", {"json": {"name": "x"}, "headers": {"If-Match": "*"}}, 404),
    ("POST", "/v1/segments/none/members/check", {"json": {"profiles": ["a"] * 1_001}}, 422),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "request_", "status"), BAD)
async def test_every_error_is_a_problem(
    shop: Client, method: str, path: str, request_: dict[str, object], status: int
) -> None:
    answer = await shop.request(method, path, **request_)  # type: ignore[arg-type]
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["type"]) == (status, "about:blank") and body["title"] and body["detail"]
    if status == 422:
        assert body["errors"]


async def test_metrics_and_health_need_no_key(shop: Client) -> None:
    await shop.segment("a")
    async with Client(shop.url, None) as machine:
        assert (
            (await machine.get("/healthz")).json()
            == (await machine.get("/readyz")).json()
            == {"status": "ok"}
        )
        told = (await machine.get("/metrics")).text
        for path in ("/healthz", "/readyz", "/metrics"):
            asked = await machine.head(path)
            assert (asked.status_code, asked.content) == (200, b"")
    line = 'livesegments_api_requests_total{method="POST",path="/v1/segments",status="201"}'
    assert any(each.startswith(line) for each in told.splitlines())
