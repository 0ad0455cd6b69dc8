"""What both clients share: a request as httpx is given it, and what its answer means. Nothing is sent
here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from livesegments.client.errors import ApiError, Unreachable, Unreadable, refusal
from livesegments.client.request import Request

if TYPE_CHECKING:
    import httpx  # its import takes longer than all of ours: so it is imported where it is used

T = TypeVar("T")

TIMEOUT_S = 30.0
"""Connecting, and waiting for each part of an answer, may take this long."""


def settings(url: str, key: str, workspace: str | None, timeout_s: float) -> dict[str, Any]:
    """The arguments of httpx' client. Raises ValueError for what no header can carry."""
    headers = {"Authorization": f"Bearer {_sendable('key', key)}"}
    if workspace is not None:
        headers["X-Workspace"] = _sendable("workspace", workspace)
    secure = url.startswith("https:")  # to load certificates takes a while: only where they are used
    return {
        "base_url": url.rstrip("/"), "headers": headers, "timeout": timeout_s, "verify": secure,
        "trust_env": False,
    }  # fmt: skip


def keyed(request: Request[T]) -> Request[T]:
    """The request with a key of its own, where its route takes one: all its attempts share it."""
    if not request.once or "Idempotency-Key" in request.headers:
        return request
    headers = {**request.headers, "Idempotency-Key": os.urandom(16).hex()}
    return msgspec.structs.replace(request, headers=headers)


def arguments(request: Request[Any]) -> dict[str, Any]:
    """Those of httpx' `request`."""
    given: dict[str, Any] = {
        "method": request.method, "url": request.path, "params": request.query, "headers": request.headers,
    }  # fmt: skip
    if request.body is not None:
        given["content"] = msgspec.json.encode(request.body)
        given["headers"] = {**request.headers, "Content-Type": "application/json"}
    if request.content is not None:
        given["content"] = request.content
    if request.timeout_s is not None:
        given["timeout"] = request.timeout_s
    return given


def failed(url: str, error: httpx.TransportError) -> Unreachable:
    """A connection's failure, as an error of ours."""
    import httpx  # noqa: PLC0415

    never = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
    return Unreachable(f"{url} does not answer: {error or type(error).__name__}", sent=not never)


def refused(status: int, headers: Mapping[str, str], body: bytes) -> ApiError:
    return refusal(status, body, headers.get("Retry-After"))


def answer(request: Request[T], body: bytes) -> T:
    """Raises Unreadable where it is of another type."""
    if request.answer is None or request.answer is type(None):
        return None  # type: ignore[return-value]
    try:
        return msgspec.json.decode(body, type=request.answer)  # type: ignore[no-any-return]
    except msgspec.MsgspecError as error:
        raise Unreadable(f"{request.method} {request.path}: {error}") from error


def raw(body: bytes) -> Any:
    """The answer as JSON has it; None where it has no body. Raises Unreadable."""
    if not body:
        return None
    try:
        return msgspec.json.decode(body)
    except msgspec.MsgspecError as error:
        raise Unreadable(f"the answer is no JSON: {error}") from error


def _sendable(what: str, value: str) -> str:
    if value.isascii() and value.isprintable():
        return value
    raise ValueError(f"there is no {what} {value!r}: it holds only printable ASCII characters")
