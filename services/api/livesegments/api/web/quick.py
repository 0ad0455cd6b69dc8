"""The busiest reads on a shorter road: to find a route and its parameters takes as long as all the rest.

`GET /v1/segments/vips/members/ann`, a segment's count, a page of its members, a profile: sent plainly, with a
workspace's own key, they are answered here. Whatever isn't plain (a percent-encoded id, another parameter, an
admin's key) and whatever isn't well (an unknown key, a store that is away) goes on to the routes, which say
the same and know every refusal.
"""

from __future__ import annotations

import re
import time

from msgspec import Struct
from starlette.types import ASGIApp, Receive, Scope, Send

from livesegments.api.context import Context
from livesegments.api.web import answers
from livesegments.api.web.problems import Problem
from livesegments.runtime import metrics
from livesegments.store.catalog import digest, see_once
from livesegments.store.seen import Restoring
from livesegments.wire.catalog import Workspace

_ID = r"[A-Za-z0-9_@:~+-][A-Za-z0-9_@:~+.-]{0,255}"
_SEGMENT = r"segments/([A-Za-z0-9][A-Za-z0-9_-]{0,63})/"
_PATH = re.compile(rf"/v1/(?:{_SEGMENT}(?:(count)|members(?:/({_ID}))?)|profiles/({_ID}))".encode())
_LIMIT = re.compile(rb"limit=([1-9][0-9]{0,3})")
MEMBERS = 1_000
"""A page has so many unless it is said."""

COUNT = "/v1/segments/{id}/count"
PAGE = "/v1/segments/{id}/members"
MEMBER = "/v1/segments/{id}/members/{profile}"
PROFILE = "/v1/profiles/{profile}"
_SECONDS = {path: metrics.API_SECONDS.labels(path) for path in (COUNT, PAGE, MEMBER, PROFILE)}
_ANSWERED = {path: metrics.API_REQUESTS.labels("GET", path, "200") for path in _SECONDS}


class Asked(Struct, frozen=True):
    path: str
    segment: str = ""
    profile: str = ""
    limit: int = MEMBERS


class Quick:
    """The middleware that does so."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = _asked(scope)
        if asked is None:
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        try:
            body = await _answer(scope, asked)
        except (OSError, Restoring):
            body = None
        except Problem as problem:
            _count(asked.path, begun, problem.status_code)
            await problem.response()(scope, receive, send)
            return
        if body is None:
            await self._app(scope, receive, send)
            return
        _count(asked.path, begun, 200)
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _asked(scope: Scope) -> Asked | None:
    """None: not plainly."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    found = _PATH.fullmatch(scope.get("raw_path") or b"")
    if found is None:
        return None
    segment, count, member, profile = found.groups()
    query: bytes = scope["query_string"]
    if profile is not None:
        return None if query else Asked(PROFILE, profile=profile.decode())
    if count is not None:
        return None if query else Asked(COUNT, segment.decode())
    if member is not None:
        return None if query else Asked(MEMBER, segment.decode(), member.decode())
    if not query:
        return Asked(PAGE, segment.decode())
    limit = _LIMIT.fullmatch(query)
    return None if limit is None else Asked(PAGE, segment.decode(), limit=int(limit[1]))


async def _answer(scope: Scope, asked: Asked) -> bytes | None:
    context: Context = scope["app"].state.context
    workspace = await _reading(context, scope)
    if workspace is None:
        return None
    match asked.path:
        case "/v1/segments/{id}/members/{profile}":
            answer: Struct = await answers.membership(context, workspace, asked.segment, asked.profile)
        case "/v1/segments/{id}/count":
            answer = await answers.count(context, workspace, asked.segment)
        case "/v1/profiles/{profile}":
            answer = await answers.known(context, workspace, asked.profile)
        case _:
            answer = await answers.page(context, workspace, asked.segment, asked.limit, None, False)
    return answers.encode(answer)


async def _reading(context: Context, scope: Scope) -> Workspace | None:
    """The workspace of a key that may read; None: somebody else, or nobody."""
    secret = b""
    for name, value in scope["headers"]:
        if name == b"authorization":
            if secret or value[:7] != b"Bearer ":
                return None
            secret = value[7:]
        elif name == b"x-workspace":
            return None
    if not secret or not secret.isascii():
        return None
    see_once()
    key = await context.catalog.key(digest(secret.decode()))
    if key is None or "read" not in key.scopes:
        return None
    return await context.catalog.workspace(key.workspace)


def _count(path: str, begun: float, status: int) -> None:
    _SECONDS[path].observe(time.perf_counter() - begun)
    if status == 200:
        _ANSWERED[path].inc()
    else:
        metrics.API_REQUESTS.labels("GET", path, str(status)).inc()
