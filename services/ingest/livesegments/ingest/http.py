"""The HTTP edge: authenticates, bounds and reads the body, answers once the broker has everything.

Segment's routes answer 200, which is what its libraries ask for, and `/v1/events` 202, with a verdict for
every item refused or accepted in part; one event by itself that is refused is a 422. Items that were
refused and parts that were left out are in the topic `rejected`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import count as counter
from typing import Any, Protocol, TypeVar
from uuid import uuid4

import msgspec
import structlog
from aiokafka.errors import KafkaError
from msgspec import structs
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from livesegments.core.fault import Fault, shown
from livesegments.ingest import accept, body, segment_spec
from livesegments.ingest.access import Access, secret_of
from livesegments.ingest.body import Unfit
from livesegments.ingest.budget import Budget
from livesegments.ingest.count import count
from livesegments.ingest.gate import Beyond, Gate
from livesegments.ingest.log_time import LogTime
from livesegments.ingest.origin import ANY_ORIGIN, preflight
from livesegments.ingest.packer import Busy, Packer
from livesegments.ingest.problems import problem
from livesegments.ingest.receipt import MAX_BATCH_BYTES, MAX_EVENT_BYTES, Receipt, reject, with_merges
from livesegments.runtime import metrics
from livesegments.store.changes import NotRestored
from livesegments.wire.catalog import Key
from livesegments.wire.rejected import Rejected, reason

MAX_IN_FLIGHT_BYTES = 64 * 1024 * 1024
"""Of bodies that are being read or not yet answered."""
MAX_KEYLESS_BYTES = 8 * 1024 * 1024
"""Of these, the bodies whose sender is not known before they are read: their key is in the body, if
anywhere."""
ANSWER_S = 10.0
"""After this many seconds without an acknowledgement of the broker, the sender is answered with 503."""
RETRY_AFTER = {"Retry-After": "1"}
Judged = TypeVar("Judged")
Handler = Callable[[str, bytes], Awaitable[Response]]
_log = structlog.get_logger(__name__)


class Rejects(Protocol):
    async def reject(self, rejected: Sequence[Rejected]) -> None: ...


class Edge:
    """The handlers; `log` as in `Receipt`."""

    def __init__(
        self,
        packer: Packer,
        rejects_: Rejects,
        access: Access,
        gate: Gate,
        now_ms: Callable[[], int],
        log: LogTime | None = None,
    ) -> None:
        self._packer = packer
        self._rejects = rejects_
        self._access = access
        self._gate = gate
        self._now_ms = now_ms
        self._log = log
        self._budget = Budget(MAX_IN_FLIGHT_BYTES)
        self._keyless = Budget(MAX_KEYLESS_BYTES)
        self._run, self._number = uuid4().hex, counter()

    def routes(self) -> list[Route]:
        """Calls also by their first letter, which is how Segment's browser library has them."""

        def post(name: str, handler: Handler, most: int, in_body: bool = True) -> Route:
            return Route(f"/v1/{name}", self._guarded(handler, most, in_body), methods=["POST"])

        calls = {call: partial(self.call, call) for call in segment_spec.CALLS}
        posts = [
            *(post(name, call, MAX_EVENT_BYTES) for kind, call in calls.items() for name in (kind, kind[0])),
            *(post(name, self.batch, MAX_BATCH_BYTES) for name in ("batch", "b")),
            post("events", self.events, MAX_BATCH_BYTES, in_body=False),
        ]
        return [*posts, *(Route(each.path, preflight, methods=["OPTIONS"]) for each in posts)]

    def _guarded(self, handler: Handler, most: int, in_body: bool) -> Callable[[Request], Any]:
        """Finds out whose request it is and whether there is room for `most` bytes, and answers its errors.

        `in_body`: the field `writeKey` names the key where no header does, as browsers' libraries have it.
        """

        async def guarded(request: Request) -> Response:
            path = request.scope["path"]
            with metrics.INGEST_SECONDS.labels(path).time():
                response = await answered(request)
            metrics.INGEST_REQUESTS.labels(path, str(response.status_code)).inc()
            response.raw_headers += ANY_ORIGIN
            return response

        async def keyless(request: Request) -> Response:
            with self._keyless.of(body.length(request, most)):
                content = await body.read(request, most)
                key = await self._key(accept.write_key(content))
                return await handler(key.workspace, content)

        async def answered(request: Request) -> Response:
            try:
                secret = secret_of(request.headers.get("authorization", ""))
                if secret is None and in_body:
                    return await keyless(request)
                key = await self._key(secret)
                with self._budget.of(body.length(request, most)):
                    return await handler(key.workspace, await body.read(request, most))
            except Denied as error:
                return error.response
            except Unfit as error:
                # the rest of its body is not waited for
                return problem(error.status, error.detail, headers={"Connection": "close"})
            except Beyond as error:
                retry = {"Retry-After": str(error.retry_s)}
                return problem(429, error.detail, headers=retry, code=f"quota_{error.quota}")
            except Busy:
                metrics.INGEST_BUSY.inc()
                return problem(429, "the broker is behind: send it again in a second", headers=RETRY_AFTER)
            except ClientDisconnect:
                return Response(status_code=499)
            except (KafkaError, NotRestored, OSError) as error:
                _log.warning("not acknowledged", error=repr(error))
                told = "not acknowledged: send it again; ids make that safe"
                return problem(503, told, headers=RETRY_AFTER)

        return guarded

    async def _key(self, secret: str | None) -> Key:
        """Raises Denied."""
        key = await self._access.key(secret) if secret else None
        if key is None:
            raise Denied(_unauthorized(given=bool(secret)))
        if "ingest" not in key.scopes:
            raise Denied(problem(403, f"the key {key.name!r} may not send events"))
        await self._gate.admit(key.workspace)
        return key

    async def call(self, kind: str, workspace: str, content: bytes) -> Response:
        receipt = self._receipt(workspace, await self._access.merges(workspace))
        receipt = await self._typed(receipt, content)
        verdict = await self._in_time(lambda: accept.call(kind, content, receipt))
        if isinstance(verdict, Rejected):
            return await self._refuse(verdict)
        left_out = [] if verdict.left_out is None else [verdict.left_out]
        verdicts = await self._with_room(accept.Verdicts([verdict], [], left_out, single=True), receipt)
        return await self._answered(verdicts, 200)

    async def batch(self, workspace: str, content: bytes) -> Response:
        receipt = self._receipt(workspace, await self._access.merges(workspace))
        receipt = await self._typed(receipt, content)
        verdicts = await self._in_time(lambda: accept.batch(content, receipt))
        return await self._judged(verdicts, receipt, content, 200)

    async def events(self, workspace: str, content: bytes) -> Response:
        receipt = await self._typed(self._receipt(workspace), content)
        if accept.may_name_lists(content):
            receipt = structs.replace(receipt, lists=await self._access.lists(workspace))
        verdicts = await self._in_time(lambda: accept.events(content, receipt))
        return await self._judged(verdicts, receipt, content, 202)

    async def _typed(self, receipt: Receipt, content: bytes) -> Receipt:
        """With what is declared of attributes, as it is now, if the content may have any."""
        if not accept.may_change_profiles(content):
            return receipt
        return structs.replace(receipt, declared=await self._access.declarations(receipt.workspace))

    async def _in_time(self, judge: Callable[[], Judged]) -> Judged:
        """Gives the verdicts; once more if the log has come further than was known here."""
        if self._log is None:
            return judge()
        await self._log.is_newer()
        judged = judge()
        return judge() if await self._log.is_newer() else judged

    async def _judged(
        self, verdicts: accept.Verdicts | Fault, receipt: Receipt, content: bytes, status: int
    ) -> Response:
        if isinstance(verdicts, Fault):
            return await self._refuse(reject(receipt, [verdicts], content), 400)
        return await self._answered(await self._with_room(verdicts, receipt), status)

    async def _with_room(self, verdicts: accept.Verdicts, receipt: Receipt) -> accept.Verdicts:
        """The same, but what there is no room for in the workspace is rejected."""
        refused = await self._gate.refused(receipt, verdicts.accepted)
        return accept.without(verdicts, refused) if refused else verdicts

    async def _answered(self, verdicts: accept.Verdicts, status: int) -> Response:
        if verdicts.single and verdicts.rejected:
            return await self._refuse(verdicts.rejected[0])
        await self._keep(verdicts)
        if verdicts.accepted:
            workspace = verdicts.accepted[0].workspace
            await self._gate.took(workspace, len(verdicts.accepted))
        return answer(verdicts, status)

    async def _refuse(self, rejected: Rejected, status: int = 422) -> Response:
        await self._keep(accept.Verdicts([], [rejected]))
        return problem(status, "not accepted; the topic 'rejected' has it", rejected.faults)

    async def _keep(self, verdicts: accept.Verdicts) -> None:
        async with asyncio.timeout(ANSWER_S):
            await self._packer.put(with_merges(verdicts.accepted))
            await self._rejects.reject([*verdicts.rejected, *verdicts.left_out])
        count("http", len(verdicts.accepted), verdicts.rejected, verdicts.left_out)

    def _receipt(self, workspace: str, merge: bool = False) -> Receipt:
        id_ = f"{self._run}:{next(self._number):012}"
        return Receipt(workspace, self._now_ms(), "http", id_, self._log, merge=merge)


