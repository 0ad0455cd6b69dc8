"""Every page that is registered: nothing that came in is markup, and axe has nothing to say, in light and dark, on a phone and
on a screen."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from livesegments.console.page import Page as Registered
from livesegments.console.pages.everything import PAGES
from tests.services.console.conftest import HOSTILE, LISTED, PROFILE, OpenPage, Shop, whole

EXAMPLES = {"id": "hostile-0", "segment": LISTED, "profile:path": PROFILE, "profile": PROFILE}
"""What the parts of paths stand for; a page with another part gets a line here."""
LOOKS = [("light", 1280), ("dark", 375)]
AXE = {"resultTypes": ["violations"], "preload": False, "rules": {"target-size": {"enabled": True}}}


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
    page = await open_page(example(registered, shop), key=shop.admin_key if registered.admin else shop.key)
    assert page.url.startswith(shop.console + registered.path.split("{")[0])
    await harmless(page)
    complaints = list(page.complaints)  # type: ignore[attr-defined]
    assert complaints == []
    for theme, width in LOOKS:
        await page.set_viewport_size({"width": width, "height": 900})
        await page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        found = (await Axe().run(page, options=AXE)).response["violations"]
        assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == [], (
            theme,
            width,
        )
        wide = await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, f"the page can be pushed sideways at {width} px"
    page.complaints.clear()  # type: ignore[attr-defined]  # axe puts styles into the page


async def harmless(page: Page) -> None:
    assert await page.evaluate("window.hacked") is None
    assert await page.locator("#app img[src=x], #app b, #app script, a[href^='javascript:' i]").count() == 0
    assert "49" not in re.findall(r"\b49\b", await page.locator("#content").inner_text())


async def test_hostile_names_are_shown_as_they_are(open_page: OpenPage) -> None:
    page = await open_page("/segments")
    for name in HOSTILE[:4]:
        await page.get_by_role("link", name=name).first.wait_for()


async def test_the_keyboard_comes_to_the_content_at_once(open_page: OpenPage) -> None:
    page = await open_page("/segments")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "content"


async def test_a_theme_that_was_chosen_stays(open_page: OpenPage) -> None:
    page = await open_page("/segments", alone=True)
    before = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    await page.get_by_role("button", name="Light or dark").click()
    await page.wait_for_function("document.body.classList.contains('body--dark')")
    await page.reload()
    await whole(page)
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    assert await page.evaluate("document.body.classList.contains('body--dark')")
