"""A subscription that is pulled: pages by a cursor, or server-sent events; both resume without a gap."""

from __future__ import annotations

from typing import Annotated, Any

from aiokafka.errors import OffsetOutOfRangeError
from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, Field

from livesegments.api.context import Ctx
from livesegments.api.members.announcements import Announcements, Place, read
from livesegments.api.members.transitions import place_of, shown, stream
from livesegments.api.subscriptions import edits
from livesegments.api.subscriptions.shapes import TransitionOut
from livesegments.api.subscriptions.subscriptions import Id
from livesegments.api.web.auth import Reading
from livesegments.api.web.cursor import Cursor, decode, encode, foreign
from livesegments.api.web.problems import Problem, responses
from livesegments.api.web.route import Route
from livesegments.wire.hearing import concerns, hears
from livesegments.wire.subscription import Subscription

MOST_READ = 20_000
"""Records that one page looks at; one that found less than it may then ends there."""
EVENT_STREAM = "text/event-stream"
GONE = "The topic doesn't hold what followed any more. Read the members anew, and make a new subscription."

router = APIRouter(
    prefix="/v1/subscriptions/{id}",
    tags=["subscriptions"],
    route_class=Route,
    responses=responses(401, 403, 404),
)


class Transitions(BaseModel):
    """A page of what a subscription hears."""

    transitions: list[TransitionOut] = Field(description="In order for every profile.")
    next_cursor: str = Field(description="Where the next page begins: give it back, also later.")
    caught_up: bool = Field(description="Whether this was all there is for now.")


STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A page; with `Accept: text/event-stream` an endless stream of server-sent events.",
        "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
    }
}


@router.get(
    "/transitions",
    response_model=Transitions,
    response_model_exclude_unset=True,
    responses=STREAM | responses(409, 410),
)
async def pull_transitions(
    context: Ctx,
    workspace: Reading,
    id_: Id,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Transitions of a page at most.")] = 100,
    after: Cursor = None,
    accept: Annotated[
        str,
        Header(
            max_length=1_000, description="`text/event-stream` asks for a stream.", include_in_schema=False
        ),
    ] = "",
    last_id: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID",
            max_length=4_000,
            description="Of a stream: the `id` of the last event that was heard.",
        ),
    ] = None,
) -> Any:
    """What the subscription hears: a page, from the cursor or from its creation on. With
    `Accept: text/event-stream` a stream from now on, or from `Last-Event-ID` on. 410: the topic does not hold
    what followed any more."""
    rule = edits.existing(await context.catalog.segments(workspace.id), id_)
    if rule.dwell_ms or rule.cooldown_ms:
        raise Problem(409, "Its dwell and cool-down are decided where its messages are sent: to its webhook.")
    announcements = context.announcements
    if EVENT_STREAM in accept:
        at = place_of(last_id, announcements.partitions) if last_id else ()
        return await stream(announcements, workspace.id, None, at, rule=rule)
    place = rule.begin if after is None else decode(after, tuple[int, ...])
    if len(place) != announcements.partitions or min(place) < 0:
        raise foreign()
    try:
        return await _page(announcements, rule, place, limit)
    except OffsetOutOfRangeError as error:
        raise Problem(410, GONE) from error


async def _page(announcements: Announcements, rule: Subscription, after: Place, limit: int) -> Transitions:
    """Raises OffsetOutOfRangeError, KafkaError."""
    found: list[TransitionOut] = []
    places, looked = list(after), 0
    async with announcements.earlier(after) as reader:
        ends = await reader.ends()

        def ahead() -> bool:
            return any(at < ends[partition] for partition, at in enumerate(places))

        while ahead() and len(found) < limit and looked < MOST_READ:
            for record in await reader.take():
                if len(found) >= limit:
                    break
                looked += 1
                places[record.partition] = record.offset + 1
                transition = read(record)
                if transition is not None and concerns(rule, transition) and hears(rule, transition):
                    found.append(TransitionOut(**shown(transition)))
    return Transitions(transitions=found, next_cursor=encode(places), caught_up=not ahead())
