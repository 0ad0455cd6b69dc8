"""Runs a command in this process, against a server that answers as a test says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from livesegments.cli.main import app
from tests.cli.server import Answer, Request, serving

QUOTAS = {"events_per_s": 100, "segments": 20_000, "profiles": None, "names": 500}
ZONE = {
    "id": "w", "name": "W", "timezone": "Europe/Berlin", "created_at": "2026-01-01T00:00:00.000Z",
    "quotas": QUOTAS,
}  # fmt: skip


class Answers:
    """Answers by method and path; keeps every request. The workspace is in Berlin."""

    def __init__(self, **by: Any) -> None:
        self.by, self.asked = by, list[Request]()

    def __call__(self, request: Request) -> Answer:
        self.asked.append(request)
        if request.path == "/v1/workspace":
            return Answer(200, ZONE)
        found = self.by.get(f"{request.method} {request.path.partition('?')[0]}", self.by.get(request.method))
        return found if isinstance(found, Answer) else Answer(200, found)

    def paths(self, method: str) -> list[str]:
        return [each.path for each in self.asked if each.method == method and each.path != "/v1/workspace"]


async def run(answers: Answers, *arguments: str) -> int:
    """The exit status. A `Problem` comes through."""
    async with serving(answers) as url:

        def work() -> int:
            at = arguments.index("--") if "--" in arguments else len(arguments)
            given = [*arguments[:at], "--api", url, "--key", "k", *arguments[at:]]
            return int(app(given, standalone_mode=False) or 0)

        return await asyncio.to_thread(work)


def told(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    read = capsys.readouterr()
    return read.out, read.err
