"""Segments that are put aside and taken up again; copies; what uses a segment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, Field

from livesegments.api.context import Context, Ctx
from livesegments.api.segments import advice, editing, using
from livesegments.api.segments.finding import found
from livesegments.api.segments.segments import CREATED, Id, described
from livesegments.api.segments.shapes import SegmentOut
from livesegments.api.segments.vacating import vacated
from livesegments.api.web.auth import Reading, Writing
from livesegments.api.web.etags import WITH_ETAG, IfMatch, etag
from livesegments.api.web.problems import responses
from livesegments.api.web.route import IdempotencyKey, Route
from livesegments.api.web.shapes import In
from livesegments.api.web.texts import Name, SegmentId
from livesegments.core.audience import Audience
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import Segment, Workspace

WAIT_S = 2.0
"""So long an answer waits for the members of a copy."""

router = APIRouter(
    prefix="/v1/segments/{id}", tags=["segments"], route_class=Route, responses=responses(401, 403)
)


class ToClone(In):
    """What the copy has of its own."""

    name: Name | None = Field(None, description="Its name; without one `NAME (copy)`.")
    id: SegmentId | None = Field(None, description="Chosen by us where it isn't given.")
    members: bool = Field(False, description="Of a static segment: its members go onto the copy's list, too.")


class UserOut(BaseModel):
    """Something that needs the segment."""

    kind: Literal["segment", "computed_attribute", "subscription"] = Field(description="What it is.")
    id: str
    name: str = Field(description="Its name; empty where it has only an id.")
    archived: bool = Field(description="Whether it is an archived segment: it forbids deleting only.")


class UsersOut(BaseModel):
    """All that needs a segment: as long as there is any, the segment is not deleted."""

    used_by: list[UserOut] = Field(description="Segments first, by id.")


@router.post("/archive", responses=WITH_ETAG | responses(404, 409, 412))
async def archive_segment(
    context: Ctx, workspace: Writing, response: Response, id_: Id, if_match: IfMatch = None
) -> SegmentOut:
    """Put a segment aside: its members leave it within moments (`exited`, cause `definition`); definition,
    name and versions stay. Refused while others refer to it. One that is archived stays so."""
    now_ms = context.now_ms()

    def decide(snapshot: Snapshot) -> Segment:
        return editing.archived(snapshot, id_, if_match, now_ms)

    return await _changed(context, workspace, response, decide)


@router.post("/unarchive", responses=WITH_ETAG | responses(404, 409, 412))
async def unarchive_segment(
    context: Ctx, workspace: Writing, response: Response, id_: Id, if_match: IfMatch = None
) -> SegmentOut:
    """Take an archived segment up again: a dynamic one is built anew from history, as another version of its
    definition; of a static one the list is back. Refused (422) where it refers to what is gone."""
    now_ms = context.now_ms()

    def decide(snapshot: Snapshot) -> Segment:
        return editing.unarchived(snapshot, workspace, id_, if_match, now_ms)

    return await _changed(context, workspace, response, decide)


@router.post("/clone", status_code=201, responses=CREATED | responses(400, 404, 409, 413, 415))
async def clone_segment(
    context: Ctx,
    workspace: Writing,
    response: Response,
    id_: Id,
    asked: Annotated[ToClone, Body(default_factory=ToClone)],
    once: IdempotencyKey = None,
) -> advice.EditedSegment:
    """Make another segment with the same definition, description, tags, folder and topics. The list of a
    static segment is copied with `members`, by a job (`GET /v1/list-jobs`); else the copy begins empty."""
    now_ms = context.now_ms()
    if asked.id is not None:
        await vacated(context, workspace.id, [asked.id])
    origin = await found(context, workspace.id, id_)
    segment, sequence = await context.catalog.change_segment(
        workspace.id,
        lambda snapshot: ("put", editing.cloned(snapshot, workspace, id_, asked.name, asked.id, now_ms)),
    )
    await context.publisher.published(sequence)
    if asked.members and origin.definition is None:
        total = await context.members.count(workspace.id, id_)
        job = await context.list_jobs.begin(segment, Audience((id_,)), "append", total)
        await context.jobs.ended(job, WAIT_S)
    response.headers["Location"] = f"/v1/segments/{segment.id}"
    response.headers["ETag"] = etag(segment.version)
    return await advice.warned(context, segment, await described(context, workspace, segment))


@router.get("/used-by", responses=responses(404))
async def list_users(context: Ctx, workspace: Reading, id_: Id) -> UsersOut:
    """What needs the segment: segments whose definitions refer to it, computed attributes, subscriptions."""
    await found(context, workspace.id, id_)
    users = using.users(await context.catalog.segments(workspace.id), id_)
    return UsersOut(
        used_by=[
            UserOut(kind=each.kind, id=each.id, name=each.name, archived=each.archived) for each in users
        ]
    )


async def _changed(
    context: Context, workspace: Workspace, response: Response, decide: Callable[[Snapshot], Segment]
) -> SegmentOut:
    segment, sequence = await context.catalog.change_segment(
        workspace.id, lambda snapshot: ("put", decide(snapshot))
    )
    await context.publisher.published(sequence)
    response.headers["ETag"] = etag(segment.version)
    return await described(context, workspace, segment)
