"""`/v1/admin/segments`: the segments of all companies in one list, for those who look after them all."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from livesegments.api.context import Ctx
from livesegments.api.segments.segments import shape
from livesegments.api.segments.shapes import SegmentOut
from livesegments.api.web import cursor
from livesegments.api.web.auth import Admin
from livesegments.api.web.problems import responses
from livesegments.api.web.route import Route

MOST_WORKSPACES = 100

router = APIRouter(
    prefix="/v1/admin",
    tags=["workspaces"],
    route_class=Route,
    dependencies=[Admin],
    responses=responses(401, 403),
)


class OwnedSegment(BaseModel):
    """A segment, and whose it is."""

    workspace: str = Field(description="The id of its workspace: `X-Workspace` acts there.")
    workspace_name: str = Field(description="The name of its workspace.")
    segment: SegmentOut = Field(description="As its own workspace sees it.")


class OwnedSegments(BaseModel):
    """A page of the segments of all workspaces."""

    segments: list[OwnedSegment] = Field(description="By the ids of workspaces, then by their own.")
    next_cursor: str | None = Field(
        None, description="Give it back as `cursor` for the next page; null: this is the last one."
    )


@router.get("/segments")
async def list_all_segments(
    context: Ctx,
    workspace: Annotated[
        list[str] | None,
        Query(max_length=MOST_WORKSPACES, description="Only of these workspaces; may be repeated."),
    ] = None,
    search: Annotated[
        str,
        Query(max_length=200, description="Only segments with this text in their id, name or description."),
    ] = "",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    after: cursor.Cursor = None,
) -> OwnedSegments:
    """The segments of all workspaces that an admin sees, archived ones too. Needs an admin key."""
    begun = ("", "") if after is None else cursor.decode(after, tuple[str, str])
    text, page, more = search.casefold(), list[OwnedSegment](), False
    companies = sorted(await context.catalog.workspaces(), key=lambda each: each.id)
    for company in companies:
        if company.id < begun[0] or (workspace is not None and company.id not in workspace):
            continue
        snapshot = await context.catalog.segments(company.id)
        wanted = [
            each
            for id_, each in sorted(snapshot.segments.items())
            if (company.id, id_) > begun
            and any(text in told.casefold() for told in (each.id, each.name, each.description))
        ]
        room = limit - len(page)
        some = wanted[:room]
        versions = {each.id: each.definition_version for each in some}
        sizes = await context.members.sizes(company.id, versions, company.timezone) if some else {}
        page += [
            OwnedSegment(
                workspace=company.id,
                workspace_name=company.name,
                segment=shape(each, sizes[each.id], context.now_ms()),
            )
            for each in some
        ]
        if len(wanted) > room:
            more = True
            break
    last = (page[-1].workspace, page[-1].segment.id) if page else begun
    return OwnedSegments(segments=page, next_cursor=cursor.encode(last) if more else None)
