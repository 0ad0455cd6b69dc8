"""`/v1/merges`: somebody who looks at two profiles of one person makes them one."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from livesegments.api.context import Ctx
from livesegments.api.operations.audit import noted
from livesegments.api.web.auth import Writing
from livesegments.api.web.problems import Problem, not_found, quoted, responses
from livesegments.api.web.route import IdempotencyKey, Route
from livesegments.api.web.shapes import In
from livesegments.api.web.texts import ProfileId
from livesegments.core.fault import Fault
from livesegments.wire.suppressed import digest

router = APIRouter(prefix="/v1/merges", tags=["profiles"], route_class=Route, responses=responses(401, 403))


class NewMerge(In):
    """Which profile goes into which."""

    profile: ProfileId = Field(description="The id of the profile that goes.", examples=["anonymous:a-1"])
    into: ProfileId = Field(description="The id of the profile that stays.", examples=["ann"])


class MergeOut(BaseModel):
    """Acknowledged by the broker; applied within moments."""

    profile: str = Field(description="The id of the profile that goes.")
    into: str = Field(description="The id of the profile that stays.")


@router.post("", status_code=202, responses=responses(400, 404, 409, 413, 415))
async def merge_profiles(
    context: Ctx, workspace: Writing, new: NewMerge, once: IdempotencyKey = None
) -> MergeOut:
    """Let a profile go into another, as an `alias` does: what it has done counts for the other one, and what
    comes later under its id, too. It can't be undone. 409: one of them was merged already."""
    if new.profile == new.into:
        fault = Fault("/into", "same", "is the profile itself: name the one that it goes into")
        raise Problem(422, "1 fault(s) in the request.", [fault])
    states = await context.profiles.get(workspace.id, [new.profile, new.into])
    for id_ in (new.profile, new.into):
        state = states.get(id_)
        if state is None:
            raise not_found("profile", id_)
        if state.kin is not None and state.kin.into is not None:
            raise Problem(409, f"{quoted(id_)} was merged into {quoted(state.kin.into)} already.")
    whom = digest(context.settings.erasure_key, workspace.id, new.profile)
    await noted(context, workspace.id, "start", "merge", whom)
    await context.records.merge(workspace.id, new.profile, new.into)
    return MergeOut(profile=new.profile, into=new.into)
