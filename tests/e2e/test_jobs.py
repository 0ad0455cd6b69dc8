"""The pages of the documentation that lead through a job: their files and commands, run as they stand there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.install import python_packages
from tests.e2e import page
from tests.e2e.conftest import Product

DOCS = Path(__file__).parents[2] / "docs"
PYTHON = Path(__file__).parents[1] / "clients" / "python"
"""Locks of packages that are no dependencies of ours."""


@pytest.fixture(autouse=True)
async def today(product: Product) -> None:
    """The log's clock stands at the pages' day, unless others have moved it on."""
    await product.run("clock", "2024-03-01T00:00:00Z")


@pytest.mark.parametrize(
    "name",
    [
        "python.md",
        "bring-your-events.md",
        "operate.md",
        "send-a-campaign.md",
        "segments-as-code.md",
        "audit.md",
        "imports.md",
        "mass-jobs.md",
        "explain.md",
        "erasure.md",
        "fields.md",
        "notifications.md",
    ],
)
async def test_a_page_does_what_it_says(name: str, product: Product, tmp_path: Path) -> None:
    commands = page.commands_of(DOCS / name, tmp_path)
    assert len(commands) > 1
    await page.run(commands, product, tmp_path)


async def test_the_consumers_of_an_automation_welcome_each_once(product: Product, tmp_path: Path) -> None:
    packages = python_packages(PYTHON / "confluent.txt")
    commands = page.commands_of(DOCS / "automations.md", tmp_path)
    assert len(commands) == 6
    await page.run(commands, product, tmp_path, packages)
