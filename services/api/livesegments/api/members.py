"""Membership: pages of a segment's members, and the answer for one profile or a batch."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from livesegments.api import cursor, shapes, times
from livesegments.api.auth import Reading
from livesegments.api.context import Context, Ctx
from livesegments.api.problems import responses
from livesegments.api.route import Route
from livesegments.api.segments import Id, found, found_for
from livesegments.api.texts import ProfileId
from livesegments.api.validity import entered, next_changes
from livesegments.store.members import Place
from livesegments.wire.catalog import Workspace

MAX_WITH_TIMES = 200
"""A page's length when times are asked for: each is worked out."""

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


@router.get("", responses=responses(404))
async def list_members(
    context: Ctx,
    workspace: Reading,
    id_: Id,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
    after: cursor.Cursor = None,
    include: Annotated[
        Literal["times"] | None,
        Query(description=f"`times`: `entered_at` and `valid_until`; then at most {MAX_WITH_TIMES} a page."),
    ] = None,
) -> shapes.MembersOut:
    """A page of the members. Whoever is in throughout the paging is given exactly once."""
    await found(context, workspace.id, id_)
    size = limit if include is None else min(limit, MAX_WITH_TIMES)
    place = None if after is None else cursor.decode(after, Place)
    members, more = await context.members.page(workspace.id, id_, place, size)
    return shapes.MembersOut(
        members=members,
        times=[] if include is None else await _times(context, workspace, id_, members),
        next_cursor=None if more is None else cursor.encode(more),
    )


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


@router.get("/{profile:path}", responses=responses(404))
async def read_membership(
    context: Ctx, workspace: Reading, id_: Id, profile: ProfilePath
) -> shapes.Membership:
    """Whether a profile is a member now, since when, and until when at most. A profile that is not known
    is in no segment."""
    await found_for(context, workspace.id, id_, profile)
    states = await context.profiles.get(workspace.id, [profile])
    changes = await next_changes(context, workspace, states, [id_])
    since = entered(states[profile]).get(id_) if profile in states else None
    return shapes.Membership(
        profile=profile,
        is_in=since is not None,
        entered_at=times.iso_or_none(since),
        valid_until=times.iso_or_none(changes.get(profile, {}).get(id_)),
    )


async def _times(
    context: Context, workspace: Workspace, segment: str, members: list[str]
) -> list[shapes.MemberTimes]:
    states = await context.profiles.get(workspace.id, members)
    changes = await next_changes(context, workspace, states, [segment])
    return [
        shapes.MemberTimes(
            profile=name,
            entered_at=times.iso_or_none(entered(states[name]).get(segment)) if name in states else None,
            valid_until=times.iso_or_none(changes.get(name, {}).get(segment)),
        )
        for name in members
    ]
