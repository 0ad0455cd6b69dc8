"""Signing in, being signed out, and coming back to where one was."""

from __future__ import annotations

import re

import httpx
from playwright.async_api import expect

from livesegments.client import AsyncClient, keys
from tests.services.console.conftest import OpenPage, Shop, sign_in, whole


async def test_the_key_is_nowhere_in_the_browser(open_page: OpenPage, shop: Shop) -> None:
    page = await open_page("/segments")
    (cookie,) = [each for each in await page.context.cookies() if each["name"] != "theme"]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax" and shop.key not in cookie["value"]
    kept = await page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert shop.key not in kept + await page.content()
    assert cookie["value"] not in kept


async def test_one_comes_back_to_where_one_was(open_page: OpenPage, shop: Shop) -> None:
    page = await open_page("/segments?search=img", key=None)
    await sign_in(page, "ls_wrong")
    await expect(page.locator("#message")).to_contain_text("does not know this key")
    page.complaints.clear()  # type: ignore[attr-defined]  # the browser notes the status 401
    await sign_in(page, shop.key)
    await whole(page)
    await expect(page).to_have_url(f"{shop.console}/segments?search=img")


async def test_signing_out_ends_all_pages_of_the_session(open_page: OpenPage, shop: Shop) -> None:
    page = await open_page("/segments", alone=True)
    other = await page.context.new_page()
    await other.goto(f"{shop.console}/segments")
    await whole(other)
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url("**/sign-in?reason=out*")
    await other.wait_for_url("**/sign-in?**")
    await other.goto(f"{shop.console}/segments")
    await expect(other).to_have_url(re.compile("/sign-in"))
    page.complaints.clear()  # type: ignore[attr-defined]


async def test_a_key_that_is_revoked_leads_to_the_sign_in_page(open_page: OpenPage, shop: Shop) -> None:
    made = await shop.made_key("read")
    page = await open_page("/segments", key=made.key)
    async with AsyncClient(shop.api, shop.admin_key) as admin:
        await admin.send(keys.revoke(shop.workspace, made.id))
    await page.reload()
    await page.wait_for_url("**/sign-in?reason=refused&next=%2Fsegments")
    await expect(page.locator("#message")).to_contain_text("does not take that key any more")
    await sign_in(page, shop.key)
    await page.wait_for_url("**/segments")


async def test_what_the_key_may_not_is_not_offered(open_page: OpenPage, shop: Shop) -> None:
    made = await shop.made_key("read")
    page = await open_page("/segments", key=made.key)
    await expect(page.get_by_role("link", name="Companies")).to_have_count(0)
    sender = await shop.made_key("ingest")
    page = await open_page("/segments", key=None)
    await sign_in(page, sender.key)
    await expect(page.locator("#message")).to_contain_text("may only send events")
    page.complaints.clear()  # type: ignore[attr-defined]  # the browser notes the status 403


async def test_every_answer_has_a_policy_and_no_other_page_speaks_for_ours(shop: Shop) -> None:
    async with httpx.AsyncClient(base_url=shop.console) as client:
        ours = {"Origin": shop.console}
        signed = await client.post(
            "/sign-in", data={"key": shop.key, "next": "//evil.example/"}, headers=ours
        )
        assert signed.headers["Location"] == "/"
        for path in ("/segments", "/sign-in", "/healthz", "/nowhere", "/_nicegui/x", "/metrics"):
            answer = await client.get(path)
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy, path
            assert "http" not in policy and answer.headers["X-Content-Type-Options"] == "nosniff"
        for foreign in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {}):
            for path in ("/sign-in", "/sign-out"):
                answer = await client.post(path, data={"key": shop.key}, headers=foreign)
                assert answer.status_code == 403, (path, foreign)
        assert (await client.get("/session")).status_code == 204


async def test_a_page_cannot_be_made_to_load_from_elsewhere(shop: Shop) -> None:
    async with httpx.AsyncClient(base_url=shop.console) as client:
        await client.post("/sign-in", data={"key": shop.key}, headers={"Origin": shop.console})
        answer = await client.get("/segments", headers={"X-Forwarded-Prefix": "//evil.example"})
        assert answer.status_code == 200 and "evil.example" not in answer.text
