"""The answers that come bit by bit: transitions, and the files of exports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from livesegments.client import AsyncClient, Client, Gone, NotFound, Transition, Unreachable, Unreadable
from livesegments.client.stream import Listening

EXAMPLE = {
    "id": "t1", "workspace": "w", "segment": "a", "profile": "ann", "kind": "entered", "at": "2026-01-31T09:30:00.000Z",
    "sequence": 1, "cause": "event", "event_id": "e1", "version": 1,
}  # fmt: skip
FILE = bytes(range(100))
TAG = '"e1-7"'


def at_once(seconds: float) -> None:
    pass


def streamed(*bodies: bytes | int) -> tuple[httpx.MockTransport, list[str | None]]:
    """Streams one body after the other; a number is a status. And the places from which they were asked for."""
    left, places = list(bodies), list[str | None]()

    def answer(request: httpx.Request) -> httpx.Response:
        places.append(request.headers.get("last-event-id"))
        body = left.pop(0)
        return httpx.Response(body) if isinstance(body, int) else httpx.Response(200, content=body)

    return httpx.MockTransport(answer), places


def event(place: str, **fields: Any) -> bytes:
    data = httpx.Response(200, json={**EXAMPLE, **fields}).text
    return f"event: entered\nid: {place}\ndata: {data}\n\n".encode()


def test_a_stream_that_breaks_goes_on_where_it_broke() -> None:
    first = (
        b": listening\nid: 0.0\n\n"
        + event("0.1")
        + event("0.2", profile="bob")
        + b"event: entered\nid: 0.9\ndata: {"
    )
    transport, places = streamed(first, 503, event("0.3", profile="cy") + b"event: end\ndata: {}\n\n", 410)
    heard: list[Transition] = []
    with Client("http://x", "k", sleep=at_once) as client:
        client._http = httpx.Client(transport=transport, base_url="http://x")
        with pytest.raises(Gone):
            heard.extend(client.transitions("a"))
    assert places == [None, "0.2", "0.2", "0.3"]


def test_a_stream_gives_each_transition_with_its_place() -> None:
    opened: list[str] = []
    listening = Listening("a", False, None, opened.append)
    lines = (event("0.1") + event("0.2", profile="bob")).decode().split("\n")
    heard = [listening.transition(data) for line in lines if (data := listening.line(line)) is not None]
    assert [(each.profile, each.place) for each in heard] == [("ann", "0.1"), ("bob", "0.2")]
    assert listening.arguments()["headers"]["Last-Event-ID"] == "0.2" and opened == ["0.1"]


def test_a_subscription_is_heard_by_its_own_path() -> None:
    assert Listening(None, False, None, None, "s1").arguments()["url"] == "/v1/subscriptions/s1/transitions"
    with pytest.raises(ValueError, match="says itself"):
        Listening("a", False, None, None, "s1")


async def test_who_stops_to_listen_is_not_sent_to_any_more() -> None:
    """A page of a console is closed: its task is cancelled, and the api notices."""
    gone, heard = asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 -\r\nContent-Type: text/event-stream\r\n\r\n" + event("0.1"))
        await reader.read()  # until the other side closes it
        gone.set()
        writer.close()

    async def listen(client: AsyncClient) -> None:
        async with aclosing(client.transitions("a")) as transitions:
            async for _ in transitions:
                heard.set()

    async with (
        await asyncio.start_server(talk, "127.0.0.1", 0) as server,
        AsyncClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "k") as client,
    ):
        listening = asyncio.create_task(listen(client))
        await heard.wait()
        listening.cancel()
        await gone.wait()
        with pytest.raises(asyncio.CancelledError):
            await listening


class Source:
    """Has a file, and breaks off after `breaks` bytes of each answer; without any, it is whole."""

    def __init__(self, *breaks: int, tag: str = TAG) -> None:
        self.breaks, self.tag, self.asked = list(breaks), tag, list[str]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        wanted, headers = request.headers.get("range", ""), {"ETag": self.tag}
        self.asked.append(wanted)
        first = int(wanted.removeprefix("bytes=").rstrip("-") or 0)
        same = request.headers.get("if-range", self.tag) == self.tag
        rest = FILE[first:] if same else FILE
        return httpx.Response(206 if wanted and same else 200, content=self._sent(rest), headers=headers)

    def _sent(self, rest: bytes) -> Any:
        if not self.breaks:
            yield rest
            return
        yield rest[: self.breaks.pop(0)]
        raise httpx.ReadError("broken")


def downloaded(source: Callable[[httpx.Request], httpx.Response], **given: Any) -> bytes:
    with Client("http://x", "k", sleep=at_once) as client:
        client._http = httpx.Client(transport=httpx.MockTransport(source), base_url="http://x")
        return b"".join(client.download("vips", "e1", **given))


def test_a_download_that_breaks_goes_on_where_it_broke() -> None:
    source, tags = Source(10, 30, 0, 1), list[str]()
    assert downloaded(source, opened=tags.append) == FILE
    assert source.asked == ["", "bytes=10-", "bytes=40-", "bytes=40-", "bytes=41-"] and tags == [TAG]
    assert downloaded(Source(), at=60, tag=TAG) == FILE[60:]


def test_a_download_that_never_goes_on_ends() -> None:
    source = Source(10, 0, 0, 0, 0)
    with pytest.raises(Unreachable, match="broken"):
        downloaded(source)
    assert len(source.asked) == 4


def test_the_rest_of_another_file_is_not_put_behind() -> None:
    with pytest.raises(Unreadable, match="another file"):
        downloaded(Source(), at=60, tag='"e1-6"')
    with pytest.raises(NotFound):
        downloaded(lambda request: httpx.Response(404, json={"title": "Not Found"}))


async def test_the_client_for_asyncio_downloads_the_same() -> None:
    async def sent(request: httpx.Request) -> httpx.Response:
        begin = int(request.headers.get("range", "bytes=0-")[6:-1])

        async def content() -> Any:
            yield FILE[begin : begin + 50]
            if not begin:
                raise httpx.ReadError("broken")

        return httpx.Response(206 if begin else 200, content=content(), headers={"ETag": TAG})

    async def soon(seconds: float) -> None:
        pass

    async with AsyncClient("http://x", "k", sleep=soon) as client:
        client._http = httpx.AsyncClient(transport=httpx.MockTransport(sent), base_url="http://x")
        async with aclosing(client.download("vips", "e1")) as chunks:
            assert b"".join([chunk async for chunk in chunks]) == FILE
