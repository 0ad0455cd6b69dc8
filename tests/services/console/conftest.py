"""The console as people have it: `livesegments up`, and a real Chromium. Without one these tests skip.

- `shop`: a workspace whose names are all hostile, with an API key.
- `open_page`: a new page, signed in: `page = await open_page("/segments")`. At its end no request has left for another
  host, and the browser has complained of nothing.
"""

from __future__ import annotations

import asyncio
import csv
import io
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import quote

import httpx
import pytest
from msgspec import Struct
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    async_playwright,
    expect,
)

from livesegments.client import (
    AsyncClient,
    computed,
    fields,
    imports,
    keys,
    segments,
    sources,
    subscriptions,
    workspaces,
)
from tests.product import Product

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--disable-features=SpareRendererForSitePerProcess,PreloadTopChromeWebUI,WebUIPreload,PaintHolding,MediaRouter",
]
HOSTILE = (
    "<img src=x onerror=\"window.hacked='img'\">",
    "<script>window.hacked='script'</script>",
    "{{ constructor.constructor('window.hacked=7')() }} {{7*7}}",
    "javascript:window.hacked='link'",
    "\u202etxt.exe\u202c \u2066<b>bold</b>\u2069",
    "';window.hacked='quote';//\" :onclick=\"window.hacked=1\" `${window.hacked=1}`",
    "long " + "x" * 195,
)
"""Names that do harm wherever they are taken for markup, a template, code or a link."""
LISTED = "hostile-list"
"""A static segment that follows a file which can't be read."""
PROFILE = "<img src=x onerror=window.hacked=1>/{{7*7}}"
TIME = "2024-02-10T00:00:00Z"
"""The log's clock may stand weeks later already, where other tests share the product: no window reaches back to it."""
READY_MS = 60_000
"""How long a page may take where many processes want the machine. A state that never comes fails later, nothing else."""

expect.set_options(timeout=READY_MS)

OpenPage = Callable[..., Awaitable[Page]]


class Shop(Struct):
    """A workspace and what opens it. `console`: the address of the console."""

    console: str
    api: str
    ingest: str
    workspace: str
    key: str
    write_key: str
    admin_key: str
    subscription: str = ""
    imported: str = ""

    def client(self) -> AsyncClient:
        return AsyncClient(self.api, self.key)

    async def send(self, *events: dict[str, object], refused: int = 0) -> None:
        headers = {"Authorization": f"Bearer {self.write_key}"}
        async with httpx.AsyncClient(base_url=self.ingest, headers=headers) as client:
            answer = await client.post("/v1/events", json=list(events))
            assert answer.status_code == 202 and answer.json()["accepted"] == len(events) - refused, (
                answer.text
            )

    async def made_key(self, *scopes: keys.Scope) -> keys.MadeKey:
        async with AsyncClient(self.api, self.admin_key) as admin:
            return await admin.send(keys.create(self.workspace, "made", scopes))


