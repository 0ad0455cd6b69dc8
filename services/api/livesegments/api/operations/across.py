"""`/v1/admin/segments`: the segments of all companies in one list, for those who look after them all."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from msgspec import Struct
from pydantic import BaseModel, Field

from livesegments.api.context import Context, Ctx
from livesegments.api.segments.listing import KEYS, Order, Sized, versions_of
from livesegments.api.segments.segments import shape
from livesegments.api.segments.shapes import SegmentOut
from livesegments.api.web import cursor
from livesegments.api.web.auth import Admin
from livesegments.api.web.problems import responses
from livesegments.api.web.route import Route
from livesegments.wire.catalog import Segment, Workspace

MOST_WORKSPACES = 100

router = APIRouter(
    prefix="/v1/admin",
    tags=["workspaces"],
    route_class=Route,
    dependencies=[Admin],
    responses=responses(401, 403),
)


_Place = tuple[str | int, str, str]
"""What it is sorted by, then the id of its workspace, then its own."""


class _Cursor(Struct, frozen=True, array_like=True):
    """Under which order its page was, and where it ended."""

    how: str
    place: _Place


class OwnedSegment(BaseModel):
    """A segment, and whose it is."""

    workspace: str = Field(description="The id of its workspace: `X-Workspace` acts there.")
    workspace_name: str = Field(description="The name of its workspace.")
    segment: SegmentOut = Field(description="As its own workspace sees it.")


class OwnedSegments(BaseModel):
    """A page of the segments of all workspaces."""

    segments: list[OwnedSegment] = Field(
        description="In the order asked for; by default by the names of their workspaces, then by id."
    )
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
    sort: Annotated[Literal["company", "name", "created", "updated", "size"], Query()] = "company",
    order: Annotated[Order, Query()] = "asc",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    after: cursor.Cursor = None,
) -> OwnedSegments:
    """The segments of all workspaces that an admin sees, archived ones too. Needs an admin key. A cursor goes
    on where its page ended, under the same sort and order."""
    how, end = f"{sort} {order}", None if after is None else cursor.decode(after, _Cursor)
    is_text = sort in ("company", "name")
    if end is not None and (end.how != how or isinstance(end.place[0], str) != is_text):
        raise cursor.foreign()
    text, found = search.casefold(), list[tuple[_Place, Workspace, Segment]]()
    sizes: dict[str, Sized] = {}

    def is_ahead(place: tuple[Any, ...]) -> bool:
        begun = end.place[: len(place)] if end is not None else place
        return place <= begun if order == "desc" else place >= begun

    companies = await context.catalog.workspaces()
    for company in sorted(companies, key=_called, reverse=order == "desc"):
        if workspace is not None and company.id not in workspace:
            continue
        if sort == "company" and not is_ahead(_called(company)):
            continue
        segments = (await context.catalog.segments(company.id)).segments.values()
        wanted = [
            each
            for each in segments
            if any(text in named.casefold() for named in (each.id, each.name, each.description))
        ]
        if sort == "size":
            sizes[company.id] = await context.members.sizes(company.id, versions_of(wanted), company.timezone)
        for each in wanted:
            key = _called(company)[0] if sort == "company" else KEYS[sort](each, sizes.get(company.id, {}))
            place = key, company.id, each.id
            if is_ahead(place) and (end is None or place != end.place):
                found.append((place, company, each))
        if sort == "company" and len(found) > limit:
            break
    found.sort(key=lambda each: each[0], reverse=order == "desc")
    page = found[:limit]
    if sort != "size":
        sizes = await _sizes(context, page)
    return OwnedSegments(
        segments=[
            OwnedSegment(
                workspace=company.id,
                workspace_name=company.name,
                segment=shape(each, sizes[company.id][each.id], context.now_ms()),
            )
            for _, company, each in page
        ],
        next_cursor=cursor.encode(_Cursor(how, page[-1][0])) if len(found) > limit else None,
    )


def _called(company: Workspace) -> tuple[str, str]:
    return company.name.casefold(), company.id


async def _sizes(context: Context, page: list[tuple[_Place, Workspace, Segment]]) -> dict[str, Sized]:
    """Workspace → the sizes of those segments of it that are on the page."""
    companies = {company.id: company for _, company, _ in page}
    return {
        id_: await context.members.sizes(
            id_, versions_of([each for _, of, each in page if of.id == id_]), company.timezone
        )
        for id_, company in companies.items()
    }
