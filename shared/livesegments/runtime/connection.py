"""A connection that asks for nothing is closed: the time and the bytes until its request is there are
bounded.

Uvicorn bounds neither of them, and nobody needs a key to open connections.
"""

from __future__ import annotations

import asyncio

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 20.0
MAX_HEAD_BYTES = 1024 * 1024
"""Also of a body that goes on after its answer: enough for a sender of too much to hear that it is."""

NO_REQUEST = msgspec.json.encode(
    {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "This is no HTTP/1.1 request, or its address is longer than 64 KiB.",
    }
)


class Connection(HttpToolsProtocol):
    """Between requests (`idle`), `_unasked` bytes came since, and `_deadline` closes it."""

    _unasked = 0
    _deadline: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._unasked = self._unasked + len(data) if self.idle else 0
        if self._unasked > MAX_HEAD_BYTES:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Like every other refusal it is problem+json; uvicorn's own is a line of text."""
        head = (
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head % len(NO_REQUEST) + NO_REQUEST)
        self.transport.close()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._deadline is not None:
            self._deadline.cancel()

    def _wait(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(HEAD_S, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if self.idle and not self.transport.is_closing():
            self.transport.close()
