"""`/v1/list-jobs`: an audience is saved as the list of a static segment, added to it, or taken off it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from livesegments.api.audiences.audiences import counted
from livesegments.api.audiences.list_jobs import KIND, Asked
from livesegments.api.audiences.shapes import AudienceIn, shown, taken
from livesegments.api.context import Ctx
from livesegments.api.members.lists import fillable
from livesegments.api.operations.audit import noted
from livesegments.api.web import shapes, times
from livesegments.api.web.auth import Reading, Writing
from livesegments.api.web.problems import not_found, responses
from livesegments.api.web.route import IdempotencyKey, Route
from livesegments.api.web.texts import SegmentId
from livesegments.store.jobs import Job, Lost

WAIT_S = 2.0

router = APIRouter(prefix="/v1/list-jobs", tags=["members"], route_class=Route, responses=responses(401, 403))

JobId = Annotated[
    str, Path(pattern="^[A-Za-z0-9]{1,64}$", description="The job's id.", examples=["5f0c"], alias="id")
]


class ListJobIn(shapes.In):
    """Whom to put where."""

    segment: SegmentId = Field(description="The id of a static segment.")
    audience: AudienceIn = Field(description="Whom it is about: of one segment, `include` names it alone.")
    how: Literal["append", "replace", "remove"] = Field(
        "append",
        description="`replace`: afterwards the list has just these; who is on it already stays on it.",
    )


class ListJobOut(BaseModel):
    """How far a job is."""

    id: str
    segment: str = Field(description="The id of the static segment.")
    how: Literal["append", "replace", "remove"] = Field(description="As it was asked for.")
    audience: dict[str, Any] = Field(description="As it was asked for.")
    state: Literal["running", "done", "failed"] = Field(
        description="`running` (another process goes on where the one that did it died), `done`: all is "
        "accepted, and applied within moments; `failed`: run it again."
    )
    reason: str | None = Field(description="Why it failed, or why it waits while it is `running`.")
    done: int = Field(description="How many profiles of the audience were looked at so far.")
    total: int = Field(description="How many there were when it began.")
    added: int = Field(description="How many were put on the list.")
    removed: int = Field(description="How many were taken off it.")
    begun_at: shapes.Instant = Field(description="When it began.")


class ListJobsOut(BaseModel):
    """The workspace's jobs of the last day, the newest first."""

    jobs: list[ListJobOut] = Field(description="At most 20.")


@router.post("", status_code=202, responses=responses(400, 404, 409, 413, 415))
async def save_list(
    context: Ctx, workspace: Writing, asked: ListJobIn, once: IdempotencyKey = None
) -> ListJobOut:
    """Begin a job. A small one has ended when this is answered."""
    audience = await taken(context, workspace, asked.audience)
    segment = await fillable(context, workspace.id, asked.segment)
    total = await counted(context, workspace, audience)
    note = f"{asked.how}: {total} profiles"
    await noted(context, workspace.id, "start", "list_job", segment.id, name=segment.name, note=note)
    job = await context.list_jobs.begin(segment, audience, asked.how, total)
    await context.jobs.ended(job, WAIT_S)
    return await _shape(context, workspace.id, job.id)


@router.get("")
async def list_jobs(context: Ctx, workspace: Reading) -> ListJobsOut:
    """Jobs that are under way, and those that ended lately."""
    found = await context.jobs.store.every(workspace.id, KIND, context.now_ms())
    return ListJobsOut(jobs=[_out(each) for each in found])


@router.get("/{id}", responses=responses(404))
async def read_job(context: Ctx, workspace: Reading, id_: JobId) -> ListJobOut:
    """How far a job is."""
    return await _shape(context, workspace.id, id_)


@router.delete("/{id}", status_code=204, responses=responses(404))
async def cancel_job(context: Ctx, workspace: Writing, id_: JobId) -> None:
    """End a job before its time, or forget one that has ended. What it has sent stays as it is."""
    await _shape(context, workspace.id, id_)
    await noted(context, workspace.id, "cancel", "list_job", id_)
    await context.jobs.store.delete(workspace.id, id_)


async def _shape(context: Ctx, workspace: str, id_: str) -> ListJobOut:
    try:
        return _out(await context.jobs.store.one(workspace, KIND, id_))
    except Lost as error:
        raise not_found("job", id_) from error


def _out(job: Job) -> ListJobOut:
    asked = msgspec.json.decode(job.spec, type=Asked)
    return ListJobOut(
        id=job.id,
        segment=asked.segment,
        how=asked.how,
        audience=shown(asked.audience),
        state="running" if job.is_open else "done" if job.state == "done" else "failed",
        reason=job.reason,
        done=job.done,
        total=job.total,
        added=job.counts.get("added", 0),
        removed=job.counts.get("removed", 0),
        begun_at=times.iso(job.begun_ms),
    )
