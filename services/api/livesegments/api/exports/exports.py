"""Exports of a segment: a file with its members and what was chosen of each, made in the background."""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Header, Path
from pydantic import BaseModel, Field
from starlette.responses import Response

from livesegments.api.context import Context, Ctx
from livesegments.api.exports.download import MEDIA, streamed
from livesegments.api.operations.audit import noted
from livesegments.api.profiles import values as fields
from livesegments.api.segments.finding import found
from livesegments.api.segments.segments import Id
from livesegments.api.web import times
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import QUOTA, Problem, not_found, responses
from livesegments.api.web.route import IdempotencyKey, Route
from livesegments.api.web.shapes import In, Instant, Since
from livesegments.api.web.texts import AttributeName
from livesegments.core.fault import Fault
from livesegments.store.exports import Export, Format, State

MOST_FIELDS = 100
MOST_OPEN = 10
MOST_KEPT = 100
"""Of a workspace, with those that have come to their end."""
Told = Literal["entered_at", "valid_until", "updated_at", "tags", "consent", "groups"]

router = APIRouter(
    prefix="/v1/segments/{id}/exports", tags=["members"], route_class=Route, responses=responses(401, 403)
)
ExportId = Annotated[
    str, Path(alias="export", min_length=1, max_length=64, description="The id of an export.")
]
FILE: dict[int | str, dict[str, Any]] = {
    status: {
        "description": what,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA.values()},
    }
    for status, what in ((200, "The whole file."), (206, "The part of it that `Range` asks for."))
}


class NewExport(In):
    """What to export of a segment's members."""

    format: Format = Field("csv", description="The form of the file.")
    fields: list[AttributeName] = Field(
        default_factory=list,
        max_length=MOST_FIELDS,
        description="Names of attributes, or `computed:` and the id of a computed attribute: a column each.",
        examples=[["email", "computed:total_spent_90d"]],
    )
    include: list[Told] = Field(
        default_factory=list,
        max_length=6,
        description="What else is known of a member: a column each. `updated_at` is the time of the latest "
        "change of attributes, tags, consents and lists, or of its entry if that is later.",
    )
    entered_since: Since | None = Field(
        None, description="Only members that entered at this instant or later."
    )
    updated_since: Since | None = Field(
        None, description="Only members whose `updated_at` is not before this."
    )


class ExportProgress(BaseModel):
    """How far an export is."""

    done: int = Field(description="Members that were looked at.")
    total: int = Field(description="Members that there were when it began.")


class ExportOut(BaseModel):
    """An export, and where its file is."""

    id: str = Field(description="The id of the export.")
    segment: str = Field(description="The id of the segment.")
    state: State = Field(
        description="`waiting`, `running` (begun anew where the process that made it died), `done` with a "
        "file, or `failed`: then `error` says why."
    )
    progress: ExportProgress = Field(description="How far it is.")
    format: Format = Field(description="The form of the file.")
    fields: list[str] = Field(description="The chosen fields, in the order of the columns.")
    include: list[str] = Field(description="What else is given of a member, in the order of the columns.")
    entered_since: Instant | None = Field(description="Since when members must have entered; null: ever.")
    updated_since: Instant | None = Field(description="Since when they must have changed; null: ever.")
    rows: int = Field(description="Members in the file so far.")
    bytes: int = Field(description="The size of the whole file; 0 until it is `done`.")
    building: list[str] = Field(
        description="Ids of computed attributes that were still given their history: some rows lack them."
    )
    error: str | None = Field(description="Why it `failed`.")
    created_at: Instant = Field(description="When it was asked for.")
    ended_at: Instant | None = Field(description="When it was `done` or `failed`.")
    kept_until: Instant | None = Field(description="When the file is removed at the latest.")
    file: str | None = Field(description="The path under which the file is read, once `done`.")


class Exports(BaseModel):
    """The exports of a segment that are under way or kept."""

    exports: list[ExportOut] = Field(description="The newest first.")


async def _known(context: Ctx, workspace: Reading, id_: Id) -> None:
    """Before the body is looked at: a segment that isn't there has no faults of a request."""
    await found(context, workspace.id, id_)


