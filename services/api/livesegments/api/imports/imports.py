"""`/v1/imports`: profiles from a CSV file. It is sent in parts, looked at, and then started."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from typing import IO, Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Path, Query, Request
from msgspec.structs import replace
from starlette.responses import Response, StreamingResponse

from livesegments.api.context import Context, Ctx
from livesegments.api.imports import shapes as import_shapes
from livesegments.api.imports.check import check
from livesegments.api.imports.mapping import typed
from livesegments.api.imports.shapes import (
    ImportCheck,
    ImportOut,
    ImportPlan,
    ImportsOut,
    ImportStart,
    NewImport,
    plan_of,
)
from livesegments.api.imports.table import Form, Unsuitable
from livesegments.api.imports.work import KIND, Asked, asked
from livesegments.api.members.lists import fillable
from livesegments.api.operations.audit import noted
from livesegments.api.profiles.profiles import ConsentOut
from livesegments.api.segments import editing, trials
from livesegments.api.segments.shapes import NewStatic
from livesegments.api.web import times
from livesegments.api.web.auth import Reading, Writing
from livesegments.api.web.problems import Problem, not_found, responses
from livesegments.api.web.route import BODY_S, IdempotencyKey, Route
from livesegments.store.jobs import Job, Lost, spec
from livesegments.store.seen import Restoring

PART_BYTES = 8 << 20
"""A part has at most so many bytes."""
CHUNK = 256 * 1024
TIDY_S = 60.0

_log = structlog.get_logger(__name__)

router = APIRouter(prefix="/v1/imports", tags=["imports"], route_class=Route, responses=responses(401, 403))
ImportId = Annotated[
    str,
    Path(alias="id", pattern="^[A-Za-z0-9]{1,64}$", description="The id of an import.", examples=["5f0c"]),
]
PART: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The bytes of the file from `offset` on, at most 8 MiB.",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("text/csv", "application/octet-stream")
        },
    }
}
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The refused rows.",
        "content": {"text/csv; charset=utf-8": {"schema": {"type": "string", "format": "binary"}}},
    }
}


async def _known(context: Ctx, workspace: Writing, id_: ImportId) -> None:
    """Before the body is looked at: an import that isn't there has no faults of a request."""
    await _one(context, workspace.id, id_)


Knowing = Depends(_known)


@router.post("", status_code=201, responses=responses(400, 409, 413, 415))
async def create_import(
    context: Ctx, workspace: Writing, new: NewImport, once: IdempotencyKey = None
) -> ImportOut:
    """Begin an import: then send its file (`PUT …/file`), see what would become of it (`POST …/check`), and
    start it (`POST …/start`). One that isn't started within a day is forgotten."""
    told = Asked(new.file_name, encoding=new.encoding, delimiter=new.delimiter)
    return _out(await context.jobs.begin(workspace.id, KIND, told, 0, draft=True))


@router.put("/{id}/file", openapi_extra=PART, dependencies=[Knowing], responses=responses(400, 404, 409, 413))
async def send_file(
    context: Ctx,
    workspace: Writing,
    id_: ImportId,
    request: Request,
    offset: Annotated[int, Query(ge=0, le=1 << 40, description="How much has come before.")] = 0,
) -> ImportOut:
    """Send the file, or the next part of it. Where a connection breaks, `bytes` of the import says from where
    it goes on."""
    most = context.settings.imports_mb << 20
    data = await _body(request, min(PART_BYTES, max(0, most - offset)), most)
    job = await _one(context, workspace.id, id_)
    turn = context.jobs.store.turn(job)
    if not await turn.take():
        raise Problem(409, "Another part of the file is just coming: send one after the other.")
    try:
        job = _draft(await _one(context, workspace.id, id_))
        told = asked(job)
        if offset != told.bytes:
            raise Problem(409, f"The file has {told.bytes} bytes so far: go on with `offset={told.bytes}`.")
        files = await context.imports.files.of()
        await asyncio.to_thread(files.put, job, offset, data)
        told = replace(told, bytes=offset + len(data), parts=(*told.parts, offset))
        job = replace(job, spec=spec(told))
        await _put(context, job)
    finally:
        await turn.give()
    return _out(job)


@router.post("/{id}/columns", responses=responses(404, 409))
async def read_columns(context: Ctx, workspace: Writing, id_: ImportId) -> ImportCheck:
    """The columns of the file, with some of their cells and what these look like."""
    job = _draft(await _one(context, workspace.id, id_))
    return await _checked(context, job, await _form(context, job), None)


