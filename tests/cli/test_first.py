"""The first workspace and its keys, as `up` asks for them."""

import asyncio
from pathlib import Path

from livesegments.cli.first import Keys, first_workspace
from tests.cli.server import Answer, Request, serving

OWN = {"admin": False, "workspace": "main", "scopes": ["read"]}


async def test_a_store_that_is_being_made_anew_keeps_nobody_from_starting(tmp_path: Path) -> None:
    """Who is in which segment isn't known for a moment then, and is answered with 503."""

    def answer(request: Request) -> Answer:
        if request.path == "/v1/workspaces":
            return Answer(409, {"detail": "There is a workspace 'main'."})
        return Answer(200, OWN) if request.path == "/v1/key" else Answer(503, {"detail": "Try again."})

    async with serving(answer) as url:
        first = await asyncio.to_thread(first_workspace, url, Keys("admin", "write", "own"), tmp_path)
    assert first == {"workspace": "main", "write_key": "write", "api_key": "own", "admin_key": "admin"}
