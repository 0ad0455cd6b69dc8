"""The client that waits for each answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from livesegments.client import exchange
from livesegments.client.download import Downloading, of_export, of_import
from livesegments.client.errors import ApiError
from livesegments.client.request import Pages, Request
from livesegments.client.retry import Retry
from livesegments.client.stream import Listening, Transition, read

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741


class Client:
    """An api's address and a key; `workspace`: the one that an admin key acts in.

    Every method raises `ApiError`. A client is for one thread; close it, or use it in a `with`.
    """

    def __init__(
        self,
        url: str,
        key: str,
        workspace: str | None = None,
        *,
        timeout_s: float = exchange.TIMEOUT_S,
        retry: Retry = Retry(),  # noqa: B008
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        import httpx  # noqa: PLC0415

        self.url, self._retry, self._sleep = url, retry, sleep
        self._http = httpx.Client(**exchange.settings(url, key, workspace, timeout_s))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def send(self, request: Request[T]) -> T:
        """The answer, as its type."""
        return exchange.answer(request, self._body(request))

    def raw(self, request: Request[Any]) -> Any:
        """The answer as JSON has it: dicts, lists, texts and numbers."""
        return exchange.raw(self._body(request))

    def pages(self, request: Pages[T, Any]) -> Iterator[T]:
        """Every page, in order."""
        at: Pages[T, Any] | None = request
        while at is not None:
            page = self.send(at)
            yield page
            cursor = getattr(page, "next_cursor")  # noqa: B009
            at = request.after(cursor) if cursor else None

    def each(self, request: Pages[Any, I]) -> Iterator[I]:
        """Every item of all pages, in order."""
        for page in self.pages(request):
            yield from getattr(page, request.items)

    def transitions(
        self,
        segment: str | None = None,
        *,
        backfill: bool = False,
        subscription: str | None = None,
        after: str | None = None,
        opened: Callable[[str], None] | None = None,
    ) -> Iterator[Transition]:
        """Who enters and leaves a segment, or any, or what a subscription hears, as it happens, until it is
        closed.

        With `after`, the `place` of a transition, from behind that one on, else from now on. A connection
        that breaks is opened again where it broke. `opened` is called with the place once it is open:
        whoever reads the members from then on misses nothing.

        Raises Gone where what followed `after` isn't kept any more.
        """
        listening = Listening(segment, backfill, after, opened, subscription)
        for data in self._listen(listening):
            yield listening.transition(data)

    def raw_transitions(
        self,
        segment: str | None = None,
        *,
        backfill: bool = False,
        after: str | None = None,
        opened: Callable[[str], None] | None = None,
    ) -> Iterator[Any]:
        """The same, as JSON has them: without their places."""
        for data in self._listen(Listening(segment, backfill, after, opened)):
            yield read(data, Any)

    def _listen(self, listening: Listening) -> Iterator[str]:
        while True:
            try:
                yield from self._heard(listening)
                pause_s = listening.ended()
            except ApiError as error:
                pause_s = listening.broke(self._retry, error)
            self._sleep(pause_s)

    def download(
        self,
        segment: str,
        export: str,
        *,
        at: int = 0,
        tag: str | None = None,
        opened: Callable[[str], None] | None = None,
    ) -> Iterator[bytes]:
        """The file of an export that is `done`, in chunks. A connection that breaks is opened again, and the
        file goes on where it broke.

        `opened` is called with the file's tag. Another process goes on behind the first `at` bytes of the
        file with this `tag`.

        Raises Unreadable where the file is another one by now: begin anew.
        """
        downloading = Downloading(of_export(segment, export), at, tag, opened)
        yield from self._downloaded(downloading)

    def refused_rows(self, import_: str) -> Iterator[bytes]:
        """The CSV of the rows that an import has refused, each with its reason, in chunks."""
        yield from self._downloaded(Downloading(of_import(import_)))

    def _downloaded(self, downloading: Downloading) -> Iterator[bytes]:
        while True:
            try:
                yield from self._chunks(downloading)
                return
            except ApiError as error:
                pause_s = downloading.broke(self._retry, error)
            self._sleep(pause_s)

    def _chunks(self, downloading: Downloading) -> Iterator[bytes]:
        import httpx  # noqa: PLC0415

        try:
            with self._http.stream(**downloading.arguments()) as response:
                if response.is_error:
                    raise exchange.refused(response.status_code, response.headers, response.read())
                downloading.begins(response.status_code, response.headers)
                for chunk in response.iter_bytes():
                    yield downloading.came(chunk)
        except httpx.TransportError as error:
            raise exchange.failed(self.url, error) from error

    def _heard(self, listening: Listening) -> Iterator[str]:
        import httpx  # noqa: PLC0415

        try:
            with self._http.stream(**listening.arguments()) as response:
                if response.is_error:
                    raise exchange.refused(response.status_code, response.headers, response.read())
                for line in response.iter_lines():
                    if (data := listening.line(line)) is not None:
                        yield data
        except httpx.TransportError as error:
            raise exchange.failed(self.url, error) from error

    def _body(self, request: Request[Any]) -> bytes:
        keyed, attempt = exchange.keyed(request), 1
        while True:
            try:
                return self._once(keyed)
            except ApiError as error:
                pause_s = self._retry.pause_s(keyed, attempt, error)
                if pause_s is None:
                    raise
            self._sleep(pause_s)
            attempt += 1

    def _once(self, request: Request[Any]) -> bytes:
        import httpx  # noqa: PLC0415

        try:
            response = self._http.request(**exchange.arguments(request))
        except httpx.TransportError as error:
            raise exchange.failed(self.url, error) from error
        if response.is_error:
            raise exchange.refused(response.status_code, response.headers, response.content)
        return response.content
