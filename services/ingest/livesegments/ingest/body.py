"""A request's body: it has a bound in bytes, inflated or not, and in time, so a sender that trickles is
left.
"""

from __future__ import annotations

import asyncio
import zlib

from starlette.requests import Request

READ_S = 20.0
"""A body that has not come within this time is not waited for any longer."""
GZIP = 16 + zlib.MAX_WBITS


class Unfit(Exception):
    """The body can't be taken: an HTTP status, and what is wrong."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


def length(request: Request, most: int) -> int:
    """How much room the body needs: what its header says, or the most where it doesn't. Raises Unfit."""
    told = request.headers.get("content-length")
    if told is not None and int(told) > most:
        raise _too_large(most)
    return most if told is None or _encoding(request) != "identity" else int(told)


async def read(request: Request, most: int) -> bytes:
    """At most `most` bytes, as they come and inflated; reads no further.

    Raises Unfit, starlette.requests.ClientDisconnect.
    """
    try:
        async with asyncio.timeout(READ_S):
            match _encoding(request):
                case "identity":
                    return await _plain(request, most)
                case "gzip" | "x-gzip":  # RFC 9110, 8.4.1.3: the same
                    return await _inflated(request, most)
                case other:
                    raise Unfit(415, f"Content-Encoding {other[:40]!r}: send gzip, or nothing")
    except TimeoutError:
        raise Unfit(408, f"the body was not complete after {READ_S:.0f} seconds: send it again") from None


def _encoding(request: Request) -> str:
    return request.headers.get("content-encoding", "identity").strip().lower()


async def _plain(request: Request, most: int) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise _too_large(most)
        chunks.append(chunk)
    return b"".join(chunks)


async def _inflated(request: Request, most: int) -> bytes:
    inflater, chunks, size, came = zlib.decompressobj(GZIP), [], 0, 0
    try:
        async for chunk in request.stream():
            came += len(chunk)
            if (
                came > most
            ):  # else what inflates to nothing, or comes after the end, would be kept without a bound
                raise _too_large(most)
            chunks.append(inflater.decompress(chunk, most + 1 - size))
            size += len(chunks[-1])
            if size > most:
                raise _too_large(most)
    except zlib.error as error:
        raise Unfit(400, f"the body is not gzip: {error}") from None
    if not inflater.eof or inflater.unused_data:
        raise Unfit(400, "the body is not one whole gzip member")
    return b"".join(chunks)


def _too_large(most: int) -> Unfit:
    return Unfit(413, f"the body is longer than {most} bytes")
