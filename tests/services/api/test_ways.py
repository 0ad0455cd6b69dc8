"""What is said of paths and methods that there aren't, without a stack."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
import pytest

from livesegments.api.app import create
from livesegments.api.web import openapi
from livesegments.runtime.settings import Settings


def client_of(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("OPTIONS", "/v1/segments", "GET, POST"),
        ("HEAD", "/v1/segments/a", "DELETE, GET, PATCH"),
        ("GET", "/v1/segments:batch", "POST"),
        ("PUT", "/v1/profiles/a", "GET"),
    ],
)
async def test_another_method_hears_which_there_are_and_nobody_waits_for_the_document(
    method: str, path: str, allow: str
) -> None:
    app = create(Settings(), lambda: 0)
    async with client_of(app) as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allow)
    assert app.openapi_schema is None


async def test_a_path_with_a_slash_at_its_end_is_told_the_one_without() -> None:
    async with client_of(create(Settings(), lambda: 0)) as client:
        details = [(await client.get(path)).json()["detail"] for path in ("/v1/segments/", "/v1/segmnts/")]
    assert "leave out the slash at its end" in details[0] and "/openapi.json has them all" in details[1]


async def test_others_are_answered_while_the_document_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    other, made = threading.Event(), []

    def document(_: object) -> dict[str, Any]:
        made.append(other.wait(20))
        return {"openapi": "3.1.0"}

    monkeypatch.setattr(openapi, "_document", document)
    async with client_of(create(Settings(), lambda: 0)) as client:
        asked = [asyncio.ensure_future(client.get("/openapi.json")) for _ in range(2)]
        await asyncio.sleep(0)
        assert (await client.get("/healthz")).status_code == 200
        other.set()
        assert [(await each).json() for each in asked] == [{"openapi": "3.1.0"}] * 2
    assert made == [True]
