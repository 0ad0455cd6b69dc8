"""What happened to a profile: its events, the changes that followed, and its transitions, newest first."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from livesegments.api.context import Ctx
from livesegments.api.members.members import ProfilePath
from livesegments.api.web import cursor, shapes, times
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import not_found, responses
from livesegments.api.web.route import Route
from livesegments.history.timeline import Asked, Moment, Place

router = APIRouter(
    prefix="/v1/timelines", tags=["profiles"], route_class=Route, responses=responses(401, 403)
)


class MomentOut(BaseModel):
    """An event as it was accepted, an event that was derived from one, or a transition."""

    id: str = Field(description="The id of the event, or of the transition.")
    name: str = Field(description="The event's name; `$segment_entered` and `$segment_exited`: a transition.")
    time: shapes.Instant = Field(description="When it happened.")
    applied_at: shapes.Instant = Field(description="The partition's clock when it was applied.")
    properties: dict[str, Any] = Field(description="The event's properties; of a transition its `segment`.")
    event_id: str | None = Field(description="The id of the event that it followed from; null: of none.")
    cause: str | None = Field(description="Why a transition came: `event`, `attribute`, `clock` …")
    version: int | None = Field(description="The version of the definition by which a transition came.")
    sequence: int | None = Field(description="Counts the profile's transitions in the segment.")


class TimelineOut(BaseModel):
    """A page of a timeline, newest first."""

    profile: str
    moments: list[MomentOut] = Field(description="What happened, the newest first.")
    next_cursor: str | None = None


@router.get("/{profile:path}", responses=responses(404))
async def read_timeline(
    context: Ctx,
    workspace: Reading,
    profile: ProfilePath,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    after: cursor.Cursor = None,
    event: Annotated[
        str | None,
        Query(max_length=256, description="Only the event with this id, and what followed from it."),
    ] = None,
) -> TimelineOut:
    """A page of what happened to a profile: events, attribute and other changes, transitions with their
    cause, newest first; or one event by its id, with what followed from it."""
    before = None if after is None else cursor.decode(after, Place)
    asked = Asked(workspace.id, profile, limit + 1, before, event)
    moments = await context.heads.whole(lambda: context.timelines.read(asked))
    if not moments and before is None and (await context.profiles.get(workspace.id, [profile])) == {}:
        raise not_found("profile", profile)
    more = len(moments) > limit
    return TimelineOut(
        profile=profile,
        moments=[_moment(each) for each in moments[:limit]],
        next_cursor=cursor.encode(moments[limit - 1].place) if more else None,
    )


def _moment(moment: Moment) -> MomentOut:
    return MomentOut(
        id=moment.id,
        name=moment.name,
        time=times.iso(moment.place.time_ms),
        applied_at=times.iso(moment.at_ms),
        properties=moment.properties,
        event_id=moment.event_id,
        cause=moment.cause,
        version=moment.version,
        sequence=moment.sequence,
    )
