"""`/v1/segments/{id}/source`: a list is kept equal to a table, a query or a file of others.

Example: `PUT {"connection": "crm", "table": "vips", "column": "customer_id", "every_s": 3600}`. The
deployment says what `crm` is (module `connections`); once an hour its table is read, and who came or went is
put on the list or taken off it (module `runs`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import msgspec
from fastapi import APIRouter, Body, Depends
from pydantic import BaseModel, Field, model_validator

from livesegments.api.context import Context, Ctx
from livesegments.api.members.lists import fillable
from livesegments.api.operations.audit import noted
from livesegments.api.segments import editing
from livesegments.api.segments.finding import found
from livesegments.api.segments.segments import Id
from livesegments.api.sources.connections import Broken, Connection
from livesegments.api.sources.runs import KIND, Asked
from livesegments.api.sources.scheduling import next_ms, under_way
from livesegments.api.web import shapes, times
from livesegments.api.web.auth import Reading, Writing
from livesegments.api.web.problems import Problem, not_found, responses
from livesegments.api.web.route import IdempotencyKey, Route
from livesegments.api.web.texts import fault
from livesegments.core.fault import Fault
from livesegments.runtime.addresses import MAX_URL, fault_of, hosts
from livesegments.store.jobs import Job
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import Segment, Source, Workspace

MOST_SOURCES = 50
"""Of a workspace."""
WAIT_S = 2.0
PRINTED = "^[^\\x00-\\x1f\\x7f-\\x9f]*$"
Short = Annotated[str, Field(max_length=256, pattern=PRINTED)]

router = APIRouter(tags=["sources"], route_class=Route, responses=responses(401, 403))


async def _segment_first(context: Ctx, workspace: Writing, id_: Id) -> None:
    """Raises Problem 404 before a body is looked at."""
    await found(context, workspace.id, id_)


async def _existing_first(context: Ctx, workspace: Writing, id_: Id) -> None:
    """Raises Problem 404 before a body is looked at."""
    await _existing(context, workspace, id_)


class SourceIn(shapes.In):
    """What the list is kept equal to: of `connection`, `url` and `path` just one."""

    connection: Short = Field("", description="The name of a connection of the deployment's.")
    table: Short = Field("", description="Of a database: a table or a view, `schema.name` or `name`.")
    query: str = Field(
        "", max_length=8_000, description="Of a database, in place of a table: one SELECT, without `;`."
    )
    url: str = Field("", max_length=MAX_URL, description="The address of a file: https://…")
    path: str = Field(
        "", max_length=1_000, description="A file in the folder of the setting `LIVESEGMENTS_SOURCE_FILES`."
    )
    format: Literal["csv", "ndjson"] = Field("csv", description="Of a file, in UTF-8.")
    column: Short = Field(
        "",
        description="Where the profiles' ids are; else the first column, and of NDJSON the field `profile`. "
        "A table needs it.",
    )
    every_s: int = Field(
        0, ge=0, le=30 * 86_400, description="Read it so often (s, at least 60); 0: when it is asked for."
    )
    most_gone: float = Field(
        0.5,
        ge=0,
        le=1,
        description="A run that would take more than this share of the members off the list, and more than "
        "20, is held. So is one that reads nobody.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if [bool(self.connection), bool(self.url), bool(self.path)].count(True) != 1:
            raise fault("one_of", "needs just one of `connection`, `url` and `path`")
        if self.table and self.query:
            raise fault("one_of", "needs a table or a query, not both")
        if (self.table or self.query) and not self.connection:
            raise fault("no_database", "a file has no table and no query")
        if self.table and not self.column:
            raise fault("no_column", "needs the column of the table that has the ids")
        if ";" in self.query or "\0" in self.query:
            raise fault("bad_query", "the query must be one SELECT, without `;`")
        if 0 < self.every_s < 60:
            raise fault("too_often", "every_s is 0, or at least 60")
        return self


class RunIn(shapes.In):
    """What a run may do."""

    may_remove: int | None = Field(
        None,
        ge=0,
        le=2**53,
        description="So many members may go, whatever `most_gone` says: for a run that was held.",
    )


class LastRunOut(BaseModel):
    """How the last run that ended went."""

    state: Literal["done", "held", "failed"] = Field(
        description="`held`: more members would have gone than may, so nothing was changed."
    )
    begun_at: shapes.Instant = Field(description="When it began.")
    ended_at: shapes.Instant = Field(description="When it ended.")
    error: str | None = Field(description="Why it was held or failed; null: it was done.")
    rows: int = Field(description="Rows that were read.")
    odd: int = Field(description="Rows of them whose value is no profile's id; they were passed over.")
    added: int = Field(description="Profiles that were put on the list.")
    removed: int = Field(description="Profiles that were taken off it.")
    gone: int = Field(description="Of a run that was held: how many members would have gone.")


class NowOut(BaseModel):
    """A run that has not ended yet."""

    rows: int = Field(description="Rows that were read so far.")
    added: int = Field(description="Profiles that were put on the list so far.")
    removed: int = Field(description="Profiles that were taken off it so far.")
    reason: str | None = Field(description="Why it waits; null: it doesn't.")


class SourceOut(BaseModel):
    """A source as it is now. Passwords stand in the deployment alone."""

    segment: str = Field(description="The id of the static segment.")
    connection: str = Field(description="As it was given; so are the others up to `most_gone`.")
    table: str = Field(description="As it was given.")
    query: str = Field(description="As it was given.")
    url: str = Field(description="As it was given.")
    path: str = Field(description="As it was given.")
    format: Literal["csv", "ndjson"] = Field(description="As it was given.")
    column: str = Field(description="As it was given.")
    every_s: int = Field(description="As it was given.")
    most_gone: float = Field(description="As it was given.")
    next_at: shapes.Instant | None = Field(description="When it is read next; null: when it is asked for.")
    now: NowOut | None = Field(description="The run that is under way; null: none is.")
    last: LastRunOut | None = Field(description="The last run that has ended; null: none has.")


class SourcesOut(BaseModel):
    """All sources of the workspace, by segment."""

    sources: list[SourceOut] = Field(max_length=MOST_SOURCES, description="All that there are.")


class ConnectionOut(BaseModel):
    """A connection that the workspace may use."""

    name: str = Field(description="Its name.")
    kind: Literal["postgresql", "mysql", "sqlite", "file"] = Field(description="What it leads to.")


class ConnectionsOut(BaseModel):
    """What the deployment lets lists be read from. Where they lead to isn't shown."""

    connections: list[ConnectionOut] = Field(description="By name.")


