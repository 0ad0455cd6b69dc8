"""Members of static segments: they are put in and taken out by hand, as events like any other."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, Field

from livesegments.api.audiences.list_jobs import Behind
from livesegments.api.context import Context, Ctx
from livesegments.api.members.members import ProfilePath
from livesegments.api.operations.audit import MembersAction, note_members, noted_members
from livesegments.api.segments.finding import found
from livesegments.api.segments.segments import Id
from livesegments.api.web import shapes
from livesegments.api.web.auth import Writing
from livesegments.api.web.problems import Problem, responses
from livesegments.api.web.route import IdempotencyKey, Route
from livesegments.api.web.texts import fault
from livesegments.wire.catalog import Segment

router = APIRouter(
    prefix="/v1/segments/{id}/members",
    tags=["members"],
    route_class=Route,
    responses=responses(401, 403),
)


def _somebody(given: Any) -> Any:
    if given == []:
        raise fault(
            "would_empty",
            "nobody would be left on the list: to take everybody off it, POST /v1/list-jobs with the segment "
            "itself as its audience, and `how` `remove`",
        )
    return given


class Replacing(shapes.In):
    """Who is to be on the list."""

    profiles: Annotated[shapes.ProfileIds, BeforeValidator(_somebody)]


class Replaced(BaseModel):
    """Acknowledged by the broker; applied within moments."""

    added: int = Field(description="How many were put on the list.")
    removed: int = Field(description="How many were taken off it.")


@router.post("", status_code=202, responses=responses(400, 404, 409, 413, 415))
async def add_members(
    context: Ctx, workspace: Writing, id_: Id, given: shapes.Profiles, once: IdempotencyKey = None
) -> shapes.Accepted:
    """Put up to 1,000 profiles into a static segment. An id that was never heard of becomes a profile."""
    return await _move(context, workspace.id, id_, given.profiles, "add")


@router.put("", responses=responses(400, 404, 409, 413, 415))
async def replace_members(context: Ctx, workspace: Writing, id_: Id, given: Replacing) -> Replaced:
    """Make up to 1,000 profiles all that a static segment has. Only the difference is sent, so who is on the
    list already stays a member throughout; of more profiles it is done by `POST /v1/list-jobs`."""
    segment = await fillable(context, workspace.id, id_)
    await noted_members(context, segment, "replace_members", given.profiles)
    try:
        added, removed = await context.list_jobs.replace(segment, given.profiles)
    except Behind as error:
        raise Problem(503, f"Nothing was changed: {error}.", headers={"Retry-After": "1"}) from error
    return Replaced(added=added, removed=removed)


@router.post("/remove", status_code=202, responses=responses(400, 404, 409, 413, 415))
async def remove_members(
    context: Ctx, workspace: Writing, id_: Id, given: shapes.Profiles, once: IdempotencyKey = None
) -> shapes.Accepted:
    """Take up to 1,000 profiles out of a static segment."""
    return await _move(context, workspace.id, id_, given.profiles, "remove")


@router.delete("/{profile:path}", status_code=202, responses=responses(404, 409))
async def remove_member(
    context: Ctx,
    workspace: Writing,
    id_: Id,
    profile: ProfilePath,
) -> shapes.Accepted:
    """Take one profile out of a static segment."""
    return await _move(context, workspace.id, id_, [profile], "remove")


async def _move(
    context: Context, workspace: str, id_: str, profiles: list[str], how: Literal["add", "remove"]
) -> shapes.Accepted:
    segment = await fillable(context, workspace, id_)
    action: MembersAction = "add_members" if how == "add" else "remove_members"
    number = await note_members(context, segment, action, profiles)
    # both wait for the broker, and neither for the other
    await asyncio.gather(context.publisher.published(number), context.records.move(segment, profiles, how))
    return shapes.Accepted(accepted=len(set(profiles)))


async def fillable(context: Context, workspace: str, id_: str) -> Segment:
    """Raises Problem 404, or 409 where nobody can be put into it by hand."""
    segment = await found(context, workspace, id_)
    if segment.definition is not None:
        raise Problem(409, f"'{id_}' is dynamic: its definition says who is in it.")
    if segment.archived_ms:
        raise Problem(409, f"'{id_}' is archived: unarchive it first.")
    return segment
