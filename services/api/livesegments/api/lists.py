"""Members of static segments: they are put in and taken out by hand, as events like any other."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from livesegments.api import shapes
from livesegments.api.auth import Writing
from livesegments.api.context import Context, Ctx
from livesegments.api.finding import found
from livesegments.api.members import ProfilePath
from livesegments.api.problems import Problem, responses
from livesegments.api.route import IdempotencyKey, Route
from livesegments.api.segments import Id

router = APIRouter(
    prefix="/v1/segments/{id}/members",
    tags=["members"],
    route_class=Route,
    responses=responses(401, 403),
)


@router.post("", status_code=202, responses=responses(400, 404, 409, 413, 415))
async def add_members(
    context: Ctx, workspace: Writing, id_: Id, given: shapes.Profiles, once: IdempotencyKey = None
) -> shapes.Accepted:
    """Put up to 1,000 profiles into a static segment. An id that was never heard of becomes a profile."""
    return await _move(context, workspace.id, id_, given.profiles, "add")


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
    segment = await found(context, workspace, id_)
    if segment.definition is not None:
        raise Problem(409, f"'{id_}' is dynamic: its definition says who is in it.")
    if segment.archived_ms:
        raise Problem(409, f"'{id_}' is archived: unarchive it first.")
    await context.records.move(segment, profiles, how)
    return shapes.Accepted(accepted=len(set(profiles)))
