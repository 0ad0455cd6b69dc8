"""The file of an export as an answer, whole or a part of it (RFC 9110, section 14).

`Range: bytes=1000-` goes on behind 1,000 bytes. `If-Range` has the `ETag` of what is there already: of
another file, the whole is sent. Several ranges at once are answered with the whole file, as the RFC allows.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import IO

from starlette.responses import StreamingResponse

from livesegments.api.web.problems import Problem
from livesegments.store.exports import Export

CHUNK = 256 * 1024
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))\Z")


async def streamed(
    export: Export, file: IO[bytes], asked: str | None, if_range: str | None
) -> StreamingResponse:
    """Closes the file when it ends. Raises Problem 416 for a range that begins behind the end."""
    tag = f'"{export.id}-{export.begun}"'
    wanted = asked if if_range in (None, tag) else None
    first, last = 0, export.bytes - 1
    part = None
    try:
        part = wanted_part(wanted, export.bytes)
    except ValueError as error:
        await asyncio.to_thread(file.close)
        headers = {"Content-Range": f"bytes */{export.bytes}"}
        raise Problem(
            416, f"The file has {export.bytes} bytes; `Range` begins behind.", (), headers
        ) from error
    if part is not None:
        first, last = part
        await asyncio.to_thread(file.seek, first)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(last - first + 1),
        "Content-Disposition": f'attachment; filename="{export.segment}-{export.id}.{export.format}"',
        "Cache-Control": "no-store",
        "ETag": tag,
    }
    if part is not None:
        headers["Content-Range"] = f"bytes {first}-{last}/{export.bytes}"
    status = 200 if part is None else 206
    return StreamingResponse(_chunks(file, last - first + 1), status, headers, MEDIA[export.format])


def wanted_part(asked: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte; None for the whole, also where `asked` is not understood. Raises ValueError where
    there is no such part."""
    found = _RANGE.match(asked or "")
    if found is None:
        return None
    begin, end, tail = found.groups()
    if tail is not None:
        if int(tail) == 0 or size == 0:
            raise ValueError(asked)
        return max(0, size - int(tail)), size - 1
    first, last = int(begin), min(int(end), size - 1) if end is not None else size - 1
    if end is not None and int(end) < first:
        return None  # not a range at all
    if first >= size:
        raise ValueError(asked)
    return first, last


async def _chunks(file: IO[bytes], size: int) -> AsyncIterator[bytes]:
    try:
        while size and (chunk := await asyncio.to_thread(file.read, min(CHUNK, size))):
            size -= len(chunk)
            yield chunk
    finally:
        file.close()