@router.get("/v1/connections", responses=responses(503))
async def list_connections(context: Ctx, workspace: Reading) -> ConnectionsOut:
    """The connections that a source in this workspace may name."""
    try:
        ours = context.connections.of(workspace.id)
    except Broken as error:
        raise Problem(503, f"{error}.") from error
    return ConnectionsOut(connections=[_connection(name, ours[name]) for name in sorted(ours)])


@router.get("/v1/sources")
async def list_sources(context: Ctx, workspace: Reading) -> SourcesOut:
    """All segments that are kept equal to something."""
    ours = _sources(await context.catalog.segments(workspace.id))
    return SourcesOut(sources=[await _out(context, each) for each in sorted(ours, key=lambda each: each.id)])


@router.get("/v1/segments/{id}/source", responses=responses(404))
async def read_source(context: Ctx, workspace: Reading, id_: Id) -> SourceOut:
    """What the list is kept equal to, and how the last run went."""
    return await _out(context, await _existing(context, workspace, id_))


@router.put(
    "/v1/segments/{id}/source",
    dependencies=[Depends(_segment_first)],
    responses=responses(400, 404, 409, 413, 415),
)
async def put_source(
    context: Ctx, workspace: Writing, id_: Id, asked: Annotated[SourceIn, Body()]
) -> SourceOut:
    """Keep a static segment equal to it. One with `every_s` is read at once; nothing of it is on the list
    before it was read whole."""
    await fillable(context, workspace.id, id_)
    _usable(context, workspace, asked)
    now_ms = context.now_ms()
    source = Source(since_ms=now_ms, **asked.model_dump())

    def decide(snapshot: Snapshot) -> tuple[Literal["put"], Segment]:
        old = editing.existing(snapshot, id_)
        if old.source is None and len(_sources(snapshot)) >= MOST_SOURCES:
            raise Problem(409, f"The workspace has {MOST_SOURCES} sources, as many as it may: delete one.")
        return "put", _with(old, source, now_ms)

    await context.kept.add(workspace.id, id_, now_ms)
    segment, sequence = await context.catalog.change_segment(workspace.id, decide)
    await context.publisher.published(sequence)
    return await _out(context, segment)


