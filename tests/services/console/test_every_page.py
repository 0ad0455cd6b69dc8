"""Every page that is registered: nothing that came in is markup, and it is for everybody, in light and dark, on a phone and on a
screen."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from livesegments.console.page import Page as Registered
from livesegments.console.pages.everything import PAGES
from tests.services.console.conftest import HOSTILE, LISTED, PROFILE, OpenPage, Shop, whole
from tests.services.console.looks import for_everybody

EXAMPLES = {"id": "hostile-0", "segment": LISTED, "profile:path": PROFILE, "profile": PROFILE}
"""What the parts of paths stand for; a page with another part gets a line here."""


def example(page: Registered, shop: Shop) -> str:
    from urllib.parse import quote  # noqa: PLC0415

    examples = {
        **EXAMPLES,
        "subscription": shop.subscription,
        "import": shop.imported,
        "workspace": shop.workspace,
    }
    return re.sub(r"\{(.+?)}", lambda part: quote(examples[part[1]], safe=""), page.path)


@pytest.mark.parametrize("registered", PAGES, ids=lambda page: page.path)
async def test_a_page_is_harmless_and_for_everybody(
    open_page: OpenPage, shop: Shop, registered: Registered
) -> None:
    key = shop.admin_key if registered.admin else shop.key
    page = await open_page(example(registered, shop), key=key, kept=True)
    await expect(page).to_have_url(re.compile("^" + re.escape(shop.console + registered.path.split("{")[0])))
    await harmless(page)
    await for_everybody(page, with_frame=registered is PAGES[0])


async def harmless(page: Page) -> None:
    assert await page.evaluate("window.hacked") is None
    await expect(
        page.locator("#app img[src=x], #app b, #app script, a[href^='javascript:' i]")
    ).to_have_count(0)
    shown = await page.locator("#content").inner_text()
    assert re.findall(r"(?<!:)\b49\b(?!:)", shown) == []  # 7 × 7; minutes and seconds may be 49


async def test_hostile_names_are_shown_as_they_are(open_page: OpenPage) -> None:
    page = await open_page("/segments")
    for name in HOSTILE[:4]:
        await page.get_by_role("link", name=name).first.wait_for()


async def test_the_keyboard_comes_to_the_content_at_once(open_page: OpenPage) -> None:
    page = await open_page("/segments")
    await page.keyboard.press("Tab")
    await expect(page.get_by_text("Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#content")).to_be_focused()


async def test_a_theme_that_was_chosen_stays(open_page: OpenPage) -> None:
    page = await open_page("/segments", alone=True)
    before = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    await page.get_by_role("button", name="Light or dark").click()
    await page.wait_for_function("document.body.classList.contains('body--dark')")
    await page.reload()
    await whole(page)
    await page.wait_for_function("document.body.classList.contains('body--dark')")
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") != before


async def test_an_unknown_path_is_a_page_with_a_way_back(open_page: OpenPage, shop: Shop) -> None:
    page = await open_page("/segments")
    answer = await page.goto(f"{shop.console}/no/such/%3Cb%3Epage")
    await whole(page)
    assert answer is not None and answer.status == 404
    page.complaints.clear()  # type: ignore[attr-defined]  # the browser's, of the status
    await harmless(page)
    await for_everybody(page)
    await page.get_by_role("link", name="To the beginning").click()
    await page.wait_for_url("**/segments")
