"""What somebody types stays where it is, whatever comes from the server meanwhile."""

from __future__ import annotations

from playwright.async_api import expect

from tests.services.console.conftest import OpenPage


async def test_a_search_keeps_what_is_typed_while_its_answers_come(open_page: OpenPage) -> None:
    page = await open_page("/segments")
    search = page.get_by_role("searchbox").first
    rows = page.locator("tbody tr")
    before = await rows.count()
    await search.press_sequentially("script>", delay=60)
    await page.wait_for_function("(many) => document.querySelectorAll('tbody tr').length < many", arg=before)
    await expect(search).to_have_value("script>")
