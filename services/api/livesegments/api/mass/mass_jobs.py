"""`/v1/mass-jobs`: one change of many profiles, begun with a token that says of how many."""

from __future__ import annotations

from hashlib import sha256
from secrets import token_hex
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path

from livesegments.api.audiences.audiences import counted
from livesegments.api.audiences.shapes import shown, taken
from livesegments.api.context import Context, Ctx
from livesegments.api.mass.shapes import (
    MassCount,
    MassIn,
    MassJobOut,
    MassJobsOut,
    MassStart,
    change_of,
)
from livesegments.api.mass.work import KIND, Asked, asked
from livesegments.api.operations.audit import noted
from livesegments.api.web import times
from livesegments.api.web.auth import Reading, Writing
from livesegments.api.web.problems import Problem, not_found, responses
from livesegments.api.web.route import IdempotencyKey, Route
from livesegments.store.jobs import Job, Lost
from livesegments.wire.catalog import Workspace

TOKEN_S = 900
WAIT_S = 1.0

router = APIRouter(
    prefix="/v1/mass-jobs", tags=["profiles"], route_class=Route, responses=responses(401, 403)
)
JobId = Annotated[
    str, Path(alias="id", pattern="^[A-Za-z0-9]{1,64}$", description="The job's id.", examples=["5f0c"])
]


@router.post("/count", responses=responses(400, 404, 413, 415))
async def count_mass_job(context: Ctx, workspace: Writing, given: MassIn) -> MassCount:
    """How many profiles a job would be about, and the token with which just this one is begun, within 15
    minutes. The token holds as long as the segments that it names are defined as now."""
    told, count = await _told(context, workspace, given)
    token = token_hex(16)
    digest = await _digest(context, told, workspace)
    await context.jobs.store.put_token(workspace.id, token, digest, count, TOKEN_S)
    return MassCount(count=count, confirm=token, expires_at=times.iso(context.now_ms() + TOKEN_S * 1_000))


@router.post("", status_code=202, responses=responses(400, 404, 409, 413, 415))
async def begin_mass_job(
    context: Ctx, workspace: Writing, given: MassStart, once: IdempotencyKey = None
) -> MassJobOut:
    """Begin a job that was counted. 409: it is another one than the token is of, its segments are defined
    otherwise by now, or it would be about more profiles."""
    told, count = await _told(context, workspace, given)
    known = await context.jobs.store.token(workspace.id, given.confirm)
    if known is None:
        raise Problem(409, "This token is used up, or its time is over: count again.")
    digest, confirmed = known
    if digest != await _digest(context, told, workspace):
        raise Problem(409, "This token is of another job, or a segment was defined anew since: count again.")
    if count > confirmed:
        raise Problem(409, f"There are {count} profiles by now, and {confirmed} were confirmed: count again.")
    if not await context.jobs.store.use_token(workspace.id, given.confirm):
        raise Problem(409, "This token was used just now: count again.")
    whom = ", ".join(told.audience.include) if told.audience is not None else "a list of ids"
    note = f"{told.action}: {count} profiles of {whom}" + (f" ({given.reason})" if given.reason else "")
    await noted(context, workspace.id, "start", "mass_job", told.action, note=note)
    job = await context.jobs.begin(workspace.id, KIND, told, count)
    await context.jobs.ended(job, WAIT_S)
    return _out(await _one(context, workspace.id, job.id))


@router.get("")
async def list_mass_jobs(context: Ctx, workspace: Reading) -> MassJobsOut:
    """Jobs that are under way, and those that ended lately."""
    found = await context.jobs.store.every(workspace.id, KIND, context.now_ms())
    return MassJobsOut(jobs=[_out(each) for each in found])


@router.get("/{id}", responses=responses(404))
async def read_mass_job(context: Ctx, workspace: Reading, id_: JobId) -> MassJobOut:
    """How far a job is."""
    return _out(await _one(context, workspace.id, id_))


@router.delete("/{id}", status_code=204, responses=responses(404))
async def cancel_mass_job(context: Ctx, workspace: Writing, id_: JobId) -> None:
    """End a job before its time, or forget one that has ended. What it has changed stays changed."""
    job = await _one(context, workspace.id, id_)
    if job.is_open:
        note = f"after {job.done} of {job.total} profiles"
        await noted(context, workspace.id, "cancel", "mass_job", id_, note=note)
    await context.jobs.store.delete(workspace.id, id_)


async def _told(context: Context, workspace: Workspace, given: MassIn) -> tuple[Asked, int]:
    """What is to be done, and of how many profiles now."""
    change = change_of(given, await context.catalog.declarations(workspace.id))
    if given.audience is None:
        profiles = tuple(dict.fromkeys(given.profiles or ()))
        return Asked(given.action, None, profiles, change, given.keep_out), len(profiles)
    audience = await taken(context, workspace, given.audience)
    count = await counted(context, workspace, audience)
    return Asked(given.action, audience, (), change, given.keep_out), count


async def _digest(context: Context, told: Asked, workspace: Workspace) -> str:
    """Of the job and of the definitions of the segments that it names."""
    versions: dict[str, int] = {}
    if told.audience is not None:
        segments = (await context.catalog.segments(workspace.id)).segments
        for id_ in (*told.audience.include, *told.audience.exclude):
            if id_ in segments:
                versions[id_] = segments[id_].definition_version
    return sha256(msgspec.json.encode((told, versions), order="sorted")).hexdigest()


async def _one(context: Context, workspace: str, id_: str) -> Job:
    try:
        return await context.jobs.store.one(workspace, KIND, id_)
    except Lost as error:
        raise not_found("job", id_) from error


def _out(job: Job) -> MassJobOut:
    told = asked(job.spec)
    assert job.state != "draft"
    return MassJobOut(
        id=job.id,
        action=told.action,
        state=job.state,
        reason=job.reason,
        done=job.done,
        total=job.total,
        audience=None if told.audience is None else shown(told.audience),
        begun_at=times.iso(job.begun_ms),
        ended_at=times.iso_or_none(job.ended_ms),
    )
