"""Nothing of one workspace is visible to another by any route; an admin sees and acts across them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from tests.services.api.conftest import Client

Open = Callable[..., Awaitable[Client]]
MARK = "zebra-of-another"
"""In every name that the one workspace gives."""
OWN = {"/v1/workspaces", "/v1/admin"}
PART = re.compile(r"\{(\w+)\}")
BODIES = ("post", "put", "patch")


async def furnished(one: Client, boss: Client) -> dict[str, str]:
    """One of everything in a workspace; what stands for which part of which path."""
    named = {"name": MARK, "description": MARK}
    await one.make("/v1/segments", id="secret", type="static", **named)
    for path, body in (
        ("/v1/computed-attributes/sums", {"name": "x", "measure": {"of": "count"}, "description": MARK}),
        ("/v1/value-lists/lists", {"values": [MARK]}),
        ("/v1/fields/plan", {"type": "text", "label": MARK}),
    ):
        assert (await one.put(path, json=body)).is_success
    hook = {"name": MARK, "webhook": {"url": f"https://example.com/{MARK}"}}
    subscription = (await one.make("/v1/subscriptions", **hook))["id"]
    export = (await one.post("/v1/segments/secret/exports", json={})).json()["id"]
    imported = (await one.make("/v1/imports", file_name=f"{MARK}.csv"))["id"]
    assert (await one.put(f"/v1/imports/{imported}/file", content=f"id\n{MARK}\n".encode())).is_success
    counted = {"action": "delete", "profiles": [MARK]}
    token = (await one.post("/v1/mass-jobs/count", json=counted)).json()["confirm"]
    audience = {"include": ["secret"]}
    frozen = (await one.post("/v1/audiences/frozen", json={"audience": audience})).json()["token"]
    saved = {"segment": "secret", "audience": audience, "how": "remove"}
    listed = (await one.post("/v1/list-jobs", json=saved)).json()["id"]
    key = (await boss.get(f"/v1/workspaces/{one.workspace}/keys")).json()["keys"][0]["id"]
    return {
        "/v1/segments/{id}": "secret",
        "/v1/computed-attributes/{id}": "sums",
        "/v1/value-lists/{id}": "lists",
        "/v1/subscriptions/{id}": subscription,
        "/v1/imports/{id}": imported,
        "/v1/mass-jobs/{id}": token,
        "/v1/list-jobs/{id}": listed,
        "{token}": frozen,
        "/v1/workspaces/{id}": one.workspace,
        "/v1/rejected/{id}": "0-0",
        "/v1/erasures/{id}": "0-0",
        "{name}": "plan",
        "{export}": export,
        "{key_id}": key,
        "{version}": "1",
        "{profile}": MARK.replace("zebra", "zebu"),
    }


def filled(path: str, ids: dict[str, str]) -> str:
    """The path with the ids of the one workspace, or with what nobody has."""
    for part in PART.findall(path):
        known = [value for at, value in ids.items() if part == "id" and path.startswith(at)]
        path = path.replace(f"{{{part}}}", known[0] if known else ids.get(f"{{{part}}}", "0123"))
    return path


def queried(operation: Any) -> dict[str, str]:
    """The parameters that it needs."""
    needed = [each for each in operation.get("parameters", []) if each["required"] and each["in"] == "query"]
    return {each["name"]: MARK if each["name"] == "profile" else "2024-01-01T00:00:00Z" for each in needed}


async def told(one: Client) -> list[Any]:
    """All that a workspace's own key reads of it."""
    paths = (
        "/v1/segments", "/v1/computed-attributes", "/v1/value-lists", "/v1/fields", "/v1/subscriptions", "/v1/imports",
        "/v1/segments/secret/exports", "/v1/workspace",
    )  # fmt: skip
    found = [(await one.get(path)).json() for path in paths]
    for export in found[6]["exports"]:  # it may be made meanwhile, in its own time
        for moving in ("state", "progress", "rows", "bytes", "file", "ended_at", "kept_until"):
            export.pop(moving)
    return found


