"""Profiles, the live feed, subscriptions and fields, in a real browser."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.async_api import expect

from livesegments.client import fields, subscriptions
from tests.services.console.conftest import HOSTILE, PROFILE, TIME, OpenPage, Shop, whole
from tests.services.console.test_every_page import harmless

WHO = f"/profiles/{quote(PROFILE, safe='')}"
SOON_MS = 60_000


@pytest.mark.parametrize("tab", ["timeline", "why"])
async def test_what_happened_and_why_is_shown_as_it_came(open_page: OpenPage, tab: str) -> None:
    page = await open_page(f"{WHO}?tab={tab}&segment=hostile-6")
    await harmless(page)
    if tab == "timeline":
        await expect(page.get_by_role("link", name=f"Entered {HOSTILE[6]}")).to_be_visible()
        return
    await expect(page.get_by_text("Is in it", exact=True)).to_be_visible()
    await page.get_by_text("1 event behind it").click()
    await page.get_by_label("Another segment").fill("zzz")
    await expect(page.get_by_text("No segment has that in its name.")).to_be_visible(timeout=SOON_MS)


async def test_a_profile_is_sought_by_its_id_and_by_a_value(open_page: OpenPage, shop: Shop) -> None:
    page = await open_page("/profiles")
    await page.get_by_role("searchbox").fill(PROFILE)
    await page.get_by_role("button", name="Find").click()
    await page.get_by_role("link", name=PROFILE).click()
    await expect(page.get_by_role("heading", name=PROFILE, exact=True)).to_be_visible(timeout=SOON_MS)
    name = quote(HOSTILE[1])
    await page.goto(f"{shop.console}/profiles?text={name}&by=attribute:{name}")
    await expect(page.get_by_role("link", name=PROFILE)).to_be_visible(timeout=SOON_MS)


async def test_the_feed_is_live_and_waits_while_it_is_paused(open_page: OpenPage, shop: Shop) -> None:
    page = await open_page("/feed?segment=hostile-6")
    await expect(page.get_by_text("Listening.")).to_be_visible()

    async def enters(profile: str) -> None:
        name = HOSTILE[6]
        event = {"id": f"feed-{profile}", "profile": profile, "name": name, "time": TIME}
        await shop.send({**event, "properties": {name: name}})

    rows = page.get_by_role("row")
    await enters("feeder-1")
    await expect(rows.filter(has_text="feeder-1")).to_be_visible(timeout=SOON_MS)
    await page.get_by_role("button", name="Pause").click()
    await enters("feeder-2")
    await expect(page.get_by_text("1 wait")).to_be_visible(timeout=SOON_MS)
    await expect(rows.filter(has_text="feeder-2")).to_have_count(0)
    await page.get_by_role("button", name="Go on").click()
    await expect(rows.nth(1)).to_contain_text("feeder-2", timeout=SOON_MS)
    await page.get_by_role("searchbox", name="Segment").fill("hostile-5")
    await page.get_by_role("group", name="Segment: found").get_by_role("button").click()
    await page.wait_for_url("**/feed?segment=hostile-5")
    await page.get_by_role("group", name="Segment: chosen").get_by_role("button").click()
    await page.wait_for_url("**/feed")
    await harmless(page)


async def test_a_subscription_is_made_paused_and_deleted(open_page: OpenPage, shop: Shop) -> None:
    page = await open_page("/subscriptions/new")
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_text("Give it a name")).to_be_visible()
    await page.get_by_label("Name").fill("To Slack")
    await page.get_by_label("Form of the messages").select_option("slack")
    await page.get_by_label("Address").fill("https://hooks.example.com/slack")
    await page.get_by_role("button", name="Create").click()
    secret = await page.get_by_role("textbox", name="Secret").input_value(timeout=SOON_MS)
    assert secret.startswith("whsec_")
    await page.get_by_role("button", name="I have noted it").click()
    await expect(page.get_by_role("heading", name="To Slack")).to_be_visible(timeout=SOON_MS)
    await whole(page)
    assert secret not in await page.content()
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("Paused", exact=True)).to_be_visible(timeout=SOON_MS)
    await page.get_by_role("button", name="Delete …").click()
    await page.get_by_role("dialog").last.get_by_role("button", name="Delete").click()
    await page.wait_for_url("**/subscriptions")
    async with shop.client() as client:
        left = (await client.send(subscriptions.read_all())).subscriptions
    assert "To Slack" not in [each.name for each in left]


async def test_what_would_not_fit_is_counted_before_anything_is_declared(
    open_page: OpenPage, shop: Shop
) -> None:
    page = await open_page("/fields")
    await page.get_by_role("button", name="Declare an attribute").click()
    dialog = page.get_by_role("dialog").last
    await dialog.get_by_label("Name", exact=True).fill(HOSTILE[3])
    await dialog.get_by_label("Type").select_option("number")
    await dialog.get_by_role("button", name="Declare").click()
    await expect(dialog.get_by_text("Nothing is declared yet")).to_be_visible(timeout=SOON_MS)
    async with shop.client() as client:
        assert HOSTILE[3] not in [each.name for each in (await client.send(fields.read_all())).fields]
    await harmless(page)


async def test_who_may_only_read_is_offered_nothing_else(open_page: OpenPage, shop: Shop) -> None:
    page = await open_page(WHO, key=(await shop.made_key("read")).key)
    await expect(page.get_by_role("button", name="Erase")).to_have_count(0)
    for path, words in (("/subscriptions", "New subscription"), ("/fields", "Declare an attribute")):
        await page.goto(shop.console + path)
        await whole(page)
        await expect(page.get_by_text(words)).to_have_count(0)
