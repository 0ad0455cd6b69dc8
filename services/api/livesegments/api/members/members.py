"""Membership: pages of a segment's members, and the answer for one profile or a batch."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from livesegments.api.context import Ctx
from livesegments.api.members.validity import entered
from livesegments.api.profiles.values import Names
from livesegments.api.segments.finding import found
from livesegments.api.segments.segments import Id
from livesegments.api.web import cursor, times
from livesegments.api.web.answers import MAX_WITH_TIMES, membership, page, written
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import FaultOut, responses
from livesegments.api.web.route import Route
from livesegments.api.web.shapes import Instant, Profiles
from livesegments.api.web.texts import ProfileId

router = APIRouter(
    prefix="/v1/segments/{id}/members", tags=["members"], route_class=Route, responses=responses(401, 403)
)
ProfilePath = Annotated[
    ProfileId,
    Path(
        alias="profile",
        description="The id of a profile, percent-encoded: `a/b` as `a%2Fb`, `..` as `%2E%2E`. Many clients "
        "take `..` out of a path, some its escaped form too, and then mean the segment itself: such ids are "
        "better removed by `POST /v1/segments/{id}/members/remove`.",
        examples=["ada"],
    ),
]


class MemberTimes(BaseModel):
    """Since when and until when at most a profile is a member."""

    profile: str
    entered_at: Instant | None
    valid_until: Instant | None = Field(
        description="When the clock alone will end the membership; null: never, as things are."
    )


class MemberFields(BaseModel):
    """Values of a member."""

    profile: str
    fields: dict[str, Any] = Field(
        description="Name → value; a name that the profile has no value for is left out."
    )


class MembersOut(BaseModel):
    """A page of members."""

    members: list[str]
    times: list[MemberTimes] = Field(
        [], description="One for every member of the page, in the same order; empty without `include=times`."
    )
    next_cursor: str | None = None
    fields: list[MemberFields] = Field(
        [], description="One for every member of the page, in the same order; absent without `fields`."
    )
    warnings: list[FaultOut] = Field(
        [],
        description="The computed attributes that are still given their history, so that their values are "
        "left out (`building`); absent without `fields`.",
    )


class Membership(BaseModel):
    """`valid_until`: when the clock alone will change the answer; null: never, as things are."""

    model_config = ConfigDict(populate_by_name=True)

    profile: str
    is_in: bool = Field(alias="in")
    entered_at: Instant | None
    valid_until: Instant | None = None


class MemberChecked(BaseModel):
    """In the order asked for."""

    model_config = ConfigDict(populate_by_name=True)

    profile: str
    is_in: bool = Field(alias="in")
    entered_at: Instant | None


class Checks(BaseModel):
    memberships: list[MemberChecked]


@router.get("", response_model=MembersOut, responses=responses(404))
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
async def check_members(context: Ctx, workspace: Reading, id_: Id, asked: Profiles) -> Checks:
    """Whether each of up to 1,000 profiles is a member now."""
    await found(context, workspace.id, id_)
    profiles = await context.profiles.get(workspace.id, asked.profiles)
    since = {name: entered(profile).get(id_) for name, profile in profiles.items()}
    return Checks(
        memberships=[
            MemberChecked(
                profile=name,
                is_in=since.get(name) is not None,
                entered_at=times.iso_or_none(since.get(name)),
            )
            for name in asked.profiles
        ]
    )


@router.get("/{profile:path}", response_model=Membership, responses=responses(404))
async def read_membership(context: Ctx, workspace: Reading, id_: Id, profile: ProfilePath) -> Response:
    """Whether a profile is a member now, since when, and until when at most. A profile that is not known
    is in no segment."""
    return written(await membership(context, workspace, id_, profile))
