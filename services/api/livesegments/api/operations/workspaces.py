"""Workspaces. Only admins make them."""

from __future__ import annotations

from hashlib import blake2b
from secrets import token_hex
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from msgspec.structs import replace

from livesegments.api.context import Context, Ctx
from livesegments.api.operations.workspace_shapes import Degraded as DegradedOut
from livesegments.api.operations.workspace_shapes import (
    NewWorkspace,
    QuotasOut,
    WorkspaceOut,
    WorkspacePatch,
    Workspaces,
)
from livesegments.api.segments import editing
from livesegments.api.web import cursor, times
from livesegments.api.web.auth import Admin
from livesegments.api.web.etags import (
    NOT_MODIFIED,
    WITH_ETAG,
    IfMatch,
    IfNoneMatch,
    check_match,
    etag,
    is_known,
)
from livesegments.api.web.problems import Problem, not_found, responses
from livesegments.api.web.route import IdempotencyKey, Route
from livesegments.core.names.seen import MAX_NAMES
from livesegments.store.degraded import Degraded, encode
from livesegments.store.degraded import read as read_degraded
from livesegments.wire.catalog import Quotas, Workspace

router = APIRouter(
    prefix="/v1/workspaces",
    tags=["workspaces"],
    route_class=Route,
    dependencies=[Admin],
    responses=responses(401, 403),
)
Id = Annotated[str, Path(alias="id", max_length=64)]


@router.post("", status_code=201, responses=responses(400, 409, 413, 415))
async def create_workspace(context: Ctx, new: NewWorkspace, once: IdempotencyKey = None) -> WorkspaceOut:
    """Make a workspace: a tenant, isolated from all others."""
    workspace = Workspace(
        new.id or f"ws_{token_hex(6)}",
        new.name,
        new.timezone,
        context.now_ms(),
        merge=new.merge,
        history_days=new.history_days,
        week_start=new.week_start,
    )
    sequence = await context.catalog.add_workspace(workspace)
    if sequence is None:
        raise Problem(409, f"There is a workspace '{workspace.id}' already.")
    await context.publisher.published(sequence)
    return shown(context, workspace)


@router.get("", responses=responses())
async def list_workspaces(
    context: Ctx,
    search: Annotated[
        str, Query(max_length=200, description="Only workspaces with this text in their id or name.")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    after: cursor.Cursor = None,
) -> Workspaces:
    """All workspaces, oldest first."""
    text = search.casefold()
    found = [
        each
        for each in await context.catalog.workspaces()
        if text in each.id.casefold() or text in each.name.casefold()
    ]
    if after is not None:
        last = cursor.decode(after, tuple[int, str])
        found = [each for each in found if (each.created_ms, each.id) > last]
    page = found[:limit]
    more = cursor.encode((page[-1].created_ms, page[-1].id)) if len(found) > limit else None
    degraded = await read_degraded(context.redis, context.settings.partitions, [each.id for each in page])
    return Workspaces(
        workspaces=[shown(context, each, degraded.get(each.id)) for each in page], next_cursor=more
    )


@router.get("/{id}", response_model=WorkspaceOut, responses=WITH_ETAG | NOT_MODIFIED | responses(404))
async def read_workspace(
    context: Ctx, response: Response, id_: Id, if_none_match: IfNoneMatch = None
) -> WorkspaceOut | Response:
    """A workspace with its version as the ETag; while it is degraded, the ETag says that, too."""
    workspace = await context.catalog.workspace(id_)
    if workspace is None:
        raise not_found("workspace", id_)
    degraded = (await read_degraded(context.redis, context.settings.partitions, [id_])).get(id_)
    state = "" if degraded is None else blake2b(encode(degraded), digest_size=4).hexdigest()
    if is_known(workspace.version, if_none_match, state):
        return Response(status_code=304, headers={"ETag": etag(workspace.version, state)})
    response.headers["ETag"] = etag(workspace.version, state)
    return shown(context, workspace, degraded)


@router.patch("/{id}", responses=WITH_ETAG | responses(400, 404, 412, 413, 415, 428))
async def edit_workspace(
    context: Ctx,
    response: Response,
    id_: Id,
    patch: WorkspacePatch,
    if_match: IfMatch = None,
) -> WorkspaceOut:
    """Change its name, time zone, quotas, `history_days`, `merge` or `week_start` (JSON merge patch); with
    `If-Match`, so no edit is lost.

    In another time zone every segment is evaluated anew, because days and dates begin at other instants. The
    old time zone is served until all conditions that depend on it have their history in the new one."""

    def decide(old: Workspace | None) -> Workspace:
        if old is None:
            raise not_found("workspace", id_)
        check_match(old.version, if_match)
        changes = {field: getattr(patch, field) for field in patch.model_fields_set}
        if "quotas" in changes:
            own = {field: getattr(patch.quotas, field) for field in patch.quotas.model_fields_set}
            changes["quotas"] = replace(old.quotas, **own)
        return replace(old, version=old.version + 1, **changes)

    workspace, sequence = await context.catalog.change_workspace(id_, decide)
    await context.publisher.published(sequence)
    response.headers["ETag"] = etag(workspace.version)
    return shown(context, workspace)


def shown(context: Context, workspace: Workspace, degraded: Degraded | None = None) -> WorkspaceOut:
    return WorkspaceOut(
        id=workspace.id,
        name=workspace.name,
        timezone=workspace.timezone,
        created_at=times.iso(workspace.created_ms),
        version=workspace.version,
        quotas=_quotas(workspace.quotas.over(context.quotas)),
        merge=workspace.merge,
        history_days=context.history_days(workspace),
        week_start=workspace.week_start,
        degraded=None if degraded is None else _degraded(degraded),
    )


def _quotas(quotas: Quotas) -> QuotasOut:
    return QuotasOut(
        events_per_s=quotas.events_per_s,
        segments=editing.most_segments(quotas),
        profiles=quotas.profiles,
        names=MAX_NAMES if quotas.names is None else quotas.names,
    )


def _degraded(degraded: Degraded) -> DegradedOut:
    return DegradedOut(
        events=degraded.events,
        dues=degraded.dues,
        definitions=degraded.definitions,
        last_at=times.iso_or_none(degraded.last_ms),
        plan=degraded.plan,
    )
