"""Errors as problem+json (RFC 9457), every fault with its JSON pointer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import msgspec
from starlette.responses import Response

from livesegments.core.fault import Fault


def problem(
    status: int, detail: str, faults: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
) -> Response:
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "errors": faults}
    return Response(
        msgspec.json.encode(body), status, headers=dict(headers or {}), media_type="application/problem+json"
    )
