"""Frozen audiences: a token for just those who are in an audience now, and what has changed since."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from msgspec import UNSET
from pydantic import BaseModel, Field

from livesegments.api.audiences.audiences import MOST_PAGE, Page, advised, bounds, computed, valued
from livesegments.api.audiences.freezing import LEASE_MS
from livesegments.api.audiences.shapes import AdviceOut, AudienceIn, AudiencePageOut, shown, taken
from livesegments.api.context import Context, Ctx
from livesegments.api.operations.audit import noted
from livesegments.api.profiles.values import MOST_MEMBERS, Names, check
from livesegments.api.web import cursor, shapes, times
from livesegments.api.web.answers import written
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import Problem, responses
from livesegments.api.web.route import IdempotencyKey, Route
from livesegments.core.audience import advice
from livesegments.store.departures import Since
from livesegments.store.frozen import PAGE, At, Frozen, Gone
from livesegments.store.standing import anew
from livesegments.wire.catalog import Workspace

WAIT_S = 10.0
"""The answer waits so long for a freeze to end."""
MOST_LIFETIME_S = 86_400

router = APIRouter(
    prefix="/v1/audiences/frozen", tags=["audiences"], route_class=Route, responses=responses(401, 403)
)

Token = Annotated[
    str,
    Path(pattern="^[A-Za-z0-9]{1,64}$", description="The token that freezing answered.", examples=["5f0c"]),
]


class Freezing(shapes.In):
    """What is to be frozen, and for how long."""

    audience: AudienceIn = Field(description="Whom the send reaches.")
    lifetime_s: int = Field(
        3_600, ge=60, le=MOST_LIFETIME_S, description="How long the token lives, in seconds from now."
    )


class FrozenOut(BaseModel):
    """Every profile was looked at once, at an instant between `begun_at` and `frozen_at`."""

    token: str = Field(description="Names it.")
    state: Literal["freezing", "ready", "failed"] = Field(
        description="Pages can be read once it is `ready`; `failed`: freeze it again."
    )
    reason: str | None = Field(None, description="Why it failed.")
    audience: dict[str, Any] = Field(description="As it was given.")
    count: int = Field(description="How many profiles it has, so far.")
    advice: AdviceOut = Field(description="How a send of this size is best made.")
    bytes: int = Field(description="What its ids take in the store.")
    begun_at: shapes.Instant = Field(description="When freezing began.")
    frozen_at: shapes.Instant | None = Field(description="When freezing ended; null: it has not.")
    expires_at: shapes.Instant = Field(description="When the token ends.")


class AllFrozenOut(BaseModel):
    """The workspace's tokens, the oldest first."""

    frozen: list[FrozenOut] = Field(description="Those that have not ended.")


class AudienceChangesOut(BaseModel):
    """It may have fewer than `limit`, even none: `next_cursor` says whether there are more."""

    profiles: list[str] = Field(description="Ids of profiles.")
    next_cursor: str | None


@router.post("", status_code=201, responses=responses(400, 409, 413, 415) | {202: {"model": FrozenOut}})
async def freeze_audience(
    context: Ctx, workspace: Reading, asked: Freezing, response: Response, once: IdempotencyKey = None
) -> FrozenOut:
    """Keep just those who are in an audience now. 202: it takes longer than 10 s, and goes on."""
    audience = await taken(context, workspace, asked.audience)
    await noted(context, workspace.id, "create", "frozen_audience", ",".join(audience.include))
    token = await context.freezer.begin(workspace.id, audience, asked.lifetime_s * 1_000)
    await context.freezer.done(token, WAIT_S)
    made = _shape(context, await _one(context, workspace, token))
    if made.state == "freezing":
        response.status_code = 202
    return made


@router.get("")
async def list_frozen(context: Ctx, workspace: Reading) -> AllFrozenOut:
    """Every token that has not ended."""
    found = await context.frozen.every(workspace.id, context.now_ms())
    return AllFrozenOut(frozen=[_shape(context, each) for each in found])


@router.get("/{token}", responses=responses(410))
async def read_frozen(context: Ctx, workspace: Reading, token: Token) -> FrozenOut:
    """How far it is, and until when it lives."""
    return _shape(context, await _one(context, workspace, token))


