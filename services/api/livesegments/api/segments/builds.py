"""`DELETE /v1/segments/{id}/build`: a segment that is being built goes back to what it was before.

Example: version 3 of "lapsed" is given its history while version 2 is served. Cancelled, the definition of
version 2 becomes version 4: what it needs is there, so nothing is announced and nothing is built. A new
segment was nothing before: its build is cancelled by deleting it.
"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from livesegments.api.context import Context, Ctx
from livesegments.api.segments import editing
from livesegments.api.segments.finding import found as found_segment
from livesegments.api.segments.segments import Id, described
from livesegments.api.segments.shapes import SegmentOut
from livesegments.api.web.auth import Writing
from livesegments.api.web.problems import Problem, quoted, responses
from livesegments.api.web.route import Route
from livesegments.core.definition import Node
from livesegments.store.actor import means
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import Segment

router = APIRouter(
    prefix="/v1/segments/{id}/build", tags=["segments"], route_class=Route, responses=responses(401, 403)
)


class Cancelled(BaseModel):
    """What cancelling has done."""

    cancelled: Literal["edit", "segment"] = Field(
        description="`edit`: the definition that was served is the present one again, as a version more. "
        "`segment`: it was new, and is deleted."
    )
    segment: SegmentOut | None = Field(description="The segment as it is now; null: it is deleted.")


@router.delete("", responses=responses(404, 409))
async def cancel_build(context: Ctx, workspace: Writing, id_: Id) -> Cancelled:
    """Stop building a segment: an edited one goes back to the definition that is served, a new one is
    deleted. Name, description and tags stay as they were edited. Refused once the segment is ready."""
    segment = await found_segment(context, workspace.id, id_)
    size = await context.members.sizes(workspace.id, {id_: segment.definition_version}, workspace.timezone)
    if size[id_].progress.state == "ready":
        raise Problem(409, f"Segment {quoted(id_)} is ready: nothing is being built.")
    before = await _before(context, segment)
    now_ms = context.now_ms()

    def decide(snapshot: Snapshot) -> tuple[Literal["put", "delete"], Segment]:
        latest = editing.existing(snapshot, id_)
        if latest.definition_version != segment.definition_version:
            raise Problem(409, f"Segment {quoted(id_)} was edited just now: look at it, then repeat.")
        if before is None:
            return "delete", editing.deletable(snapshot, id_, None)
        return "put", editing.redefined(snapshot, workspace, latest, before, now_ms)

    means("cancel_build")
    segment, sequence = await context.catalog.change_segment(workspace.id, decide)
    await context.publisher.published(sequence)
    if before is None:
        await context.exports.forget(workspace.id, id_)
        return Cancelled(cancelled="segment", segment=None)
    return Cancelled(cancelled="edit", segment=await described(context, workspace, segment))


async def _before(context: Context, segment: Segment) -> Node | None:
    """The definition that all partitions have served; None for a segment that is new.

    Where partitions serve several, because edits followed each other, it is the oldest.
    """
    snapshot = await context.catalog.segments(segment.workspace)
    first = snapshot.retired.get(segment.id, 0) + 1
    if segment.definition_version == first:
        return None
    served = await context.served.of_segment(segment.workspace, segment.id)
    older = [each for each in served if first <= each.version < segment.definition_version]
    oldest = min(older, key=lambda each: each.version, default=None)
    if oldest is None or oldest.definition is None:
        raise Problem(
            409,
            f"No earlier definition of segment {quoted(segment.id)} is served to go back to: "
            "edit the segment, or delete it.",
        )
    return oldest.definition
