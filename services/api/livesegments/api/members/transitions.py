"""`GET /v1/transitions`: profiles that enter and leave, as server-sent events, from now on or from a place
on.

The `id` of an event is a place: the next offset of every partition of topic `memberships`, as `12.0.7`. A
browser sends the last one back as `Last-Event-ID` by itself. docs/asyncapi.yaml describes the events.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Any

import msgspec
from aiokafka.errors import OffsetOutOfRangeError
from fastapi import APIRouter, Header, Query
from fastapi.sse import format_sse_event
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from livesegments.api.context import Ctx
from livesegments.api.members.announcements import Announcements, Heard, Listener, Place, TooMany, caught_up
from livesegments.api.segments.finding import found
from livesegments.api.web import times
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import Problem, responses
from livesegments.api.web.route import Route
from livesegments.core.event import Transition
from livesegments.core.fault import Fault
from livesegments.wire.subscription import Subscription

HEARTBEAT_S = 15.0
STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "An endless stream of server-sent events, named `entered` and `exited`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
_ID = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})*\Z")

router = APIRouter(prefix="/v1", tags=["members"], route_class=Route, responses=responses(401, 403))


@router.get("/transitions", response_class=StreamingResponse, responses=STREAM | responses(404, 410))
async def hear_transitions(
    context: Ctx,
    workspace: Reading,
    segment: Annotated[
        str | None, Query(max_length=64, description="Only the transitions of this segment.")
    ] = None,
    backfill: Annotated[
        bool,
        Query(
            description="Also who enters or leaves only because a new or edited definition was given its "
            "history: nothing has happened to them."
        ),
    ] = False,
    last_id: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID",
            max_length=4_000,
            description="The `id` of the last event that was heard: the stream goes on behind it.",
        ),
    ] = None,
) -> Response:
    """Every profile that enters or leaves a segment, from now on; with `Last-Event-ID`, from there on, with
    nothing left out. An id that is older than what the topic keeps is answered with 410. The members that a
    new or edited segment gets from its history are announced only with `backfill=true`."""
    if segment is not None:
        await found(context, workspace.id, segment)
    after = place_of(last_id, context.announcements.partitions) if last_id else ()
    return await stream(context.announcements, workspace.id, segment, after, backfill)


async def stream(
    announcements: Announcements,
    workspace: str,
    segment: str | None,
    after: Place,
    backfill: bool = False,
    rule: Subscription | None = None,
) -> Response:
    """Raises Problem 410, 503."""
    async with AsyncExitStack() as opened:
        try:
            listener = await opened.enter_async_context(
                announcements.listen(workspace, segment, after, backfill, rule)
            )
            missed = None
            if after:
                reader = await opened.enter_async_context(announcements.earlier(after))
                missed = caught_up(reader, listener)
        except TooMany as error:
            raise Problem(503, "Too many listen already.", headers={"Retry-After": "10"}) from error
        except OffsetOutOfRangeError as error:
            raise Problem(
                410,
                "The topic doesn't hold what followed this Last-Event-ID any more. Read the members anew, "
                "and listen without the header.",
            ) from error
        messages = _messages(announcements, listener, missed)
        return Stream(messages, opened.pop_all())


class Stream(StreamingResponse):
    """Stops listening when it ends, however it ends."""

    def __init__(self, messages: AsyncIterator[bytes], listening: AsyncExitStack) -> None:
        super().__init__(messages, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        self._listening = listening

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._listening:
            await super().__call__(scope, receive, send)


async def _messages(
    announcements: Announcements, listener: Listener, missed: AsyncIterator[Heard] | None
) -> AsyncIterator[bytes]:
    """With an id at once, and with every sign of life: who has heard nothing yet can resume, too."""
    yield format_sse_event(comment="listening", id=text_of(listener.after or listener.begin))
    if missed is not None:
        async for heard in missed:
            yield message(heard)
    while True:
        try:
            next_ = await asyncio.wait_for(listener.queue.get(), HEARTBEAT_S)
        except TimeoutError:
            here = listener.at(announcements.place) if listener.queue.empty() else None
            yield format_sse_event(comment="still here", id=text_of(here) if here else None)
            continue
        if next_ is None:
            yield format_sse_event(event="end", data_str="{}")
            return
        yield message(next_)


def message(heard: Heard) -> bytes:
    data = msgspec.json.encode(shown(heard.transition)).decode()
    return format_sse_event(event=heard.transition.kind, data_str=data, id=text_of(heard.place))


def shown(transition: Transition) -> dict[str, Any]:
    """As receivers see it: `at` is an instant in ISO 8601."""
    fields: dict[str, Any] = msgspec.to_builtins(transition)
    fields["at"] = times.iso(fields.pop("at_ms"))
    return fields


def text_of(place: Place) -> str:
    return ".".join(map(str, place))


def place_of(last_id: str, partitions: int) -> Place:
    """Raises Problem 422 for anything that is none of our ids."""
    place = tuple(map(int, last_id.split("."))) if _ID.match(last_id) else ()
    if len(place) != partitions:
        fault = Fault("header: Last-Event-ID", "bad_id", "is not the id of an event of this stream")
        raise Problem(422, "1 fault(s) in the request.", [fault])
    return place
