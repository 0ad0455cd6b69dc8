"""The route class of every resource: bodies bounded and strictly JSON; no parameter that isn't known;
`Idempotency-Key` on the POSTs that declare it.

A POST with a key is done once: its answer is kept for a day under (caller, path, key), and given again to
whoever repeats it. The same key with another body is a fault (422); while the first is under way, 409.
Only success is kept: after an error the same key may be tried again. A POST that doesn't
declare it ignores it: a new secret is never kept.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from fastapi import Header, Request, Response
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.routing import APIRoute
from msgspec import Struct

from livesegments.api.web import auth
from livesegments.api.web.problems import Problem
from livesegments.core.fault import Fault
from livesegments.core.json_keys import repeated
from livesegments.runtime import metrics
from livesegments.store import keys
from livesegments.wire.unreadable import CAUSES

MAX_BODY_BYTES = 1024 * 1024
BODY_S = 20.0
"""A whole body must have come within this time."""
UNDER_WAY_S = 60
KEPT_S = 86_400

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern="^[!-~]+$",
        description="Repeat a POST with the same key and body as often as you like: it is done once.",
    ),
]


_JSON = re.compile(r"application/([\w.-]+\+)?json\s*(;|$)", re.IGNORECASE)


class Kept(Struct):
    """`status` 0: under way."""

    asked: bytes
    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = {}


class StrictRequest(Request):
    most_bytes, body_s = MAX_BODY_BYTES, BODY_S

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            try:
                async with asyncio.timeout(self.body_s):
                    self._body = await self._read()
            except TimeoutError as error:
                closing = {"Connection": "close"}
                raise Problem(408, "The body did not come in time.", headers=closing) from error
            if self._body and not _JSON.match(self.headers.get("content-type", "")):
                raise Problem(415, "Send the body as JSON, with `Content-Type: application/json`.")
        return self._body

    async def _read(self) -> bytes:
        parts, size = [], 0
        async for part in self.stream():
            size += len(part)
            if size > self.most_bytes:
                raise Problem(413, f"The body has more than {self.most_bytes} bytes.")
            parts.append(part)
        return b"".join(parts)

    async def json(self) -> Any:
        body = await self.body()
        try:
            value = msgspec.json.decode(body)
        except RecursionError as error:
            raise Problem(400, "The body is nested too deep to be read.") from error
        except CAUSES as error:
            raise Problem(400, f"The body is not JSON: {_why(error, body)}.") from error
        twice = repeated(body, value)
        if twice is not None:
            raise Problem(422, "1 fault(s) in the request.", [twice])
        return value


def _why(error: Exception, body: bytes) -> str:
    """What msgspec says; but it takes a text that ends with half a pair of surrogates for a body cut off."""
    if isinstance(error, msgspec.DecodeError) and b"\\u" in body:
        with suppress(ValueError, RecursionError):
            json.loads(body)
            return "a text in it has a lone surrogate"
    return str(error)


class Route(APIRoute):
    most_bytes, body_s = MAX_BODY_BYTES, BODY_S

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def run(request: Request) -> Response:
            self._refuse_unknown(request)
            strict = StrictRequest(request.scope, request.receive)
            strict.most_bytes, strict.body_s = self.most_bytes, self.body_s
            key = request.headers.get("idempotency-key")
            if key is None or not self._repeatable:
                return await handle(strict)
            return await _once(strict, key, handle)

        seconds = metrics.API_SECONDS.labels(self.path_format)

        async def measured(request: Request) -> Response:
            status = 500
            with seconds.time():
                try:
                    response = await run(request)
                    status = response.status_code
                    response.headers[auth.REQUEST_ID] = auth.request_id(request)
                except (HTTPException, RequestValidationError) as error:
                    status = getattr(error, "status_code", 422)
                    if isinstance(error, HTTPException):
                        error.headers = {**(error.headers or {}), auth.REQUEST_ID: auth.request_id(request)}
                    raise
                finally:
                    metrics.API_REQUESTS.labels(request.method, self.path_format, str(status)).inc()
            return response

        return measured

    @property
    def _repeatable(self) -> bool:
        return any(field.alias == "Idempotency-Key" for field in self.dependant.header_params)

    def _refuse_unknown(self, request: Request) -> None:
        """A misspelt filter would else be no filter."""
        if not request.scope["query_string"]:
            return
        known = {field.alias for field in self.dependant.query_params}
        faults = [
            Fault(pointer=f"query: {name}", code="unknown", message=f"not a parameter here; {_list(known)}")
            for name in dict.fromkeys(request.query_params)
            if name not in known
        ]
        if faults:
            raise Problem(422, f"{len(faults)} fault(s) in the request.", faults)


def _list(known: set[str]) -> str:
    return f"known: {', '.join(sorted(known))}" if known else "there are none"


async def _once(
    request: StrictRequest, key: str, handle: Callable[[Request], Awaitable[Response]]
) -> Response:
    context = request.app.state.context
    redis = context.redis
    parts = (
        request.headers.get("authorization", ""),
        request.headers.get("x-workspace", ""),
        request.url.path,
        key,
    )
    place = keys.catalog_once(sha256("\0".join(parts).encode()).hexdigest())
    asked = sha256(await request.body()).digest()
    begun = msgspec.msgpack.encode(Kept(asked))
    earlier = await redis.set(place, begun, nx=True, get=True, ex=UNDER_WAY_S)
    if earlier is not None:
        # a key that was revoked since opens nothing, not even its old answers
        await auth.caller(request)
        return _again(msgspec.msgpack.decode(earlier, type=Kept), asked)
    kept = False
    try:
        response = await handle(request)
        if response.status_code < 300:
            headers = {k: v for k, v in response.headers.items() if k != "content-length"}
            answer = Kept(asked, response.status_code, bytes(response.body), headers)
            await redis.set(place, msgspec.msgpack.encode(answer), ex=KEPT_S)
            kept = True
    finally:
        if not kept:
            await redis.delete(place)
    return response


def _again(earlier: Kept, asked: bytes) -> Response:
    if earlier.asked != asked:
        raise Problem(422, "This Idempotency-Key was used with another body.")
    if earlier.status == 0:
        raise Problem(409, "The first request with this Idempotency-Key is still under way.")
    return Response(earlier.body, earlier.status, earlier.headers | {"Idempotency-Replayed": "true"})
