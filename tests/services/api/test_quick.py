"""The shorter road of the busiest reads says what the routes say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from livesegments.api.web.quick import _asked
from tests.services.api.conftest import Client

PATHS = (
    "/v1/segments/kyiv/count",
    "/v1/segments/kyiv/members",
    "/v1/segments/kyiv/members?limit=7",
    "/v1/segments/kyiv/members/ann",
    "/v1/segments/nobody/members/ann",
    "/v1/segments/nobody/count",
    "/v1/profiles/ann",
)
REFUSED = ("?limit=0", "?limit=10001", "?limit=1&limit=2", "?limt=5", "?cursor=x", "?limit=")
Open = Callable[..., Awaitable[Client]]


def asked(path: str) -> bool:
    raw, _, query = path.encode().partition(b"?")
    return _asked({"type": "http", "method": "GET", "raw_path": raw, "query_string": query}) is not None


def test_what_is_plain_goes_the_shorter_road() -> None:
    assert all(map(asked, PATHS))
    others = (
        "/v1/segments/kyiv",
        "/v1/profiles/a%2Fb",
        "/v1/profiles/..",
        "/v1/profiles/a/b",
        "/v1/profiles/",
    )
    assert not any(map(asked, others)) and not any(
        asked(f"/v1/segments/kyiv/members{each}") for each in REFUSED
    )


@pytest.mark.parametrize("scope", ["read", "ingest"])
async def test_both_roads_say_the_same(open_workspace: Open, scope: str) -> None:
    shop, other = await open_workspace(), await open_workspace(scope)
    for client in (shop, other):
        async with Client(client.url, "admin-key-of-the-tests") as boss:
            boss.headers["X-Workspace"] = client.workspace
            await boss.segment("kyiv")
        for path in (*PATHS, *(f"/v1/segments/kyiv/members{each}" for each in REFUSED)):
            quick = await client.get(path)
            slow = await client.get(path, headers={"X-Workspace": client.workspace})
            assert (quick.status_code, quick.content) == (slow.status_code, slow.content), path
            assert quick.headers["content-type"] == slow.headers["content-type"]


@pytest.mark.parametrize("header", ["Bearer unknown", "Basic x", "", "bearer unknown"])
async def test_without_a_key_of_ours_nothing_is_said(shop: Client, header: str) -> None:
    for path in PATHS:
        answer = await shop.get(path, headers={"Authorization": header})
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"


async def test_a_key_that_was_revoked_opens_nothing(shop: Client, boss: Client) -> None:
    assert (await shop.get("/v1/segments/nobody/count")).status_code == 404
    keys = (await boss.get(f"/v1/workspaces/{shop.workspace}/keys")).json()["keys"]
    for key in keys:
        assert (await boss.delete(f"/v1/workspaces/{shop.workspace}/keys/{key['id']}")).status_code == 204
    assert (await shop.get("/v1/segments/nobody/count")).status_code == 401
