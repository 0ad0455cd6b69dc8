"""Whether a page is for everybody, in two looks, or in `make long` in all four: axe has nothing to say, and nothing sticks out of the page.

The page is loaded once, and axe is put into it once; then it changes its look. All rules are asked of both widths; the dark changes
nothing but colours, so there only the rules of colours are asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.async_api import Page

from tests.effort import effort

AXE = next(Path(axe_playwright_python.__file__).parent.rglob("axe.min.js")).read_text()
RUN = """async ([within, without, options]) =>
  (await axe.run({include: [within], exclude: without}, options)).violations
    .map((each) => [each.id, each.nodes.map((node) => node.html.slice(0, 200))])"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
WIDTHS = (1280, 375)
COLOURS = ["color-contrast", "link-in-text-block"]
ALL: dict[str, Any] = {
    "resultTypes": ["violations"],
    "preload": False,
    "rules": {"target-size": {"enabled": True}},
}
IN_THE_DARK = {**ALL, "rules": {}, "runOnly": {"type": "rule", "values": COLOURS}}
LIGHT, DARK = ("light", ALL), ("dark", IN_THE_DARK)
LOOKS = effort({1280: [LIGHT], 375: [DARK]}, {1280: [LIGHT, DARK], 375: [LIGHT, DARK]})
ROWS = "tbody tr:nth-child(n+5)"
"""Further rows of a table are as the first ones."""
FRAME = ("header.top", "nav.side")
"""They are the same on every page."""


async def for_everybody(page: Page, within: str = "html", *, with_frame: bool = True) -> None:
    """Leaves the page wide and light. What axe puts into the page makes the browser complain of styles; that is forgotten."""
    complaints: list[str] = page.complaints  # type: ignore[attr-defined]
    assert complaints == []
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)
    without = [ROWS, *(() if with_frame else FRAME)]
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 900})
        await page.wait_for_function(f"{WIDER} <= 0")  # once plots have taken the page's width
        for theme, options in LOOKS[width]:
            await page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            found = await page.evaluate(RUN, [within, without, options])
            assert found == [], (within, theme, width)
        await page.emulate_media(color_scheme="light")
    await page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    complaints.clear()
