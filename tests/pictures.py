"""`make screenshots`: the pictures of the console in docs/pictures, of the demo's data, in a real Chromium.

They are of the web shop's log, which is always the same, at its end.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from msgspec import Struct
from playwright.async_api import Page, async_playwright

from tests.product import COMMAND
from tests.services.console.conftest import ARGUMENTS, CHROMIUM, sign_in, whole

TO = Path(__file__).parents[1] / "docs" / "pictures"
MOST_BYTES = 200_000
LOOK_AT_IT = re.compile(r"look at it: (\S+) \(sign in with the admin key (\S+)\)")
COMPANY = "A web shop"
READY_MS = 60_000


class Picture(Struct, frozen=True):
    """`settled`: something that is there when the page is as it is to be seen."""

    name: str
    path: str
    settled: str
    theme: Literal["light", "dark"] = "light"
    size: tuple[int, int] = (1280, 800)


PICTURES = (
    Picture("segments", "/segments", "tbody tr"),
    Picture("segment", "/segments/checkout-trouble", "canvas"),
    Picture("builder", "/segments/warm-leads/edit", ".preview [data-count][data-exact]"),
    Picture("phone", "/segments", "tbody tr", "dark", (390, 760)),
)


@asynccontextmanager
async def demo() -> AsyncIterator[tuple[str, str]]:
    """The demo, left serving: the console's address, and a key."""
    arguments = ("demo", "--only", "shop", "--keep", "--json")
    process = await asyncio.create_subprocess_exec(
        COMMAND, *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=PIPE
    )
    assert process.stderr is not None
    try:
        async for line in process.stderr:
            sys.stderr.write(line.decode())
            if match := LOOK_AT_IT.search(line.decode()):
                yield match[1], match[2]
                return
        raise RuntimeError("the demo ended before it served")
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await process.communicate()


async def take(console: str, key: str, to: Path) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await (await browser.new_context(reduced_motion="reduce")).new_page()
        page.set_default_timeout(READY_MS)
        await page.goto(f"{console}/workspaces")
        await sign_in(page, key)
        await page.get_by_role("button", name=re.compile(f"Choose {COMPANY}")).click()
        await page.wait_for_url("**/segments")
        for picture in PICTURES:
            await _take(page, console, picture, to)
        await browser.close()


async def _take(page: Page, console: str, picture: Picture, to: Path) -> None:
    width, height = picture.size
    await page.set_viewport_size({"width": width, "height": height})
    await page.emulate_media(color_scheme=picture.theme)
    await page.goto(console + picture.path)
    await whole(page)
    await page.locator(picture.settled).first.wait_for()
    await page.wait_for_load_state("networkidle")
    await page.evaluate("document.fonts.ready")
    data = await page.screenshot(animations="disabled", caret="hide")
    if len(data) > MOST_BYTES:
        raise RuntimeError(f"{picture.name} has {len(data):,} bytes, more than {MOST_BYTES:,}")
    (to / f"{picture.name}.png").write_bytes(data)
    print(f"{picture.name}.png: {len(data):,} bytes")


async def main(serving: list[str], to: Path) -> None:
    if serving:
        await take(serving[0], serving[1], to)
        return
    async with demo() as (console, key):
        await take(console, key, to)


if __name__ == "__main__":
    if CHROMIUM is None:
        sys.exit("no Chromium is installed: apt-get install chromium")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--serving", nargs=2, default=[], metavar=("CONSOLE", "KEY"), help="a demo that serves already"
    )
    parser.add_argument("--to", type=Path, default=TO)
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(asked.serving, asked.to))
