"""Runs the examples of docs/audiences.md in their order: requests with the answers that the page shows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from livesegments.core.event import PROFILE, Event
from tests.services.api.test_members import START_MS, Shop, live, shop

__all__ = ["live", "shop"]

PAGE = Path(__file__).parents[3] / "docs" / "audiences.md"
EXAMPLE = re.compile(
    r"^```http\n(GET|POST|PUT|DELETE) (\S+)\n(.*?)\n?\n(\d{3})\n(.*?)```$", re.DOTALL | re.MULTILINE
)
PEOPLE = {"ann": ("Kyiv", "opted_in"), "bob": ("Kyiv", "opted_in"), "cem": ("Lviv", "opted_out")}


async def test_every_example_gives_what_the_page_says(shop: Shop) -> None:
    await shop.rig.send(
        [
            Event(
                *(f"p-{name}", shop.workspace, name, PROFILE, START_MS),
                {
                    "attributes": {"email": f"{name}@example.com", "city": city},
                    "consent": [{"channel": "email", "state": state}],
                },
            )
            for name, (city, state) in PEOPLE.items()
        ]
    )
    await shop.settled()
    examples = EXAMPLE.findall(PAGE.read_text("utf-8"))
    assert examples
    named: dict[str, str] = {}
    for method, *shown, status, expected in examples:
        path, body = (_with(named, text) for text in shown)
        answer = await shop.request(method, path, json=json.loads(body) if body else None)
        assert answer.status_code == int(status), (path, answer.text)
        if expected:
            _same(answer.json(), json.loads(expected), named, path)
        await shop.settled()


def _with(named: dict[str, str], text: str) -> str:
    for name, value in named.items():
        text = text.replace(name, value)
    return text


def _same(got: Any, shown: Any, named: dict[str, str], where: str) -> None:
    """Texts that the page writes with capitals and `…` stand for those of this run: TOKEN… is remembered."""
    if isinstance(shown, dict):
        assert got.keys() == shown.keys(), where
        for key, value in shown.items():
            _same(got[key], value, named, f"{where}/{key}")
    elif isinstance(shown, list):
        assert len(got) == len(shown), (where, got)
        for at, value in enumerate(shown):
            _same(got[at], value, named, f"{where}/{at}")
    elif isinstance(shown, str) and re.fullmatch(r"[A-Z]+…", shown):
        named.setdefault(shown, got)
    else:
        assert got == shown, where