@router.delete("/{token}", status_code=204, responses=responses(410))
async def delete_frozen(context: Ctx, workspace: Reading, token: Token) -> None:
    """Ends a token before its time."""
    await _one(context, workspace, token)
    await noted(context, workspace.id, "delete", "frozen_audience", token)
    await context.frozen.delete(workspace.id, token)


@router.get("/{token}/members", response_model=AudiencePageOut, responses=responses(409, 410))
async def page_frozen(
    context: Ctx,
    workspace: Reading,
    token: Token,
    names: Names,
    limit: Annotated[int, Query(ge=1, le=MOST_PAGE, description="The most members of the page.")] = 1_000,
    after: cursor.Cursor = None,
) -> Response:
    """A page of just those who were in the audience; without whoever was erased since. Values are of now."""
    frozen = await _ready(context, workspace, token)
    names = list(dict.fromkeys(names))
    await check(context, workspace, names)
    size = min(limit, MOST_MEMBERS) if computed(names) else limit
    at = At() if after is None else cursor.decode(after, At)
    if not (0 <= at.partition < len(frozen.counts) and at.page >= 0 and 0 <= at.offset < PAGE):
        raise cursor.foreign()
    try:
        members, more = await context.frozen.page(workspace.id, frozen, at, size)
    except Gone as error:
        raise gone() from error
    members = await _not_erased(context, workspace, members)
    answer = Page(members, None if more is None else cursor.encode(more), [], UNSET)
    if names:
        lives = await context.heads.lives()
        own = {} if computed(names) else await context.audiences.states(workspace.id, members, names)
        answer.fields, answer.warnings = await valued(context, workspace, names, members, own)
        if await context.heads.lives() != lives:
            raise anew()
    return written(answer)


@router.get("/{token}/changes", responses=responses(409, 410))
async def changes_of_frozen(
    context: Ctx,
    workspace: Reading,
    token: Token,
    kind: Annotated[
        Literal["left", "entered"],
        Query(description="Who was in it and is not now, or who is in it now and was not."),
    ] = "left",
    limit: Annotated[int, Query(ge=1, le=MOST_PAGE, description="The most profiles of the page.")] = 1_000,
    after: cursor.Cursor = None,
) -> AudienceChangesOut:
    """Who has left the audience since it was frozen, or entered it, as of now."""
    frozen = await _ready(context, workspace, token)
    at = Since() if after is None else cursor.decode(after, Since)
    if not (0 <= at.partition < len(frozen.counts) and at.page >= 0):
        raise cursor.foreign()
    read = context.departures.left if kind == "left" else context.departures.entered
    try:
        found, more = await read(workspace.id, frozen, at, limit)
    except Gone as error:
        raise gone() from error
    return AudienceChangesOut(
        profiles=await _not_erased(context, workspace, found),
        next_cursor=None if more is None else cursor.encode(more),
    )


async def _not_erased(context: Context, workspace: Workspace, ids: list[str]) -> list[str]:
    await context.suppressions.refresh()
    if context.suppressions.nobody:
        return ids
    return [id_ for id_ in ids if not context.suppressions.has(workspace.id, id_)]


async def _one(context: Context, workspace: Workspace, token: str) -> Frozen:
    try:
        return await context.frozen.one(workspace.id, token, context.now_ms())
    except Gone as error:
        raise gone() from error


async def _ready(context: Context, workspace: Workspace, token: str) -> Frozen:
    frozen = await _one(context, workspace, token)
    if frozen.ended_ms is None:
        raise Problem(409, "This audience is not frozen: read its token for how far it is, or why it failed.")
    return frozen


def gone() -> Problem:
    return Problem(
        410, "This token has ended, or what it stood for was lost with the store: freeze the audience again."
    )


def _shape(context: Context, frozen: Frozen) -> FrozenOut:
    state: Literal["freezing", "ready", "failed"] = "freezing"
    reason = frozen.failed
    if frozen.ended_ms is not None:
        state = "ready"
    elif reason is None and frozen.alive_ms + LEASE_MS < context.now_ms():
        reason = "the api that froze it has stopped"
    if reason is not None:
        state = "failed"
    return FrozenOut(
        token=frozen.token,
        state=state,
        reason=reason,
        audience=shown(frozen.audience),
        count=frozen.count,
        advice=advised(advice(frozen.count, bounds(context))),
        bytes=frozen.size,
        begun_at=times.iso(frozen.begun_ms),
        frozen_at=times.iso_or_none(frozen.ended_ms),
        expires_at=times.iso(frozen.expires_ms),
    )
