"""`livesegments rejected --follow`: every refusal is printed once, in order, over as many pages as it
takes."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from livesegments.cli import rejected
from livesegments.cli.client import Client
from tests.cli.server import Answer, Request, serving


class Topic:
    """Answers like the api: `refused` grows by three whenever the newest page is read."""

    def __init__(self) -> None:
        self.refused = [0, 1, 2]

    def answer(self, request: Request) -> Answer:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        after = int(query["after"][2:]) if "after" in query else -1
        before = int(query.get("cursor", len(self.refused)))
        found = [number for number in self.refused if after < number < before][::-1][:2]
        rest = [number for number in self.refused if after < number < (found[-1] if found else 0)]
        body: dict[str, Any] = {
            "rejected": [{"id": f"0-{number}"} for number in found],
            "next_cursor": str(found[-1]) if rest else None,
            "latest": f"0-{self.refused[-1]}",
        }
        if "cursor" not in query:
            self.refused += [len(self.refused) + more for more in range(3)]
        return Answer(200, body)


async def test_what_comes_is_told_once_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejected, "POLL_S", 0)
    async with serving(Topic().answer) as url:

        def read() -> list[str]:
            with Client(url, "key") as client:
                return [item["id"] for item in islice(rejected.followed(client, {}, 2), 8)]

        ids = await asyncio.to_thread(read)
    assert ids == [f"0-{number}" for number in range(1, 9)]
