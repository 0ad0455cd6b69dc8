"""Files of exports, handed on from the api: the browser has no key, so it can't ask there itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from livesegments.client import ApiError, exports, imports
from livesegments.console.access.sessions import Session
from livesegments.console.visit import words

KINDS = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
OTHER = "application/octet-stream"


async def _send(request: Request) -> Response:
    session: Session = request.state.session
    segment, export = request.path_params["segment"], request.path_params["export"]
    try:
        made = await session.api.send(exports.read(segment, export))
    except ApiError as error:
        return PlainTextResponse(words(error), 404)
    if made.state != "done":
        return PlainTextResponse("The export is not done yet.", 409)

    async def chunks() -> AsyncIterator[bytes]:
        async with aclosing(session.api.download(segment, export)) as parts:
            async for part in parts:
                yield part

    name = "".join(each if each.isalnum() or each in "-_" else "_" for each in segment)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{made.format}"', "Content-Length":
        str(made.bytes),
    }  # fmt: skip
    return StreamingResponse(chunks(), media_type=KINDS.get(made.format, OTHER), headers=headers)


async def _send_refused(request: Request) -> Response:
    session: Session = request.state.session
    id_ = request.path_params["import"]
    try:
        found = await session.api.send(imports.read(id_))
    except ApiError as error:
        return PlainTextResponse(words(error), 404)
    if found.refused_file is None:
        return PlainTextResponse("It has no refused rows, or is not done yet.", 409)

    async def chunks() -> AsyncIterator[bytes]:
        async with aclosing(session.api.refused_rows(id_)) as parts:
            async for part in parts:
                yield part

    headers = {"Content-Disposition": 'attachment; filename="refused.csv"'}
    return StreamingResponse(chunks(), media_type=KINDS["csv"], headers=headers)


ROUTES = [Route("/files/refused/{import}", _send_refused), Route("/files/{segment}/{export}", _send)]