async def test_no_route_shows_or_changes_anything_of_another_workspace(
    open_workspace: Open, boss: Client
) -> None:
    one, other = await open_workspace(), await open_workspace("read", "write", "ingest")
    ids = await furnished(one, boss)
    before = await told(one)
    assert MARK in str(before)
    paths = (await other.get("/openapi.json")).json()["paths"]
    tried = 0
    for path, methods in paths.items():
        if not path.startswith("/v1/") or path == "/v1/transitions":
            continue
        for method, operation in methods.items():
            asked: dict[str, Any] = {"params": queried(operation), "headers": {"If-Match": "*"}}
            if method in BODIES and path != "/v1/imports/{id}/file":
                asked["json"] = {}
            answer = await other.request(method, filled(path, ids), **asked)
            tried += 1
            assert MARK not in answer.text, (method, path, answer.text)
            if path.startswith(tuple(OWN)):
                assert answer.status_code == 403, (method, path)
            elif "{id}" in path or "{export}" in path or "{token}" in path:
                if (method, path) == ("get", "/v1/erasures/{id}"):
                    assert answer.json()["state"] == "accepted"  # whose it is, is known once it is applied
                    continue
                assert answer.status_code in (403, 404, 409, 410, 422), (method, path, answer.status_code)
                if method in ("get", "delete"):
                    assert answer.status_code != 422, (method, path, answer.text)
            if "X-Workspace" in {each["name"] for each in operation.get("parameters", [])}:
                asked["headers"]["X-Workspace"] = one.workspace
                pretending = await other.request(method, filled(path, ids), **asked)
                assert pretending.status_code in (403, 404), (method, path, pretending.status_code)
    assert tried > 100
    assert await told(one) == before


async def test_an_admin_sees_the_segments_of_all_companies_and_filters_by_company(
    open_workspace: Open, boss: Client
) -> None:
    one, other = await open_workspace(), await open_workspace()
    for client in (one, other):
        for number in range(3):
            await client.segment(f"across-{number}", name=f"Across {number} of {client.workspace}")

    async def listed(limit: int = 4, **asked: Any) -> list[tuple[str, str]]:
        """Page by page: the workspace and the id of each segment."""
        found: list[Any] = []
        query: dict[str, Any] = {"search": "ACROSS", "limit": limit, **asked}
        while True:
            page = (await boss.get("/v1/admin/segments", params=query)).json()
            found += page["segments"]
            query["cursor"] = page["next_cursor"]
            if query["cursor"] is None:
                return [(each["workspace"], each["segment"]["id"]) for each in found]

    names = {each["id"]: each["name"] for each in (await boss.get("/v1/workspaces")).json()["workspaces"]}
    companies = sorted((one.workspace, other.workspace), key=lambda id_: (names[id_].casefold(), id_))
    by_company = [(id_, f"across-{number}") for id_ in companies for number in range(3)]
    assert await listed() == by_company == await listed(limit=1)
    assert await listed(order="desc") == by_company[::-1] == await listed(limit=1, order="desc")
    by_name = sorted(by_company, key=lambda each: f"{each[1]} of {each[0]}")
    for limit in (1, 4, 100):
        assert (
            await listed(limit, sort="name")
            == by_name
            == (await listed(limit, sort="name", order="desc"))[::-1]
        )
        for sort in ("created", "size"):  # of all equal ones the ids decide
            assert sorted(await listed(limit, sort=sort)) == sorted(by_company)
    by_names = {"search": "ACROSS", "limit": "1", "sort": "name"}
    cursor = (await boss.get("/v1/admin/segments", params=by_names)).json()["next_cursor"]
    foreign = await boss.get("/v1/admin/segments", params={**by_names, "sort": "size", "cursor": cursor})
    assert foreign.status_code == 422
    query: dict[str, Any] = {"workspace": [one.workspace], "search": "2 of"}
    (only,) = (await boss.get("/v1/admin/segments", params=query)).json()["segments"]
    assert only["segment"]["name"] == f"Across 2 of {one.workspace}" and only["workspace_name"]
    there = (await boss.get("/v1/workspaces", params={"search": one.workspace.upper()})).json()
    assert [each["id"] for each in there["workspaces"]] == [one.workspace]
    assert (await one.get("/v1/admin/segments")).status_code == 403