@pytest.fixture(scope="session")
async def shop(product: Product) -> Shop:
    up = product.up
    async with AsyncClient(up["api"], up["admin_key"]) as admin:
        name = HOSTILE[0]
        workspace = (await admin.send(workspaces.create(name, id="hostile", timezone="Europe/Kyiv"))).id
        key = await admin.send(keys.create(workspace, "k", ["read", "write"]))
        writer = await admin.send(keys.create(workspace, "w", ["ingest"]))
    shop = Shop(up["console"], up["api"], up["ingest"], workspace, key.key, writer.key, up["admin_key"])
    async with shop.client() as client:
        for number, name in enumerate(HOSTILE):
            definition = {
                "type": "event",
                "name": name,
                "where": [{"property": name, "op": "eq", "value": name}],
            }
            await client.send(
                segments.create(
                    name,
                    definition,
                    id=f"hostile-{number}",
                    description=name,
                    tags=[name[:64]],
                    folder=name[:64],
                )
            )
        hook = {
            "url": "https://hooks.example.com/<b>",
            "template": "json",
            "mapping": {HOSTILE[0]: "$profile"},
        }
        subscription = subscriptions.create(HOSTILE[0], segments=["hostile-0"], webhook=hook, paused=True)
        shop.subscription = (await client.send(subscription)).id
        await client.send(segments.create(f"{HOSTILE[0]} listed", type="static", id=LISTED))
        guests = f"http://127.0.0.1:9/{quote(HOSTILE[0])}"
        await client.send(sources.write(LISTED, url=guests, column=HOSTILE[0]))
        shop.imported = (await client.send(imports.create(file_name=HOSTILE[0]))).id
        file = io.StringIO()
        csv.writer(file).writerows([["id", *HOSTILE[:4]], ["p", *HOSTILE[:4]]])
        await client.send(imports.send(shop.imported, file.getvalue().encode()))
        measure = {"of": "sum", "property": HOSTILE[0]}
        await client.send(computed.put_attribute("spent", measure, name=HOSTILE[0]))
        await client.send(fields.declare(HOSTILE[1], "text", label=HOSTILE[0], choices=[HOSTILE[1]]))
    await product.json("settle")
    events: list[dict[str, object]] = [
        {"id": f"e{number}", "profile": PROFILE, "name": name, "time": TIME, "properties": {name: name}}
        for number, name in enumerate(HOSTILE)
    ]
    known: dict[str, object] = {
        "id": "known", "profile": PROFILE, "time": TIME, "attributes": {name: name for name in HOSTILE[:6]},
        "tags": [HOSTILE[0]], "consent": [{"channel": HOSTILE[0], "topic": HOSTILE[1], "state": "opted_in"}],
    }  # fmt: skip
    await shop.send(*events, known, {"id": "refused", "profile": "p", "name": f"${HOSTILE[0]}"}, refused=1)
    await product.json("settle")
    return shop


class Chrome(Struct):
    """A browser. `signed_in`: a context for a key that was used before; it has the console's files, and its session.
    `kept`: a page for such a key; a new one takes a second of the processor before it has anything."""

    browser: Browser
    signed_in: dict[str, BrowserContext] = {}
    kept: dict[str, Page] = {}

    async def context(self) -> BrowserContext:
        context = await self.browser.new_context(
            viewport={"width": 1280, "height": 900},
            reduced_motion="reduce",  # colours would fade while axe looks
        )
        context.set_default_timeout(READY_MS)
        return context


@pytest.fixture(scope="session")
async def chrome() -> AsyncIterator[Chrome]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield Chrome(browser)
        await browser.close()


async def sign_in(page: Page, key: str) -> None:
    await page.fill("input[name=key]", key)
    await page.click("button[type=submit]")


async def whole(page: Page) -> None:
    """Waits until the page is there and connected."""
    await page.wait_for_selector("#content h1, #content h2")
    await page.wait_for_function("window.did_handshake === true")


@pytest.fixture
async def open_page(chrome: Chrome, shop: Shop) -> AsyncIterator[OpenPage]:
    elsewhere: list[str] = []
    complaints: list[str] = []
    pages: list[Page] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((shop.console, "data:", "blob:")):
            elsewhere.append(request.url)

    def said(message: ConsoleMessage) -> None:
        if message.type == "error" and "axe" not in message.location.get("url", ""):
            complaints.append(message.text)

    def failed(error: Error) -> None:
        complaints.append(str(error))

    async def opened(
        path: str = "/", key: str | None = shop.key, alone: bool = False, kept: bool = False
    ) -> Page:
        """A page of the key's session; `alone`: of a session and a browser of its own. No key: it isn't signed in.
        `kept`: the one that was opened so before, if any, goes there."""
        known = None if alone or key is None else chrome.signed_in.get(key)
        page = chrome.kept.get(key) if kept and key is not None else None
        page = page or await (known or await chrome.context()).new_page()
        pages.append(page)
        page.complaints = complaints  # type: ignore[attr-defined]
        page.on("request", asked)
        page.on("console", said)
        page.on("pageerror", failed)
        await page.goto(shop.console + path)
        if key is None:
            return page
        if known is None:
            await sign_in(page, key)
        await whole(page)
        if known is None and not alone:
            chrome.signed_in[key] = page.context
        if kept:
            chrome.kept[key] = page
        return page

    yield opened
    shared = list(chrome.signed_in.values())
    staying = list(chrome.kept.values())
    for page in pages:
        if page in staying:
            page.remove_listener("request", asked)
            page.remove_listener("console", said)
            page.remove_listener("pageerror", failed)
            continue
        await (page if page.context in shared else page.context).close()
    assert elsewhere == []
    assert complaints == []


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
