"""Runs the example of docs/external-lists.md, with a server of files beside the whole product."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from tests.e2e import page
from tests.e2e.conftest import Product

PAGE = Path(__file__).parents[2] / "docs" / "external-lists.md"


async def test_a_page_does_what_it_says(
    product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = web.Application()
    application.router.add_static("/", tmp_path)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setenv("FILES", f"http://127.0.0.1:{runner.addresses[0][1]}")
    commands = page.commands_of(PAGE, tmp_path)
    assert len(commands) > 5
    await page.run(commands, product, tmp_path)
    await runner.cleanup()
