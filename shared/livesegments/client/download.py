"""The file of an export as it is read: what to ask for next, wherever the connection breaks.

Example: 4,096 bytes have come when the connection breaks. The next request asks for the bytes from there on
(`Range`), on condition that the file is still the same one (`If-Range`); of another file none of them would
fit behind those that are there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from livesegments.client.errors import ApiError, Refused, Unreadable
from livesegments.client.request import Request, part
from livesegments.client.retry import Retry

PARTIAL = 206


def of_export(segment: str, export: str) -> str:
    return f"/v1/segments/{part(segment, 'segment')}/exports/{part(export, 'export')}/file"


def of_import(id_: str) -> str:
    return f"/v1/imports/{part(id_, 'import')}/refused"


class Downloading:
    """One download's state, without its connection. `at`: how many bytes are there; `tag`: of which file."""

    def __init__(
        self, path: str, at: int = 0, tag: str | None = None, opened: Callable[[str], None] | None = None
    ) -> None:
        self.path, self.at, self.tag = path, at, tag
        self._opened = opened
        self._attempt = 1

    def arguments(self) -> dict[str, Any]:
        """Those of httpx' `stream`. A file is sent as it is: its bytes are counted."""
        headers = {"Accept-Encoding": "identity"}
        if self.at:
            headers["Range"] = f"bytes={self.at}-"
            if self.tag is not None:
                headers["If-Range"] = self.tag
        return {"method": "GET", "url": self.path, "headers": headers}

    def begins(self, status: int, headers: Mapping[str, str]) -> None:
        """Raises Unreadable where the file isn't the one that its beginning is of."""
        tag = headers.get("ETag")
        if self.at and (status != PARTIAL or (self.tag is not None and tag != self.tag)):
            raise Unreadable(f"{self.path} is another file by now: begin the download anew")
        self.tag = tag
        if self._opened is not None and tag is not None:
            self._opened(tag)
            self._opened = None

    def came(self, chunk: bytes) -> bytes:
        self.at += len(chunk)
        self._attempt = 1
        return chunk

    def broke(self, retry: Retry, error: ApiError) -> float:
        """Seconds until it goes on. Raises the error where it is final."""
        request: Request[Any] = Request(method="GET", path=self.path, answer=None)
        final = isinstance(error, Unreadable) or (isinstance(error, Refused) and error.status < 429)
        pause_s = None if final else retry.pause_s(request, self._attempt, error)
        if pause_s is None:
            raise error
        self._attempt += 1
        return pause_s
