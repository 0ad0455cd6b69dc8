"""Membership: pages of a segment's members, and the answer for one profile or a batch."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from livesegments.api import cursor, shapes, times
from livesegments.api.answers import MAX_WITH_TIMES, membership, page, written
from livesegments.api.auth import Reading
from livesegments.api.context import Ctx
from livesegments.api.fields import Names
from livesegments.api.finding import found
from livesegments.api.problems import responses
from livesegments.api.route import Route
from livesegments.api.segments import Id
from livesegments.api.texts import ProfileId
from livesegments.api.validity import entered

router = APIRouter(
    prefix="/v1/segments/{id}/members", tags=["members"], route_class=Route, responses=responses(401, 403)
)
ProfilePath = Annotated[
    ProfileId,
    Path(
        alias="profile",
        description="The id of a profile, percent-encoded: `a/b` as `a%2Fb`, `..` as `%2E%2E`.",
        examples=["ada"],
    ),
]


@router.get("", response_model=shapes.MembersOut, responses=responses(404))
async def list_members(
    context: Ctx,
    workspace: Reading,
    id_: Id,
    names: Names,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
    after: cursor.Cursor = None,
    include: Annotated[
        Literal["times"] | None,
        Query(description=f"`times`: `entered_at` and `valid_until`; then at most {MAX_WITH_TIMES} a page."),
    ] = None,
) -> Response:
    """A page of the members. Whoever is in throughout the paging is given exactly once."""
    return written(await page(context, workspace, id_, limit, after, include is not None, names))


@router.post("/check", responses=responses(400, 404, 413, 415))
async def check_members(context: Ctx, workspace: Reading, id_: Id, asked: shapes.Profiles) -> shapes.Checks:
    """Whether each of up to 1,000 profiles is a member now."""
    await found(context, workspace.id, id_)
    profiles = await context.profiles.get(workspace.id, asked.profiles)
    since = {name: entered(profile).get(id_) for name, profile in profiles.items()}
    return shapes.Checks(
        memberships=[
            shapes.MemberChecked(
                profile=name,
                is_in=since.get(name) is not None,
                entered_at=times.iso_or_none(since.get(name)),
            )
            for name in asked.profiles
        ]
    )


@router.get("/{profile:path}", response_model=shapes.Membership, responses=responses(404))
async def read_membership(context: Ctx, workspace: Reading, id_: Id, profile: ProfilePath) -> Response:
    """Whether a profile is a member now, since when, and until when at most. A profile that is not known
    is in no segment."""
    return written(await membership(context, workspace, id_, profile))
