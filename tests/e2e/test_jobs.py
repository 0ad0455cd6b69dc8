"""The pages of the documentation that lead through a job: their files and commands, run as they stand there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import page
from tests.e2e.conftest import Product

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["python.md"])
async def test_a_page_does_what_it_says(name: str, product: Product, tmp_path: Path) -> None:
    commands = page.commands_of(DOCS / name, tmp_path)
    assert len(commands) > 1
    await page.run(commands, product, tmp_path)
