"""The list of segments: searched, filtered, sorted, in pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from msgspec import Struct

from livesegments.api.context import Ctx
from livesegments.api.segments.segments import shape, state_of
from livesegments.api.segments.shapes import Segments
from livesegments.api.web import cursor, shapes
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import responses
from livesegments.api.web.route import Route
from livesegments.store.members import Size
from livesegments.wire.catalog import Segment

Sort = Literal["name", "created", "updated", "size"]
Order = Literal["asc", "desc"]
Sized = dict[str, Size]

router = APIRouter(prefix="/v1/segments", tags=["segments"], route_class=Route, responses=responses(401, 403))

KEYS: dict[Sort, Callable[[Segment, Sized], str | int]] = {
    "name": lambda segment, _: segment.name.casefold(),
    "created": lambda segment, _: segment.created_ms,
    "updated": lambda segment, _: segment.updated_ms,
    "size": lambda segment, sizes: sizes[segment.id].count,
}


@router.get("", responses=responses(404))
async def list_segments(
    context: Ctx,
    workspace: Reading,
    search: Annotated[
        str,
        Query(max_length=200, description="Only segments with this text in their id, name or description."),
    ] = "",
    tag: Annotated[str | None, Query(max_length=100)] = None,
    topic: Annotated[str | None, Query(max_length=100)] = None,
    folder: Annotated[str | None, Query(max_length=200)] = None,
    type_: Annotated[Literal["dynamic", "static"] | None, Query(alias="type")] = None,
    state: Annotated[shapes.State | None, Query()] = None,
    sort: Annotated[Sort, Query()] = "name",
    order: Annotated[Order, Query()] = "asc",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    after: cursor.Cursor = None,
) -> Segments:
    """A page of the segments. A cursor goes on where its page ended, under the same sort and order."""
    snapshot = await context.catalog.segments(workspace.id)
    asked = _Asked(search.casefold(), tag, topic, folder, type_, state == "archived")
    wanted = [each for each in snapshot.segments.values() if asked.fits(each)]
    sizes: Sized = {}
    if state is not None or sort == "size":
        sizes = await context.members.sizes(workspace.id, versions_of(wanted), workspace.timezone)
        wanted = [each for each in wanted if state in (None, state_of(each, sizes[each.id]))]

    def place(segment: Segment) -> tuple[Any, str]:
        return KEYS[sort](segment, sizes), segment.id

    wanted.sort(key=place, reverse=order == "desc")
    how = f"{sort} {order}"
    if after is not None:
        made_for, *last = cursor.decode(
            after, tuple[str, str, str] if sort == "name" else tuple[str, int, str]
        )
        if made_for != how:
            raise cursor.foreign()
        end = tuple(last)
        wanted = [each for each in wanted if (place(each) < end if order == "desc" else place(each) > end)]
    page = wanted[:limit]
    if not sizes:
        sizes = await context.members.sizes(workspace.id, versions_of(page), workspace.timezone)
    return Segments(
        segments=[shape(each, sizes[each.id], context.now_ms()) for each in page],
        next_cursor=cursor.encode((how, *place(page[-1]))) if len(wanted) > limit else None,
    )


class _Asked(Struct, frozen=True):
    """What a segment must have to be in the list; None: anything."""

    search: str
    tag: str | None
    topic: str | None
    folder: str | None
    type: str | None
    archived: bool

    def fits(self, segment: Segment) -> bool:
        return (
            self.archived == bool(segment.archived_ms)
            and any(
                self.search in text.casefold() for text in (segment.id, segment.name, segment.description)
            )
            and (self.tag is None or self.tag in segment.tags)
            and (self.topic is None or self.topic in segment.topics)
            and (self.folder is None or _lies_in(segment.folder, self.folder))
            and (self.type is None or (self.type == "static") == (segment.definition is None))
        )


def _lies_in(folder: str, asked: str) -> bool:
    """`Campaigns/Spring` lies in `Campaigns`, too; an empty `asked` is no folder at all."""
    return folder == asked or (bool(asked) and folder.startswith(f"{asked.rstrip('/')}/"))


def versions_of(segments: list[Segment]) -> dict[str, int]:
    return {each.id: each.definition_version for each in segments}