@router.post("/{id}/check", dependencies=[Knowing], responses=responses(400, 404, 409, 413, 415))
async def check_import(context: Ctx, workspace: Writing, id_: ImportId, plan: ImportPlan) -> ImportCheck:
    """A dry run: how many rows would be taken, the first faults, and what would become of the first rows."""
    job = _draft(await _one(context, workspace.id, id_))
    form = await _form(context, job)
    made = plan_of(plan, form)
    if plan.segment is not None:
        await fillable(context, workspace.id, plan.segment)
    return await _checked(context, job, form, made)


@router.post(
    "/{id}/start", status_code=202, dependencies=[Knowing], responses=responses(400, 404, 409, 413, 415)
)
async def start_import(context: Ctx, workspace: Writing, id_: ImportId, plan: ImportStart) -> ImportOut:
    """Take the rows: they go to ingest as changes of profiles, and are put into a segment if one is named.
    Rows that can't be taken, also those that ingest or an evaluator refuses, are in the file of refused rows
    afterwards."""
    job = _draft(await _one(context, workspace.id, id_))
    told, form = asked(job), await _form(context, job)
    made = plan_of(plan, form)
    if plan.new_segment is not None:
        if plan.segment is not None:
            raise Problem(422, "Give `segment` or `new_segment`, not both.")
        now_ms, new = context.now_ms(), NewStatic(name=plan.new_segment, type="static")
        segment, sequence = await trials.put(
            context, workspace, lambda snapshot: editing.new_segment(snapshot, workspace, new, now_ms)
        )
        await context.publisher.published(sequence)
        made = replace(made, segment=segment.id)
    elif plan.segment is not None:
        await fillable(context, workspace.id, plan.segment)
    note = f"{told.file_name}, {told.bytes} bytes"
    if made.segment:
        note += f", into {made.segment}"
    await noted(context, workspace.id, "start", "import", job.id, note=note)
    try:
        job = await context.jobs.start(replace(job, spec=spec(replace(told, plan=made))))
    except Lost as error:
        raise not_found("import", id_) from error
    return _out(job)


@router.get("")
async def list_imports(context: Ctx, workspace: Reading) -> ImportsOut:
    """The imports that are under way, and those that ended lately."""
    found = await context.jobs.store.every(workspace.id, KIND, context.now_ms())
    return ImportsOut(imports=[_out(each) for each in found])


@router.get("/{id}", responses=responses(404))
async def read_import(context: Ctx, workspace: Reading, id_: ImportId) -> ImportOut:
    """How far an import is."""
    return _out(await _one(context, workspace.id, id_))


