"""Browsers send from the pages of whoever uses us: any page may (the Fetch standard's CORS).

The write key decides what a page may do; it is no secret there.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

ANY_ORIGIN = (b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"Retry-After")
"""Headers of every answer."""


async def preflight(request: Request) -> Response:
    """What a browser asks before it sends (the Fetch standard): any page may, with any header."""
    asked = request.headers.get("access-control-request-headers", "authorization, content-type")
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": asked,
        "Access-Control-Max-Age": "86400",
    }
    return Response(status_code=204, headers=headers)
