"""Errors as problem+json (RFC 9457), every fault with its JSON pointer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import msgspec
from starlette.responses import Response

from livesegments.core.fault import Fault
from livesegments.wire.rejected import reason


def problem(
    status: int,
    detail: str,
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
    code: str | None = None,
) -> Response:
    """`code` and `message` are what Segment's libraries read of an error, beside the fields of problem+json.

    The code is that of the first fault, or of the status: `not_found`.
    """
    known = HTTPStatus(status)
    body = {
        "type": "about:blank",
        "title": known.phrase,
        "status": status,
        "detail": detail,
        "errors": faults,
        "success": False,
        "code": code or (faults[0].code if faults else known.name.lower()),
        "message": reason(faults) if faults else detail,
    }
    return Response(
        msgspec.json.encode(body), status, headers=dict(headers or {}), media_type="application/problem+json"
    )
