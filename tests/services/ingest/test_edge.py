"""The HTTP edge against bodies and connections that aren't as they should be."""

import asyncio
import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from livesegments.ingest.receipt import MAX_BATCH_BYTES, MAX_EVENT_BYTES
from livesegments.runtime.embedded.stack import Stack
from livesegments.wire.topics import EVENTS
from tests.services.ingest.rig import events_of, read

AUTH = ("write", "")
GZIP = {"Content-Encoding": "gzip"}
BATCH = {"batch": [{"type": "track", "userId": "u", "event": "e", "messageId": str(n)} for n in range(100)]}


def bomb() -> bytes:
    """Made only where it is sent: it takes a second."""
    return gzip.compress(b"x" * 500_000_000, 1, mtime=0)


@pytest.mark.parametrize("name", ["gzip", "GZIP", "x-gzip"])
async def test_a_body_may_be_gzip(client: httpx.AsyncClient, clean_stack: Stack, name: str) -> None:
    content = gzip.compress(json.dumps(BATCH).encode())
    answer = await client.post("/v1/batch", content=content, headers={"Content-Encoding": name}, auth=AUTH)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 100)
    events = events_of(await read(clean_stack.kafka, EVENTS, 1))
    assert [event.id for event in events] == [str(n) for n in range(100)]


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        (GZIP, gzip.compress(b"x" * (MAX_BATCH_BYTES + 1)), 413),
        (GZIP, bomb, 413),
        (GZIP, b"{}", 400),
        (GZIP, gzip.compress(b"{}")[:-1], 400),
        (GZIP, gzip.compress(b"{}") + b"{}", 400),
        (GZIP, b"", 400),
        ({"Content-Encoding": "br"}, b"{}", 415),
    ],
    ids=["too long", "a bomb", "plain", "cut", "more", "empty", "unknown"],
)
async def test_what_can_not_be_inflated_is_refused(
    client: httpx.AsyncClient, headers: dict[str, str], content: bytes | Callable[[], bytes], status: int
) -> None:
    content = content() if callable(content) else content
    answer = await client.post("/v1/batch", content=content, headers=headers, auth=AUTH)
    assert (answer.status_code, answer.json()["status"]) == (status, status)


async def test_a_body_of_unknown_length_is_bounded_too(client: httpx.AsyncClient) -> None:
    async def chunks(size: int) -> Any:
        for _ in range(size // 1_000):
            yield b" " * 1_000

    answer = await client.post("/v1/track", content=chunks(MAX_EVENT_BYTES + 1_000), auth=AUTH)
    assert answer.status_code == 413

    async def trailed(size: int) -> Any:
        yield gzip.compress(b"{}")
        async for chunk in chunks(size):
            yield chunk

    answer = await client.post("/v1/track", content=trailed(MAX_EVENT_BYTES + 1_000), headers=GZIP, auth=AUTH)
    assert answer.status_code == 413, "what comes after the end of gzip counts, too"
    event = b'{"userId":"u","event":"e"}'
    answer = await client.post("/v1/track", content=event.ljust(MAX_EVENT_BYTES), auth=AUTH)
    assert answer.status_code == 200, "just as long as allowed"


async def talk(client: httpx.AsyncClient, *sent: bytes) -> bytes:
    """Sends these on a connection of its own; everything that comes until it is closed."""
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    try:
        for part in sent:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(60):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_who_trickles_a_body_is_told_and_left(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livesegments.ingest.body.READ_S", 0.05)
    head = b"POST /v1/track HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer write\r\nContent-Length: 9\r\n\r\n"
    assert b" 408 " in await talk(client, head, b"{")


@pytest.mark.parametrize("begun", [b"", b"POST /v1/track HTTP/1.1\r\nHost:"])
async def test_who_connects_and_asks_for_nothing_is_left(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr("livesegments.runtime.connection.HEAD_S", 0.05)
    assert await talk(client, begun) == b""


async def test_a_request_without_end_is_left(client: httpx.AsyncClient) -> None:
    line = b"X-%d: " + b"x" * 10_000 + b"\r\n"
    head = (line % number for number in range(500))
    assert await talk(client, b"POST /v1/track HTTP/1.1\r\n", *head) == b""


@pytest.mark.parametrize("path", ["t", "track", "b", "batch", "events"])
async def test_a_page_of_any_origin_may_send(client: httpx.AsyncClient, path: str) -> None:
    """A browser asks first; then its page may read the answer, also a refusal."""
    asking = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-retry-count",
    }
    asked = await client.options(f"/v1/{path}", headers=asking)
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == "*"
    assert "authorization" in asked.headers["access-control-allow-headers"]
    item = BATCH["batch"][0]
    body = {"t": item, "track": item, "b": BATCH, "batch": BATCH}.get(path, {"profile": "p", "name": "n"})
    for auth, status in ((AUTH, 202 if path == "events" else 200), (("wrong", ""), 401)):
        headers = {"Origin": "https://shop.example", "Content-Type": "text/plain"}
        answer = await client.post(f"/v1/{path}", content=json.dumps(body), headers=headers, auth=auth)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "*")
    assert "access-control-allow-origin" not in (await client.get("/metrics", headers=asking)).headers


async def test_a_lost_catalogue_is_no_wrong_key(client: httpx.AsyncClient, clean_stack: Stack) -> None:
    """Senders give events up on 401, and come back on 503."""
    async with Redis.from_url(clean_stack.redis) as redis:
        await redis.flushall()
    answer = await client.post("/v1/events", json=[], auth=AUTH)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