@router.delete("/v1/segments/{id}/source", status_code=204, responses=responses(404))
async def delete_source(context: Ctx, workspace: Writing, id_: Id) -> None:
    """The list stays as it is, and follows nothing any more."""
    await _existing(context, workspace, id_)
    now_ms = context.now_ms()

    def decide(snapshot: Snapshot) -> tuple[Literal["put"], Segment]:
        return "put", _with(editing.existing(snapshot, id_), None, now_ms)

    _, sequence = await context.catalog.change_segment(workspace.id, decide)
    await context.publisher.published(sequence)
    await context.source_runs.forget(workspace.id, id_)


@router.post(
    "/v1/segments/{id}/source/runs",
    status_code=202,
    dependencies=[Depends(_existing_first)],
    responses=responses(400, 404, 409, 413, 415),
)
async def run_source(
    context: Ctx, workspace: Writing, id_: Id, asked: Annotated[RunIn, Body()], once: IdempotencyKey = None
) -> SourceOut:
    """Read the source now. A small one has been read when this is answered: then `last` says how it went. One
    that was held goes through with `may_remove`."""
    segment = await _existing(context, workspace, id_)
    if await under_way(context, segment) is not None:
        raise Problem(409, f"A run of '{id_}' is under way: wait for its end.")
    note = "" if asked.may_remove is None else f"may remove {asked.may_remove}"
    await noted(context, workspace.id, "start", "source_run", id_, name=segment.name, note=note)
    job = await context.jobs.begin(workspace.id, KIND, Asked(id_, asked.may_remove), 0)
    await context.jobs.ended(job, WAIT_S)
    return await _out(context, segment)


def _sources(snapshot: Snapshot) -> Sequence[Segment]:
    return [each for each in snapshot.segments.values() if each.source is not None]


async def _existing(context: Context, workspace: Workspace, id_: str) -> Segment:
    segment = await found(context, workspace.id, id_)
    if segment.source is None:
        raise not_found("source of segment", id_)
    return segment


def _usable(context: Context, workspace: Workspace, asked: SourceIn) -> None:
    """Raises Problem 422 for what could never be read."""
    faults = []
    if asked.url and (wrong := fault_of(asked.url, hosts(context.settings.source_hosts))) is not None:
        told = f"{wrong}; LIVESEGMENTS_SOURCE_HOSTS of the api permits hosts that are not public"
        faults.append(Fault("/url", "bad_url", told))
    if asked.path and not context.settings.source_files:
        faults.append(
            Fault("/path", "no_files", "no folder is named by LIVESEGMENTS_SOURCE_FILES of the api")
        )
    if asked.connection:
        try:
            connection = context.connections.one(workspace.id, asked.connection)
        except Broken as error:
            faults.append(Fault("/connection", "unknown_connection", str(error)))
        else:
            if connection.is_file and (asked.table or asked.query):
                faults.append(
                    Fault("/connection", "no_database", "it leads to a file: leave table and query out")
                )
            if not connection.is_file and not (asked.table or asked.query):
                faults.append(
                    Fault("/connection", "no_table", "it leads to a database: say which table or query")
                )
    if faults:
        raise Problem(422, f"{len(faults)} fault(s) in the request.", faults)


def _with(segment: Segment, source: Source | None, now_ms: int) -> Segment:
    return msgspec.structs.replace(
        segment, source=source, version=segment.version + 1, updated_ms=max(now_ms, segment.updated_ms)
    )


def _connection(name: str, connection: Connection) -> ConnectionOut:
    kind: Literal["postgresql", "mysql", "sqlite", "file"] = "file"
    if not connection.is_file:
        kind = connection.scheme  # type: ignore[assignment]
    return ConnectionOut(name=name, kind=kind)


async def _out(context: Context, segment: Segment) -> SourceOut:
    source = segment.source
    assert source is not None
    last = await context.source_runs.last(segment.workspace, segment.id)
    due_ms = next_ms(source, last)
    job = await under_way(context, segment)
    told = msgspec.structs.asdict(source)
    del told["since_ms"]
    return SourceOut(
        segment=segment.id,
        **told,
        next_at=times.iso_or_none(due_ms),
        now=None if job is None else _now(job),
        last=None
        if last is None
        else LastRunOut(
            state=last.state,
            begun_at=times.iso(last.begun_ms),
            ended_at=times.iso(last.ended_ms),
            error=last.error or None,
            rows=last.rows,
            odd=last.odd,
            added=last.added,
            removed=last.removed,
            gone=last.gone,
        ),
    )


def _now(job: Job) -> NowOut:
    counts = job.counts
    return NowOut(
        rows=counts.get("rows", 0),
        added=counts.get("added", 0),
        removed=counts.get("removed", 0),
        reason=job.reason,
    )
