"""Every error as RFC 9457 problem+json: it has one form, whether we or the framework saw the fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
import structlog
from aiokafka.errors import KafkaError
from fastapi import FastAPI, Request
from fastapi import HTTPException as FastAPIError
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from msgspec import Meta, Struct
from pydantic import GetPydanticSchema, WithJsonSchema
from pydantic_core import core_schema
from starlette.exceptions import HTTPException

from livesegments.api.web.publisher import NotPublished
from livesegments.api.web.ways import Ways
from livesegments.api.web.wording import said
from livesegments.core.fault import Fault
from livesegments.runtime import metrics
from livesegments.store.changes import NotRestored
from livesegments.store.seen import Restoring

COMPONENT = "$component"
"""In a schema: becomes a reference to the component of that name (module `openapi`)."""
MEDIA_TYPE = "application/problem+json"
FAULTS = "faults"
"""Where a validator leaves several faults of one value: in the context of its error."""
VARIANT = "variant:"
"""Begins the name of one of a body's variants, which is no part of a pointer."""
MAX_QUOTED = 200

_log = structlog.get_logger(__name__)


FaultOut = Annotated[
    Fault,
    GetPydanticSchema(
        lambda _type, _handler: core_schema.is_instance_schema(
            Fault, serialization=core_schema.plain_serializer_function_ser_schema(msgspec.to_builtins)
        )
    ),
    WithJsonSchema({COMPONENT: "Fault"}),
]
"""A fault as a part of an answer that pydantic writes."""


QUOTA = "quota_"
"""The codes of quotas begin with it."""


class ProblemBody(Struct):
    """RFC 9457. `errors` lists every fault that was found, not only the first."""

    type: Annotated[str, Meta(description="Always `about:blank`: the status says the kind.")]
    title: Annotated[str, Meta(description="The status in words.", examples=["Not Found"])]
    status: Annotated[int, Meta(description="The status of the answer.", examples=[404])]
    detail: Annotated[str, Meta(description="What is wrong, and what to do about it, as a sentence.")]
    errors: Annotated[tuple[Fault, ...], Meta(description="Every fault of the request.")] = ()


class Problem(FastAPIError):
    """Raised anywhere under a route. (FastAPI lets only its own kind pass while it reads a body.)"""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers) if headers else None)
        self.errors = errors

    def response(self) -> Response:
        body = ProblemBody(
            type="about:blank",
            title=HTTPStatus(self.status_code).phrase,
            status=self.status_code,
            detail=str(self.detail),
            errors=tuple(self.errors),
        )
        return Response(msgspec.json.encode(body), self.status_code, self.headers, MEDIA_TYPE)


def not_found(what: str, id_: str, meant: str = "") -> Problem:
    """`meant` names something that is there, which the caller may have meant."""
    hint = f" Did you mean {meant}?" if meant else ""
    return Problem(404, f"There is no {what} {quoted(id_)} here.{hint}")


def quoted(text: str) -> str:
    return f"'{text if len(text) <= MAX_QUOTED else text[:MAX_QUOTED] + '…'}'"


