"""The api is restarted under an open page: the page says so, and goes on by itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.async_api import expect

from livesegments.client import segments
from tests.product import Product
from tests.services.console.conftest import OpenPage, Shop

AWHILE_MS = 90_000


def api_process(product: Product) -> int:
    """The child of `up` that is the api."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            command = (entry / "cmdline").read_text()
        except OSError:  # it has just ended
            continue
        if parent == str(product.process.pid) and "livesegments.api.app" in command:
            return int(entry.name)
    raise AssertionError("no api runs")


@contextmanager
def api_away(product: Product) -> Iterator[None]:
    """Kills the api; `up`, which would start it again at once, stands still meanwhile."""
    product.process.send_signal(signal.SIGSTOP)
    try:
        os.kill(api_process(product), signal.SIGKILL)
        yield
    finally:
        product.process.send_signal(signal.SIGCONT)


async def test_pages_go_on_when_the_api_is_back(open_page: OpenPage, shop: Shop, product: Product) -> None:
    """One that is open, and one that was asked for meanwhile."""
    page = await open_page("/segments?search=Restarted")
    await expect(page.locator("#content")).to_contain_text("No segment fits")
    other = await page.context.new_page()
    with api_away(product):
        await expect(page.locator(".banner")).to_contain_text("does not answer", timeout=AWHILE_MS)
        await other.goto(f"{shop.console}/segments", timeout=AWHILE_MS)
        await expect(other.get_by_role("navigation", name="Pages")).to_be_visible()
        assert (
            await other.locator("header .workspace").inner_text()
            == await page.locator("header .workspace").inner_text()
        )
        away = other.get_by_role("heading", name="The api does not answer")
        await expect(away).to_be_visible(timeout=AWHILE_MS)
    await expect(page.locator(".banner")).to_be_empty(timeout=AWHILE_MS)
    await expect(other.get_by_role("heading", name="Segments")).to_be_visible(timeout=AWHILE_MS)
    await other.close()
    async with shop.client() as client:
        await client.send(segments.create("Restarted", {"type": "tag", "name": "x"}, id="restarted"))
    await expect(page.locator("tbody")).to_contain_text("Restarted")


async def test_while_the_api_hangs_a_save_shows_that_it_is_under_way_and_is_done_once(
    open_page: OpenPage, shop: Shop, product: Product
) -> None:
    page = await open_page("/segments/new")
    await page.get_by_label("Name", exact=True).fill("Hung up")
    await page.get_by_role("button", name="Has a tag").click()
    await page.get_by_label("Tag", exact=True).fill("hung")
    await page.locator(".preview [data-count][data-exact]").wait_for()
    save = page.get_by_role("button", name="Save")
    api = api_process(product)
    os.kill(api, signal.SIGSTOP)
    try:
        await save.click()
        await expect(save).to_have_attribute("aria-busy", "true")
        await save.click()
    finally:
        os.kill(api, signal.SIGCONT)
    await page.wait_for_url("**/segments/seg_*")
    async with shop.client() as client:
        made = await client.send(segments.page(search="Hung up"))
    assert len(made.segments) == 1
