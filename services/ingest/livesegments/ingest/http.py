"""The HTTP edge: authenticates, bounds and reads the body, answers once the broker has everything.

`/v1/batch` and `/v1/events` answer 202 with a verdict for every item refused; a call of one event that is
refused is a 422. Both leave the refused bytes in the topic `rejected`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import count
from typing import Any, Protocol
from uuid import uuid4

import msgspec
import structlog
from aiokafka.errors import KafkaError
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from livesegments.core.fault import Fault
from livesegments.ingest import accept, body, segment_spec
from livesegments.ingest.access import Access, secret_of
from livesegments.ingest.body import Unfit
from livesegments.ingest.budget import Budget
from livesegments.ingest.origin import ANY_ORIGIN, preflight
from livesegments.ingest.packer import Busy, Packer
from livesegments.ingest.problems import problem
from livesegments.ingest.receipt import MAX_BATCH_BYTES, MAX_EVENT_BYTES, Accepted, Receipt
from livesegments.runtime import metrics
from livesegments.store.catalog import NotRestored
from livesegments.wire.rejected import Rejected, reason

MAX_IN_FLIGHT_BYTES = 64 * 1024 * 1024
"""Of bodies that are being read or not yet answered."""
ANSWER_S = 10.0
"""A sender hears after so long that the broker has not acknowledged."""
RETRY_AFTER = {"Retry-After": "1"}
Handler = Callable[[str, bytes], Awaitable[Response]]
_log = structlog.get_logger(__name__)


class Rejects(Protocol):
    async def reject(self, rejected: Sequence[Rejected]) -> None: ...


class Edge:
    """The handlers; `as_stamped` as in `Receipt`."""

    def __init__(
        self, packer: Packer, rejects_: Rejects, access: Access, now_ms: Callable[[], int], as_stamped: bool
    ) -> None:
        self._packer = packer
        self._rejects = rejects_
        self._access = access
        self._now_ms = now_ms
        self._as_stamped = as_stamped
        self._budget = Budget(MAX_IN_FLIGHT_BYTES)
        self._run, self._number = uuid4().hex, count()

    def routes(self) -> list[Route]:
        """Calls also by their first letter, which is how Segment's browser library has them."""

        def post(name: str, handler: Handler, most: int) -> Route:
            return Route(f"/v1/{name}", self._guarded(handler, most), methods=["POST"])

        calls = {call: partial(self.call, call) for call in segment_spec.CALLS}
        posts = [
            *(post(name, call, MAX_EVENT_BYTES) for kind, call in calls.items() for name in (kind, kind[0])),
            *(post(name, self.batch, MAX_BATCH_BYTES) for name in ("batch", "b")),
            post("events", self.events, MAX_BATCH_BYTES),
        ]
        return [*posts, *(Route(each.path, preflight, methods=["OPTIONS"]) for each in posts)]

    def _guarded(self, handler: Handler, most: int) -> Callable[[Request], Any]:
        """Who is it, is there room for a body of at most `most` bytes, and what becomes of an error."""

        async def guarded(request: Request) -> Response:
            response = await answered(request)
            response.raw_headers += ANY_ORIGIN
            return response

        async def answered(request: Request) -> Response:
            try:
                secret = secret_of(request.headers.get("authorization", ""))
                key = await self._access.key(secret) if secret else None
                if key is None:
                    return _unauthorized(given=bool(secret))
                if "ingest" not in key.scopes:
                    return problem(403, f"the key {key.name!r} may not send events")
                with self._budget.of(body.length(request, most)):
                    return await handler(key.workspace, await body.read(request, most))
            except Unfit as error:
                # the rest of its body is not waited for
                return problem(error.status, error.detail, headers={"Connection": "close"})
            except Busy:
                metrics.INGEST_BUSY.inc()
                return problem(429, "the broker is behind: send it again in a second", headers=RETRY_AFTER)
            except ClientDisconnect:
                return Response(status_code=499)
            except (KafkaError, RedisError, NotRestored, OSError) as error:
                _log.warning("not acknowledged", error=repr(error))
                told = "not acknowledged: send it again; ids make that safe"
                return problem(503, told, headers=RETRY_AFTER)

        return guarded

    async def call(self, kind: str, workspace: str, content: bytes) -> Response:
        verdict = accept.call(kind, content, self._receipt(workspace))
        if isinstance(verdict, Rejected):
            return await self._refuse(verdict)
        await self._take([verdict], [])
        return _answer(1, [])

    async def batch(self, workspace: str, content: bytes) -> Response:
        return await self._judged(accept.batch(content, self._receipt(workspace)), workspace, content)

    async def events(self, workspace: str, content: bytes) -> Response:
        return await self._judged(accept.events(content, self._receipt(workspace)), workspace, content)

    async def _judged(self, verdicts: accept.Verdicts | Fault, workspace: str, content: bytes) -> Response:
        if isinstance(verdicts, Fault):
            receipt = self._receipt(workspace)
            whole = Rejected(workspace, receipt.source, receipt.received_ms, [verdicts], content)
            return await self._refuse(whole, 400)
        await self._take(verdicts.accepted, verdicts.rejected)
        return _answer(len(verdicts.accepted), verdicts.rejected)

    async def _take(self, accepted: Sequence[Accepted], rejected: Sequence[Rejected]) -> None:
        async with asyncio.timeout(ANSWER_S):
            await self._packer.put(accepted)
            await self._rejects.reject(rejected)
        metrics.INGEST_ACCEPTED.labels("http").inc(len(accepted))
        if rejected:
            metrics.INGEST_REJECTED.labels("http").inc(len(rejected))

    async def _refuse(self, rejected: Rejected, status: int = 422) -> Response:
        await self._take([], [rejected])
        return problem(status, "not accepted; the topic 'rejected' has it", rejected.faults)

    def _receipt(self, workspace: str) -> Receipt:
        id_ = f"{self._run}:{next(self._number):012}"
        return Receipt(workspace, self._now_ms(), "http", id_, self._as_stamped)


def app(edge: Edge, more: Sequence[Route]) -> Starlette:
    async def http_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem(error.status_code, error.detail, headers=error.headers)

    return Starlette(routes=[*edge.routes(), *more], exception_handlers={HTTPException: http_error})


def _unauthorized(given: bool) -> Response:
    told = "the write key is not known" if given else "a write key is needed"
    headers = {"WWW-Authenticate": 'Basic realm="livesegments", charset="UTF-8"'}
    return problem(401, f"{told}: send it as the user of HTTP Basic, or as a Bearer token", headers=headers)


def _answer(accepted: int, rejected: Sequence[Rejected]) -> Response:
    told = {
        "accepted": accepted,
        "rejected": [
            {
                "index": item.index,
                "code": item.faults[0].code,
                "reason": reason(item.faults),
                "errors": item.faults,
            }
            for item in rejected
        ],
    }
    return Response(msgspec.json.encode(told), 202, media_type="application/json")
