"""The workspace that the caller acts in, for any key that may read."""

from __future__ import annotations

from fastapi import APIRouter

from livesegments.api.context import Ctx
from livesegments.api.operations.workspace_shapes import WorkspaceOut
from livesegments.api.operations.workspaces import shown
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import responses
from livesegments.api.web.route import Route
from livesegments.store.degraded import read

router = APIRouter(
    prefix="/v1/workspace", tags=["workspaces"], route_class=Route, responses=responses(401, 403)
)


@router.get("", responses=responses(404))
async def read_own_workspace(context: Ctx, workspace: Reading) -> WorkspaceOut:
    """The workspace of the key (an admin key names one with `X-Workspace`): its name, its time zone,
    and whether it is degraded."""
    degraded = await read(context.redis, context.settings.partitions, [workspace.id])
    return shown(context, workspace, degraded.get(workspace.id))
