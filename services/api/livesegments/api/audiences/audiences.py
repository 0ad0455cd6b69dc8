"""Audiences: whom a send reaches now. Nothing is saved: every request says its audience.

`{"audience": {"include": ["buyers"], "exclude": ["staff"], "consent": {"channel": "email"}}}`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Response
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace
from pydantic import BaseModel, Field

from livesegments.api.audiences.shapes import (
    MOST_PARTS,
    AdviceOut,
    AudienceCountOut,
    AudienceIn,
    AudiencePageOut,
    building,
    shown,
    taken,
)
from livesegments.api.context import Context, Ctx
from livesegments.api.profiles.values import MOST, MOST_MEMBERS, Fields, check, fields_of
from livesegments.api.web import cursor, shapes
from livesegments.api.web.answers import written
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import Problem, responses
from livesegments.api.web.route import Route
from livesegments.api.web.texts import AttributeName
from livesegments.core.audience import Advice, Audience, Bounds, Held, Part, advice, part_of
from livesegments.core.computed import PREFIX
from livesegments.core.fault import Fault
from livesegments.store.members import Place
from livesegments.store.standing import anew
from livesegments.wire.catalog import Workspace

MOST_PAGE = 10_000

router = APIRouter(
    prefix="/v1/audiences", tags=["audiences"], route_class=Route, responses=responses(401, 403)
)

FieldNames = Annotated[
    list[AttributeName],
    Field(
        max_length=MOST,
        description="Names of attributes, or `computed:` and the id of a computed attribute: the page has "
        f"their values for every member. With computed ones a page has at most {MOST_MEMBERS:,} members.",
        examples=[["email"]],
    ),
]


Mark = Annotated[str, Field(max_length=cursor.MAX_LENGTH, pattern="^[A-Za-z0-9_-]*$")]


class Counting(shapes.In):
    audience: AudienceIn = Field(description="Whom the send reaches.")


class Paging(shapes.In):
    """A page of an audience."""

    audience: AudienceIn = Field(description="Whom the send reaches.")
    limit: int = Field(1_000, ge=1, le=MOST_PAGE, description="The most members of the page.")
    cursor: Mark | None = Field(None, description="`next_cursor` of the page before, for the same audience.")
    fields: FieldNames = Field(default_factory=list)


class Splitting(shapes.In):
    """An audience to be sent to in parts."""

    audience: AudienceIn = Field(description="Whom the send reaches.")
    parts: Annotated[int, Field(ge=1, le=MOST_PARTS)] | None = Field(
        None, description="How many; without it as many as the advice for its size says."
    )
    salt: Annotated[str, Field(max_length=200)] = Field("", description="Another salt makes other parts.")


class PartOut(BaseModel):
    """One part: an audience like any other, and stable: who is in the audience is always in the same part."""

    audience: dict[str, Any] = Field(description="As a request has it.")
    count: int = Field(description="How many profiles are in this part.")


class SplitOut(BaseModel):
    """All parts together are the audience."""

    parts: list[PartOut] = Field(description="In the order of their numbers.")
    count: int = Field(description="Of all parts together.")


class Page(Struct):
    members: list[str]
    next_cursor: str | None
    warnings: list[Fault]
    fields: list[Fields] | UnsetType = UNSET


@router.post("/count", responses=responses(400, 413, 415))
async def count_audience(context: Ctx, workspace: Reading, asked: Counting) -> AudienceCountOut:
    """How many profiles are in an audience now, and how a send of this size is best made."""
    audience = await taken(context, workspace, asked.audience)
    count = await counted(context, workspace, audience)
    warnings = await building(context, workspace, audience)
    return AudienceCountOut(count=count, advice=advised(advice(count, bounds(context))), warnings=warnings)


@router.post("/members", response_model=AudiencePageOut, responses=responses(400, 413, 415))
async def page_audience(context: Ctx, workspace: Reading, asked: Paging) -> Response:
    """A page of an audience as it is now. Whoever is in it throughout the paging is given exactly once."""
    audience = await taken(context, workspace, asked.audience)
    names = list(dict.fromkeys(asked.fields))
    await check(context, workspace, names, "/fields")
    place = None if asked.cursor is None else cursor.decode(asked.cursor, Place)
    if place is not None and not 0 <= place.partition < context.heads.partitions:
        raise cursor.foreign()
    limit = min(asked.limit, MOST_MEMBERS) if computed(names) else asked.limit
    own = [] if computed(names) else names
    members, states, more = await context.audiences.page(workspace.id, audience, place, limit, own)
    lives = await context.heads.lives()
    answer = Page(members, None if more is None else cursor.encode(more), [])
    if names:
        answer.fields, answer.warnings = await valued(context, workspace, names, members, states)
        if await context.heads.lives() != lives:
            raise anew()
    if place is None:
        answer.warnings += await building(context, workspace, audience)
    return written(answer)


@router.post("/split", responses=responses(400, 413, 415))
async def split_audience(context: Ctx, workspace: Reading, asked: Splitting) -> SplitOut:
    """The parts of an audience, of about the same size, with their counts of now."""
    audience = await taken(context, workspace, asked.audience)
    if audience.part is not None:
        fault = Fault("/audience/part", "already_split", "is a part already: split the whole audience")
        raise Problem(422, "1 fault(s) in the request.", [fault])
    of = asked.parts
    if of is None:
        whole = await counted(context, workspace, audience)
        of = min(advice(whole, bounds(context)).parts, MOST_PARTS)
    counts = [0] * of

    def tally(ids: Sequence[str]) -> None:
        for id_ in ids:
            counts[part_of(id_, of, asked.salt) - 1] += 1

    await counted(context, workspace, audience, tally)
    parts = [
        PartOut(audience=shown(replace(audience, part=Part(number, of, asked.salt))), count=count)
        for number, count in enumerate(counts, 1)
    ]
    return SplitOut(parts=parts, count=sum(counts))


async def counted(
    context: Context,
    workspace: Workspace,
    audience: Audience,
    tally: Callable[[Sequence[str]], None] | None = None,
) -> int:
    """Its size now; `tally` is given all ids, piece by piece. A segment alone isn't walked."""
    if tally is None and audience.plain and len(audience.include) == 1 and not audience.exclude:
        return await context.members.count(workspace.id, audience.include[0])
    async with context.counting:
        lives = await context.heads.look()
        count = 0
        for partition in range(context.heads.partitions):
            last = 0
            while True:
                piece = await context.audiences.piece(workspace.id, audience, partition, last)
                count += len(piece.ids)
                if tally is not None:
                    tally(piece.ids)
                last = piece.last
                if not last:
                    break
        if await context.heads.lives() != lives:
            raise anew()
    return count


def computed(names: Sequence[str]) -> bool:
    return any(name.startswith(PREFIX) for name in names)


async def valued(
    context: Context,
    workspace: Workspace,
    names: Sequence[str],
    members: Sequence[str],
    states: Mapping[str, Held],
) -> tuple[list[Fields], list[Fault]]:
    """Values of a page's members: of attributes alone from the states that were read with it."""
    if computed(names):
        return await fields_of(context, workspace, names, members, "/fields")
    return [Fields(id_, state.values if (state := states.get(id_)) else {}) for id_ in members], []


def bounds(context: Context) -> Bounds:
    settings = context.settings
    return Bounds(settings.audience_test, settings.audience_standard, settings.audience_large)


def advised(found: Advice) -> AdviceOut:
    return AdviceOut(size=found.size, parts=found.parts)
