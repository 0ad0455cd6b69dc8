"""Segments: create, read, edit, delete."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Request, Response

from livesegments.api.context import Context, Ctx
from livesegments.api.history import planning
from livesegments.api.segments import advice, editing, trial_shapes, trials
from livesegments.api.segments.finding import found
from livesegments.api.segments.shapes import Count, NewSegment, SegmentOut, SegmentPatch
from livesegments.api.segments.vacating import vacated
from livesegments.api.web import answers, shapes, times
from livesegments.api.web.auth import Reading, Writing
from livesegments.api.web.etags import ETAG, NOT_MODIFIED, WITH_ETAG, IfMatch, IfNoneMatch, etag, is_known
from livesegments.api.web.problems import responses
from livesegments.api.web.route import IdempotencyKey, Route
from livesegments.core.value_list import shown
from livesegments.store.members import Size
from livesegments.store.progress import estimated_end
from livesegments.wire.catalog import Segment, Workspace

router = APIRouter(prefix="/v1/segments", tags=["segments"], route_class=Route, responses=responses(401, 403))
Id = Annotated[str, Path(alias="id", max_length=64)]
CREATED: dict[int | str, dict[str, Any]] = {
    201: {
        "headers": ETAG
        | {"Location": {"description": "Its path.", "schema": {"type": "string"}, "required": True}}
    }
}


async def know(context: Ctx, workspace: Writing, request: Request) -> None:
    own = request.path_params.get("id")
    snapshot = await context.catalog.segments(workspace.id)
    shapes.known.set(editing.known(snapshot, workspace, own))


Knowing = Depends(know)


@router.post(
    "", status_code=201, dependencies=[Knowing], responses=CREATED | responses(400, 404, 409, 413, 415)
)
async def create_segment(
    context: Ctx,
    workspace: Writing,
    response: Response,
    new: Annotated[NewSegment, Body()],
    once: IdempotencyKey = None,
) -> advice.EditedSegment:
    """Make a dynamic segment with its definition, or a static one.

    When this is answered, the segment is in Redis and in topic `definitions`; the evaluators take it up
    within a second."""
    now_ms = context.now_ms()
    if new.id is not None:
        await vacated(context, workspace.id, [new.id])
    segment, sequence = await trials.put(
        context, workspace, lambda snapshot: editing.new_segment(snapshot, workspace, new, now_ms)
    )
    await context.publisher.published(sequence)
    response.headers["Location"] = f"/v1/segments/{segment.id}"
    return await advice.warned(context, segment, await _answer(context, workspace, segment, response))


@router.get("/{id}", response_model=SegmentOut, responses=WITH_ETAG | NOT_MODIFIED | responses(404))
async def read_segment(
    context: Ctx,
    workspace: Reading,
    response: Response,
    id_: Id,
    if_none_match: IfNoneMatch = None,
) -> SegmentOut | Response:
    """A segment with its size, its state and its progress. The ETag is the version of what its author wrote:
    with `If-None-Match`, 304 says that this is the same, not that the size is."""
    segment = await found(context, workspace.id, id_)
    if is_known(segment.version, if_none_match):
        return Response(status_code=304, headers={"ETag": etag(segment.version)})
    return await _answer(context, workspace, segment, response)


@router.patch(
    "/{id}", dependencies=[Knowing], responses=WITH_ETAG | responses(400, 404, 409, 412, 413, 415, 428, 503)
)
async def edit_segment(
    context: Ctx,
    workspace: Writing,
    response: Response,
    id_: Id,
    patch: SegmentPatch,
    if_match: IfMatch = None,
    if_plan_match: planning.IfPlanMatch = None,
) -> advice.EditedSegment:
    """Change what the body names (JSON merge patch). `If-Match` is needed, so no edit is lost."""
    if if_plan_match is not None:
        node = patch.definition.node if "definition" in patch.model_fields_set else None
        await planning.hold(context, workspace, id_, node, if_plan_match)
    now_ms = context.now_ms()
    segment, sequence = await trials.put(
        context,
        workspace,
        lambda snapshot: editing.patched(snapshot, workspace, id_, patch, if_match, now_ms),
    )
    await context.publisher.published(sequence)
    return await advice.warned(context, segment, await _answer(context, workspace, segment, response))


@router.delete("/{id}", status_code=204, responses=responses(404, 409, 412))
async def delete_segment(context: Ctx, workspace: Writing, id_: Id, if_match: IfMatch = None) -> None:
    """Delete a segment: its members leave it, profiles are untouched. Refused while others need it
    (`GET /v1/segments/{id}/used-by`)."""
    _, sequence = await context.catalog.change_segment(
        workspace.id, lambda snapshot: ("delete", editing.deletable(snapshot, id_, if_match))
    )
    await context.publisher.published(sequence)
    await context.exports.forget(workspace.id, id_)


@router.get("/{id}/count", response_model=Count, responses=responses(404))
async def count_members(context: Ctx, workspace: Reading, id_: Id) -> Response:
    """How many profiles are in the segment now."""
    return answers.written(await answers.count(context, workspace, id_))


def state_of(segment: Segment, size: Size) -> shapes.State:
    return "archived" if segment.archived_ms else size.progress.state


def shape(segment: Segment, size: Size, now_ms: int) -> SegmentOut:
    return SegmentOut(
        id=segment.id,
        name=segment.name,
        type="static" if segment.definition is None else "dynamic",
        description=segment.description,
        tags=list(segment.tags),
        folder=segment.folder,
        topics=list(segment.topics),
        tests=trial_shapes.shown(segment.tests),
        definition=shown(segment.definition),
        version=segment.version,
        definition_version=segment.definition_version,
        created_at=times.iso(segment.created_ms),
        updated_at=times.iso(segment.updated_ms),
        archived_at=times.iso(segment.archived_ms) if segment.archived_ms else None,
        count=size.count,
        state=state_of(segment, size),
        progress=shapes.Done(
            done=size.progress.done if not segment.archived_ms else 0,
            total=size.progress.total if not segment.archived_ms else 0,
            estimated_end=times.iso_or_none(
                estimated_end(size.progress, segment.defined_ms or segment.updated_ms, now_ms)
            ),
        ),
        complete_since=times.iso_or_none(size.progress.complete_since_ms),
        rule=segment.id if segment.rule is not None else segment.made_by or None,
    )


async def described(context: Context, workspace: Workspace, segment: Segment) -> SegmentOut:
    """With its size, its state and its progress."""
    versions = {segment.id: segment.definition_version}
    sizes = await context.members.sizes(workspace.id, versions, workspace.timezone)
    return shape(segment, sizes[segment.id], context.now_ms())


async def _answer(context: Context, workspace: Workspace, segment: Segment, response: Response) -> SegmentOut:
    response.headers["ETag"] = etag(segment.version)
    return await described(context, workspace, segment)
