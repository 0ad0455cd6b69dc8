"""The client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

from livesegments.client import exchange
from livesegments.client.download import Downloading, of_export, of_import
from livesegments.client.errors import ApiError
from livesegments.client.request import Pages, Request
from livesegments.client.retry import Retry
from livesegments.client.stream import Listening, Transition

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741


class AsyncClient:
    """An api's address and a key; `workspace`: the one that an admin key acts in.

    Every method raises `ApiError`. Close it, or use it in an `async with`.
    """

    def __init__(
        self,
        url: str,
        key: str,
        workspace: str | None = None,
        *,
        timeout_s: float = exchange.TIMEOUT_S,
        retry: Retry = Retry(),  # noqa: B008
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        import httpx  # noqa: PLC0415

        self.url, self._retry, self._sleep = url, retry, sleep
        self._http = httpx.AsyncClient(**exchange.settings(url, key, workspace, timeout_s))

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def send(self, request: Request[T]) -> T:
        """The answer, as its type."""
        return exchange.answer(request, await self._body(request))

    async def raw(self, request: Request[Any]) -> Any:
        """The answer as JSON has it: dicts, lists, texts and numbers."""
        return exchange.raw(await self._body(request))

    async def pages(self, request: Pages[T, Any]) -> AsyncIterator[T]:
        """Every page, in order."""
        at: Pages[T, Any] | None = request
        while at is not None:
            page = await self.send(at)
            yield page
            cursor = getattr(page, "next_cursor")  # noqa: B009
            at = request.after(cursor) if cursor else None

    async def each(self, request: Pages[Any, I]) -> AsyncIterator[I]:
        """Every item of all pages, in order."""
        async for page in self.pages(request):
            for item in getattr(page, request.items):
                yield item

    async def transitions(
        self,
        segment: str | None = None,
        *,
        backfill: bool = False,
        subscription: str | None = None,
        after: str | None = None,
        opened: Callable[[str], None] | None = None,
    ) -> AsyncGenerator[Transition, None]:
        """Who enters and leaves a segment, or any, or what a subscription hears, as it happens, until it is
        closed.

        With `after`, the `place` of a transition, from behind that one on, else from now on. A connection
        that breaks is opened again where it broke. `opened` is called with the place once it is open:
        whoever reads the members from then on misses nothing.

        Close it where you leave it early: `async with aclosing(client.transitions()) as heard`.

        Raises Gone where what followed `after` isn't kept any more.
        """
        listening = Listening(segment, backfill, after, opened, subscription)
        while True:
            try:
                async with aclosing(self._heard(listening)) as heard:
                    async for data in heard:
                        yield listening.transition(data)
                pause_s = listening.ended()
            except ApiError as error:
                pause_s = listening.broke(self._retry, error)
            await self._sleep(pause_s)

    async def download(
        self,
        segment: str,
        export: str,
        *,
        at: int = 0,
        tag: str | None = None,
        opened: Callable[[str], None] | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """The file of an export that is `done`, in chunks. A connection that breaks is opened again, and the
        file goes on where it broke.

        `opened` is called with the file's tag. Another process goes on behind the first `at` bytes of the
        file with this `tag`.

        Close it where you leave it early: `async with aclosing(client.download(…)) as chunks`.

        Raises Unreadable where the file is another one by now: begin anew.
        """
        downloading = Downloading(of_export(segment, export), at, tag, opened)
        async with aclosing(self._downloaded(downloading)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def refused_rows(self, import_: str) -> AsyncGenerator[bytes, None]:
        """The CSV of the rows that an import has refused, each with its reason, in chunks."""
        async with aclosing(self._downloaded(Downloading(of_import(import_)))) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _downloaded(self, downloading: Downloading) -> AsyncGenerator[bytes, None]:
        while True:
            try:
                async with aclosing(self._chunks(downloading)) as chunks:
                    async for chunk in chunks:
                        yield chunk
                return
            except ApiError as error:
                pause_s = downloading.broke(self._retry, error)
            await self._sleep(pause_s)

    async def _chunks(self, downloading: Downloading) -> AsyncGenerator[bytes, None]:
        import httpx  # noqa: PLC0415

        try:
            async with self._http.stream(**downloading.arguments()) as response:
                if response.is_error:
                    raise exchange.refused(response.status_code, response.headers, await response.aread())
                downloading.begins(response.status_code, response.headers)
                async for chunk in response.aiter_bytes():
                    yield downloading.came(chunk)
        except httpx.TransportError as error:
            raise exchange.failed(self.url, error) from error

    async def _heard(self, listening: Listening) -> AsyncGenerator[str, None]:
        import httpx  # noqa: PLC0415

        try:
            async with self._http.stream(**listening.arguments()) as response:
                if response.is_error:
                    raise exchange.refused(response.status_code, response.headers, await response.aread())
                async for line in response.aiter_lines():
                    if (data := listening.line(line)) is not None:
                        yield data
        except httpx.TransportError as error:
            raise exchange.failed(self.url, error) from error

    async def _body(self, request: Request[Any]) -> bytes:
        keyed, attempt = exchange.keyed(request), 1
        while True:
            try:
                return await self._once(keyed)
            except ApiError as error:
                pause_s = self._retry.pause_s(keyed, attempt, error)
                if pause_s is None:
                    raise
            await self._sleep(pause_s)
            attempt += 1

    async def _once(self, request: Request[Any]) -> bytes:
        import httpx  # noqa: PLC0415

        try:
            response = await self._http.request(**exchange.arguments(request))
        except httpx.TransportError as error:
            raise exchange.failed(self.url, error) from error
        if response.is_error:
            raise exchange.refused(response.status_code, response.headers, response.content)
        return response.content
