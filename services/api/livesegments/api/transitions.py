"""`GET /v1/transitions`: who enters and leaves, as server-sent events, from now on.

Not in OpenAPI, which can't say what an endless answer is like: docs/asyncapi.yaml describes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from livesegments.api import times
from livesegments.api.announcements import Listener, TooMany
from livesegments.api.auth import Reading
from livesegments.api.context import Ctx
from livesegments.api.problems import Problem
from livesegments.api.route import Route
from livesegments.api.segments import found
from livesegments.core.event import Transition

HEARTBEAT_S = 15.0

router = APIRouter(prefix="/v1", route_class=Route, include_in_schema=False)


@router.get("/transitions")
async def hear_transitions(
    context: Ctx,
    workspace: Reading,
    segment: Annotated[str | None, Query(max_length=64)] = None,
) -> StreamingResponse:
    if segment is not None:
        await found(context, workspace.id, segment)
    listening = AsyncExitStack()
    try:
        listener = await listening.enter_async_context(context.announcements.listen(workspace.id, segment))
    except TooMany as error:
        raise Problem(503, "Too many listen already.", headers={"Retry-After": "10"}) from error
    return Stream(listener, listening)


class Stream(StreamingResponse):
    """Stops listening when it ends, however it ends."""

    def __init__(self, listener: Listener, listening: AsyncExitStack) -> None:
        super().__init__(
            _messages(listener), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )
        self._listening = listening

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._listening:
            await super().__call__(scope, receive, send)


async def _messages(listener: Listener) -> AsyncIterator[bytes]:
    yield b": listening\n\n"
    while True:
        try:
            transition = await asyncio.wait_for(listener.queue.get(), HEARTBEAT_S)
        except TimeoutError:
            yield b": still here\n\n"
            continue
        if transition is None:
            yield b"event: end\ndata: {}\n\n"
            return
        yield message(transition)


def message(transition: Transition) -> bytes:
    fields = msgspec.to_builtins(transition)
    fields["at"] = times.iso(fields.pop("at_ms"))
    return (
        f"id: {transition.id}\nevent: {transition.kind}\ndata: ".encode()
        + msgspec.json.encode(fields)
        + b"\n\n"
    )
