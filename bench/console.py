"""How long the console's pages take in a real Chromium: `python -m bench console`.

A workspace has very many segments, and one of them very many members, in the store as an evaluator leaves them. A page is
painted when its rows are drawn: the frame after the first table has come, counted from the beginning of the navigation,
or from the press of a button.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from msgspec import Struct
from playwright.async_api import Browser, Page, async_playwright

from bench import audience, harness
from livesegments.runtime.embedded.stack import Stack

LIST = "/segments"
MEMBERS = "/segments/all/members"
PAGES = 20
"""So many times Next is pressed."""
PAINTED = """
const drawn = () => requestAnimationFrame(() => requestAnimationFrame(() => { window.painted = performance.now(); }));
new MutationObserver((_, observer) => {
  if (!document.querySelector("tbody tr")) return;
  observer.disconnect();
  drawn();
}).observe(document, { childList: true, subtree: true });
"""
TURN = """
() => new Promise((resolve) => {
  const first = document.querySelector("tbody tr")?.textContent, begun = performance.now();
  const observer = new MutationObserver(() => {
    const row = document.querySelector("tbody tr");
    if (!row || row.textContent === first) return;
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - begun)));
  });
  observer.observe(document.body, { childList: true, subtree: true, characterData: true });
  [...document.querySelectorAll(".pager button")].find((each) => each.textContent.includes("Next")).click();
})
"""


class Painted(Struct, frozen=True):
    """Milliseconds. `first`: with nothing cached; `again`: later visits; `turned`: the pages that came by Next."""

    name: str
    first: Sequence[float]
    again: Sequence[float]
    turned: Sequence[float]


async def run(running: Stack, segments: int, members: int, rounds: int) -> list[Painted]:
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        raise SystemExit("no Chromium is installed: apt-get install chromium")
    await harness.define(running, segments)
    await audience.fill(running, members)
    with TemporaryDirectory() as folder:
        api = harness.service("api", running, Path(folder), "log", {"LIVESEGMENTS_UNOWNED_MS": "3600000"})
        await api.start()
        try:
            await api.ready(print)
            more = {"LIVESEGMENTS_CONSOLE_API_URL": api.url}
            console = harness.service("console", running, Path(folder), "log", more)
            await console.start()
            try:
                await console.ready(print)
                async with async_playwright() as playwright:
                    browser = await playwright.chromium.launch(
                        executable_path=executable, args=["--no-sandbox"]
                    )
                    return [
                        await _painted(browser, console.url, f"{segments:,} segments", LIST, rounds),
                        await _painted(browser, console.url, f"{members:,} members", MEMBERS, rounds),
                    ]
            finally:
                await console.stop()
        finally:
            await api.stop()


async def _painted(browser: Browser, console: str, name: str, path: str, rounds: int) -> Painted:
    first, again = [], []
    for _ in range(rounds):
        context = await browser.new_context()
        page = await context.new_page()
        await page.add_init_script(PAINTED)
        answer = await context.request.post(
            f"{console}/sign-in", form={"key": audience.KEY, "next": path}, headers={"Origin": console}
        )
        assert answer.ok, await answer.text()
        first.append(await _visit(page, console + path))
        again += [await _visit(page, console + path) for _ in range(2)]
        if len(first) == rounds:
            await page.wait_for_function("window.did_handshake === true")
            turned = [float(await page.evaluate(TURN)) for _ in range(PAGES)]
        await context.close()
    return Painted(name, first, again, turned)


async def _visit(page: Page, url: str) -> float:
    await page.goto(url)
    await page.wait_for_function("window.painted")
    return float(await page.evaluate("window.painted"))


def table(found: Sequence[Painted]) -> list[str]:
    lines = [
        f"Until rows are drawn, in Chromium; the middle value, and the worst, of {PAGES} turned pages and of all visits:",
        "",
        "| page | first visit, nothing cached | later visits | next page |",
        "|---|---|---|---|",
    ]
    for each in found:
        cells = [f"{median(ms):,.0f} ms ({max(ms):,.0f})" for ms in (each.first, each.again, each.turned)]
        lines.append(f"| {each.name} | {' | '.join(cells)} |")
    return [*lines, "", "Wanted: first paint ≤ 1 s with 10,000 segments, and with 100,000 members."]