WAYS_IN = (
    "Segment's calls go to POST /v1/batch or /v1/{identify,track,page,screen,group,alias}, "
    "own events to POST /v1/events"
)


class Denied(Exception):
    """The request has no key that may send; the answer says so."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def app(edge: Edge, more: Sequence[Route]) -> Starlette:
    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        detail = error.detail
        if error.status_code == 404:
            detail = f"there is no path {shown(request.url.path)} here: {WAYS_IN}"
        elif error.status_code == 405:
            detail = f"{request.method} is no method of this path: {WAYS_IN}"
        return problem(error.status_code, detail, headers=error.headers)

    made = Starlette(routes=[*edge.routes(), *more], exception_handlers={HTTPException: http_error})
    made.router.redirect_slashes = False  # few senders follow a redirect: the rest would lose events
    return made


def _unauthorized(given: bool) -> Response:
    told = "the write key is not known" if given else "a write key is needed"
    headers = {"WWW-Authenticate": 'Basic realm="livesegments", charset="UTF-8"'}
    how = "as the user of HTTP Basic, as a Bearer token, or as the field 'writeKey' of a call"
    return problem(401, f"{told}: send it {how}", headers=headers)


def answer(verdicts: accept.Verdicts, status: int) -> Response:
    """`partial` are accepted without the odd parts that their errors name."""
    told = {
        "success": True,
        "accepted": len(verdicts.accepted),
        "rejected": [_verdict(item) for item in verdicts.rejected],
        "partial": [_verdict(item) for item in verdicts.left_out],
    }
    return Response(msgspec.json.encode(told), status, media_type="application/json")


def _verdict(item: Rejected) -> dict[str, Any]:
    return {
        "index": item.index,
        "code": item.faults[0].code,
        "reason": reason(item.faults),
        "errors": item.faults,
    }
