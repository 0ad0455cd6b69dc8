"""A small HTTP server that answers as a test says, to show the client what a healthy service never does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from msgspec import Struct


class Request(Struct):
    method: str
    path: str
    headers: dict[str, str]
    body: Any


class Answer(Struct):
    status: int = 202
    body: Any = None
    headers: dict[str, str] = {}


@asynccontextmanager
async def serving(answer: Callable[[Request], Answer]) -> AsyncIterator[str]:
    """The address of a server that answers every request by `answer`."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *rest = head.decode().strip().split("\r\n")
                method, path, _ = first.split(" ")
                headers = {
                    name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)
                }
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                told = answer(Request(method, path, headers, msgspec.json.decode(body) if body else None))
                content = b"" if told.body is None else msgspec.json.encode(told.body)
                extra = "".join(f"{name}: {value}\r\n" for name, value in told.headers.items())
                writer.write(
                    f"HTTP/1.1 {told.status} -\r\nContent-Length: {len(content)}\r\n{extra}\r\n".encode()
                    + content
                )
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"