@router.get("/{id}/refused", response_class=Response, responses=FILE | responses(404, 409, 410))
async def download_refused(context: Ctx, workspace: Reading, id_: ImportId) -> Response:
    """The refused rows as a CSV file: the number of the row, the reasons, and its cells as they came; those
    that a spreadsheet would run have an apostrophe before them."""
    job = await _one(context, workspace.id, id_)
    told = asked(job)
    if not told.refused:
        raise Problem(409, "It has no refused rows, or isn't done yet.")
    files = await context.imports.files.of()
    try:
        if await context.erasures.newest(workspace.id) != told.erased:
            await asyncio.to_thread(files.remove, job)
            raise FileNotFoundError
        file = await asyncio.to_thread(files.refused, job)
    except FileNotFoundError as error:
        told_ = "The file is gone: its time is over, or somebody was erased since. Import again."
        raise Problem(410, told_) from error
    headers = {
        "Content-Length": str(told.refused),
        "Content-Disposition": f'attachment; filename="refused-{job.id}.csv"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(_chunks(file), 200, headers, "text/csv; charset=utf-8")


@router.delete("/{id}", status_code=204, responses=responses(404))
async def delete_import(context: Ctx, workspace: Writing, id_: ImportId) -> None:
    """End an import before its time, or forget one that has ended. What it has sent stays as it is."""
    job = await _one(context, workspace.id, id_)
    if job.is_open:
        await noted(context, workspace.id, "cancel", "import", id_, note=f"at row {job.done}")
    await context.jobs.store.delete(workspace.id, id_)
    await asyncio.to_thread((await context.imports.files.of()).remove, job)


async def keep_tidy(context: Context) -> None:
    """Never returns: files whose time is over go, and refused rows that may name somebody who was erased."""
    removed: set[str] = set()
    while True:
        try:
            files = await context.imports.files.of()
            await asyncio.to_thread(files.tidy, time.time() - context.settings.exports_kept_s)
            removed = await forget_erased(context, removed)
        except (OSError, Restoring) as error:
            _log.warning("files of imports can't be tidied now", error=repr(error))
        await asyncio.sleep(TIDY_S)


async def forget_erased(context: Context, removed: Collection[str]) -> set[str]:
    """Removes the refused rows of imports that were begun before somebody was erased; the ids of the imports
    that have none any more, of which `removed` are known. Raises OSError or Restoring."""
    files, gone = await context.imports.files.of(), set[str]()
    for workspace in await context.catalog.workspaces():
        jobs = await context.jobs.store.every(workspace.id, KIND, context.now_ms())
        ended = [job for job in jobs if not job.is_open and job.state != "draft" and asked(job).refused]
        newest = await context.erasures.newest(workspace.id) if ended else ()
        for job in ended:
            if asked(job).erased != newest:
                gone.add(job.id)
                if job.id not in removed:
                    await asyncio.to_thread(files.remove, job)
    return gone


async def _one(context: Context, workspace: str, id_: str) -> Job:
    try:
        return await context.jobs.store.one(workspace, KIND, id_)
    except Lost as error:
        raise not_found("import", id_) from error


def _draft(job: Job) -> Job:
    if job.state != "draft":
        raise Problem(409, "The import was started already: begin another one.")
    return job


async def _put(context: Context, job: Job) -> None:
    try:
        await context.jobs.store.put(job)
    except Lost as error:
        raise not_found("import", job.id) from error


async def _body(request: Request, most: int, whole: int) -> bytes:
    """Raises Problem 413, or 408."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_S * 3):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise Problem(413, f"A part has at most {PART_BYTES} bytes, and the whole file {whole}.")
                parts.append(part)
    except TimeoutError as error:
        raise Problem(408, "The body did not come in time.", headers={"Connection": "close"}) from error
    if not size:
        raise Problem(400, "The body is empty: send the bytes of the file.")
    return b"".join(parts)


async def _form(context: Context, job: Job) -> Form:
    """Raises Problem 409 where there is no file yet, or it can't be read."""
    if not asked(job).bytes:
        raise Problem(409, "The import has no file yet: send it with `PUT …/file`.")
    files = await context.imports.files.of()
    try:
        return await asyncio.to_thread(files.form, job)
    except Unsuitable as error:
        raise Problem(409, f"The file can't be read: {error}.") from error
    except FileNotFoundError as error:
        raise Problem(409, "The file is gone, its time is over: begin another import.") from error


async def _checked(context: Context, job: Job, form: Form, plan: Any) -> ImportCheck:
    declared = await context.catalog.declarations(job.workspace)
    if plan is not None:
        plan = typed(plan, declared)
    files = await context.imports.files.of()
    try:
        found = await asyncio.to_thread(check, files, job, form, plan)
    except Unsuitable as error:
        raise Problem(409, f"The file can't be read: {error}.") from error
    return ImportCheck(
        encoding=form.encoding,
        delimiter=form.delimiter,
        columns=[
            import_shapes.ImportColumn(
                name=each.name,
                samples=each.samples,
                type=each.type,
                declared=declared[each.name].type if each.name in declared else None,
            )
            for each in found.columns
        ],
        rows=found.rows,
        whole=found.whole,
        accepted=found.accepted,
        refused=found.refused,
        preview=[
            import_shapes.ImportRow(
                profile=each["profile"],
                attributes=each["attributes"],
                tags=each.get("tags", {}).get("add", []),
                consent=[
                    ConsentOut(state=of["state"], channel=of.get("channel"), topic=of.get("topic"))
                    for of in each.get("consent", ())
                ],
            )
            for each in found.preview
        ],
        faults=[
            import_shapes.ImportFault(row=each.row, column=each.column, code=each.code, message=each.message)
            for each in found.faults
        ],
        reasons=[
            import_shapes.ImportReason(column=column, code=code, rows=count)
            for (column, code), count in found.reasons.items()
        ],
    )


def _out(job: Job) -> ImportOut:
    told = asked(job)
    return ImportOut(
        id=job.id,
        file_name=told.file_name,
        state="uploading" if job.state == "draft" else job.state,
        reason=job.reason,
        bytes=told.bytes,
        segment=told.plan.segment or None if told.plan is not None else None,
        done=job.done,
        total=job.total,
        accepted=job.counts.get("accepted", 0),
        refused=job.counts.get("refused", 0),
        refused_file=f"/v1/imports/{job.id}/refused" if told.refused else None,
        created_at=times.iso(job.begun_ms),
        ended_at=times.iso_or_none(job.ended_ms),
    )


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    try:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk
    finally:
        file.close()
