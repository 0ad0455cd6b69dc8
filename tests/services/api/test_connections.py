"""Connections that ask for nothing, and bodies that never come, end and keep nobody out."""

from __future__ import annotations

import asyncio

import pytest

from livesegments.api.web.route import Route
from tests.services.api.conftest import PATIENCE_S, Client

HALF = (b"", b"GET /v1/segm", b"GET /v1/segments HTTP/1.1\r\nHost: x\r\nX-Long: ")


async def test_half_open_and_idle_connections_end(shop: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livesegments.runtime.connection.HEAD_S", 0.05)
    host, port = shop.url.removeprefix("http://").split(":")
    opened = [await asyncio.open_connection(host, int(port)) for _ in range(1_100)]
    for number, (_, writer) in enumerate(opened):
        writer.write(HALF[number % len(HALF)])
    assert (await shop.get("/v1/segments")).status_code == 200
    async with asyncio.timeout(PATIENCE_S):
        for reader, writer in opened:
            assert await _rest(reader) == b""
            writer.close()


async def test_a_body_that_never_comes_is_given_up(shop: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Route, "body_s", 0.05)
    host, port = shop.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = "POST /v1/segments HTTP/1.1", f"Host: {host}", f"Authorization: {shop.headers['Authorization']}"
    lines = (*head, "Content-Type: application/json", "Content-Length: 100", "", '{"name": ')
    writer.write("\r\n".join(lines).encode())
    async with asyncio.timeout(PATIENCE_S):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 408 ") and b"application/problem+json" in answer
    writer.close()


async def _rest(reader: asyncio.StreamReader) -> bytes:
    """To the end. What was written to a connection that had ended already makes the end a reset."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