def pointer(path: Sequence[str | int]) -> str:
    """RFC 6901."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def install(app: FastAPI, ways: Ways) -> None:
    @app.exception_handler(Problem)
    async def ours(_: Request, error: Problem) -> Response:
        for quota in {each.code for each in error.errors if each.code.startswith(QUOTA)}:
            metrics.API_QUOTA.labels(quota.removeprefix(QUOTA)).inc()
        return error.response()

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        headers, detail, path = dict(error.headers or {}), str(error.detail), request.url.path
        if error.status_code == 405:
            headers["Allow"] = ", ".join(ways.methods(path)) or headers.get("Allow", "")
            detail = f"{request.method} is not a method of this path; it has {headers['Allow']}."
        elif error.status_code == 404:
            there = path.endswith("/") and ways.methods(path.rstrip("/"))
            hint = " leave out the slash at its end" if there else " /openapi.json has them all"
            detail = f"There is no path {quoted(path)} here;{hint}."
        return Problem(error.status_code, detail, headers=headers).response()

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        faults = faults_of(error.errors(), error.body)
        return Problem(422, f"{len(faults)} fault(s) in the request.", faults).response()

    async def away(_: Request, error: Exception) -> Response:
        _log.warning("a store is away", error=repr(error))
        detail = "A store can't be reached now; a change may or may not have been made. Try again."
        return Problem(503, detail, headers={"Retry-After": "1"}).response()

    @app.exception_handler(Restoring)
    async def restoring(_: Request, error: Restoring) -> Response:
        return Problem(503, str(error), headers={"Retry-After": "1"}).response()

    for kind in (KafkaError, NotPublished, NotRestored, OSError, TimeoutError):
        app.add_exception_handler(kind, away)

    @app.exception_handler(Exception)
    async def bug(_: Request, error: Exception) -> Response:
        _log.error("a bug", exc_info=error)
        return Problem(500, "An error of ours; it is in the log.").response()


def faults_of(errors: Sequence[Mapping[str, Any]], body: Any) -> list[Fault]:
    """Of pydantic's errors about a request with this body.

    Of `bucket: BucketIn | None` pydantic says twice what is wrong: of a bucket, and that it isn't null. The
    second is left out where there is the first."""
    found = [(_where(each, body), each) for each in errors]
    places = [where for where, each in found if not _is_nothing(each)]
    return [
        fault
        for where, each in found
        if not (_is_nothing(each) and any(place.startswith(where) for place in places))
        for fault in _faults(where, each)
    ]


def _is_nothing(error: Mapping[str, Any]) -> bool:
    """Whether it only says that null, or an empty text, is allowed here as well."""
    return bool(error["type"] == "none_required" or error.get("ctx", {}).get("expected") == "''")


def _faults(where: str, error: Mapping[str, Any]) -> list[Fault]:
    several = error.get("ctx", {}).get(FAULTS)
    if several is not None:
        return [Fault(where + each.pointer, each.code, each.message) for each in several]
    if error["loc"] == ("body",) and error["type"] == "missing":
        return [Fault("", "missing_field", "the body is missing: send a JSON object")]
    return [Fault(where, *said(error))]


def _where(error: Mapping[str, Any], body: Any) -> str:
    """The place in what was sent. What is no key or number there is pydantic's name of a type's variant."""
    place, *path = (part for part in error["loc"] if not str(part).startswith(VARIANT))
    if place != "body":
        return f"{place}: {'.'.join(map(str, path))}"
    known = []
    for at, part in enumerate(path, 1):
        if (isinstance(body, dict) and part in body) or (isinstance(body, list) and part in range(len(body))):
            known.append(part)
            body = body[part]
        elif at == len(path) and error["type"] == "missing":
            known.append(part)
    return pointer(known)


_MEANINGS = {
    400: "The body is not JSON.",
    401: "No valid key in `Authorization: Bearer KEY`.",
    403: "The key lacks the scope, or is of another workspace.",
    404: "There is no such thing here.",
    405: "The method is not one of this path.",
    408: "The body did not come in time.",
    409: "In conflict with what is there now.",
    410: "It is not kept any more.",
    412: "It has changed since (`If-Match`).",
    413: "The body is too large.",
    415: "The body is not sent as JSON.",
    416: "There is no such part of it (`Range`).",
    422: "The request has faults; all are listed.",
    428: "`If-Match` is needed.",
    500: "An error of ours.",
    503: "A store is away; try again.",
}


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: these, and those that any path may answer."""
    schema = {"schema": {"$ref": "#/components/schemas/ProblemBody"}}
    return {
        status: {"description": _MEANINGS[status], "content": {MEDIA_TYPE: schema}}
        for status in sorted({*statuses, *([408] if 413 in statuses else []), 422, 500, 503})
    }