@router.post(
    "", status_code=202, dependencies=[Depends(_known)], responses=responses(400, 404, 409, 413, 415)
)
async def create_export(
    context: Ctx,
    workspace: Reading,
    id_: Id,
    new: Annotated[NewExport, Body(default_factory=NewExport)],
    once: IdempotencyKey = None,
) -> ExportOut:
    """Ask for a file with the segment's members and chosen values. It is made in the background: read the
    export until it is `done`, then read its file. Each member is in it once. At most 10 may be under way in a
    workspace, and 100 be kept."""
    names = tuple(dict.fromkeys(new.fields))
    await fields.check(context, workspace, names, "/fields")
    kept = await context.exports.jobs.of(workspace.id)
    _within(kept)
    for old in [each for each in kept if not each.is_open][MOST_KEPT - MOST_OPEN - 1 :]:
        await context.exports.remove(old)
    export = Export(
        workspace.id,
        token_hex(8),
        id_,
        new.format,
        names,
        tuple(dict.fromkeys(new.include)),
        context.now_ms(),
        None if new.entered_since is None else times.parse(new.entered_since),
        None if new.updated_since is None else times.parse(new.updated_since),
    )
    columns = ", ".join((*export.fields, *export.include)) or "ids alone"
    await noted(context, workspace.id, "start", "export", export.id, note=f"{id_}: {columns}")
    await context.exports.add(export)
    return _shown(export)


@router.get("", responses=responses(404))
async def list_exports(context: Ctx, workspace: Reading, id_: Id) -> Exports:
    """The exports of a segment that are under way, or were made and are kept."""
    await found(context, workspace.id, id_)
    jobs = await context.exports.jobs.of(workspace.id)
    return Exports(exports=[_shown(each) for each in jobs if each.segment == id_])


@router.get("/{export}", responses=responses(404))
async def read_export(context: Ctx, workspace: Reading, id_: Id, export: ExportId) -> ExportOut:
    """How far an export is."""
    return _shown(await _existing(context, workspace.id, id_, export))


@router.get(
    "/{export}/file", response_class=Response, responses=FILE | responses(404, 409, 410, 416), status_code=200
)
async def download_export(
    context: Ctx,
    workspace: Reading,
    id_: Id,
    export: ExportId,
    range_: Annotated[
        str | None,
        Header(alias="Range", max_length=200, description="`bytes=1000-`: go on there. One range only."),
    ] = None,
    if_range: Annotated[
        str | None,
        Header(alias="If-Range", max_length=200, description="The `ETag` of the part that is there already."),
    ] = None,
) -> Response:
    """The file of an export that is `done`, or with `Range` a part of it: so a download that broke off goes
    on."""
    job = await _existing(context, workspace.id, id_, export)
    if job.state != "done":
        why = job.error if job.state == "failed" else "It is being made: read the export until it is done."
        raise Problem(409, why)
    try:
        file = await context.exports.open(job)
    except FileNotFoundError as error:
        told = "The file is gone: its time is over, or somebody was erased since. Export again."
        raise Problem(410, told) from error
    return await streamed(job, file, range_, if_range)


@router.delete("/{export}", status_code=204, responses=responses(404))
async def delete_export(context: Ctx, workspace: Reading, id_: Id, export: ExportId) -> None:
    """Remove an export and its file; one that is under way ends."""
    found = await _existing(context, workspace.id, id_, export)
    await noted(context, workspace.id, "delete", "export", found.id, note=id_)
    await context.exports.remove(found)


async def _existing(context: Context, workspace: str, segment: str, export: str) -> Export:
    await found(context, workspace, segment)
    job = await context.exports.jobs.read(workspace, export)
    if job is None or job.segment != segment:
        raise not_found("export", export)
    return job


def _within(kept: Sequence[Export]) -> None:
    if sum(each.is_open for each in kept) >= MOST_OPEN:
        told = f"{MOST_OPEN} exports are under way, the most: wait for one, or remove one"
        full = Fault("", f"{QUOTA}exports", told)
        raise Problem(409, "The workspace's exports are at their bound.", [full])


def _shown(job: Export) -> ExportOut:
    return ExportOut(
        id=job.id,
        segment=job.segment,
        state=job.state,
        progress=ExportProgress(done=job.done, total=job.total),
        format=job.format,
        fields=list(job.fields),
        include=list(job.include),
        entered_since=times.iso_or_none(job.entered_since_ms),
        updated_since=times.iso_or_none(job.updated_since_ms),
        rows=job.rows,
        bytes=job.bytes,
        building=list(job.building),
        error=job.error or None,
        created_at=times.iso(job.created_ms),
        ended_at=times.iso_or_none(job.ended_ms),
        kept_until=times.iso(job.until_ms) if job.until_ms else None,
        file=f"/v1/segments/{job.segment}/exports/{job.id}/file" if job.state == "done" else None,
    )
