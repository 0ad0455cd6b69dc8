"""A path names one thing, byte for byte: `/v1/profiles/ann%0A` is never taken for `/v1/profiles/ann`.

Patterns of routes don't see a line break at the end, and all bytes that are not UTF-8 become one
character. No id has either of them, so such a path is refused before its route is looked up.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from livesegments.api.web.problems import Problem
from livesegments.core.fault import Fault

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class WholePaths:
    """The middleware that does so, with status 422."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = _fault(scope) if scope["type"] == "http" else None
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await Problem(422, "1 fault(s) in the request.", [fault]).response()(scope, receive, send)


def _fault(scope: Scope) -> Fault | None:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    try:
        path = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return Fault("path", "bad_character", "is not UTF-8: percent-encode the UTF-8 bytes of an id")
    found = _CONTROL.search(path)
    if found is None:
        return None
    message = f"has the control character U+{ord(found[0]):04X}, which is in no id"
    return Fault("path", "bad_character", message)
