"""`GET /v1/segments/{id}/versions`: the definitions that a segment has had, and that of an instant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter
from msgspec.structs import replace
from pydantic import BaseModel, Field, WithJsonSchema

from livesegments.api import shapes, times
from livesegments.api.auth import Reading
from livesegments.api.context import Context, Ctx
from livesegments.api.finding import found
from livesegments.api.problems import Problem, quoted, responses
from livesegments.api.route import Route
from livesegments.api.segments import Id
from livesegments.core.references import references
from livesegments.core.value_list import named, shown
from livesegments.store.snapshot import Snapshot
from livesegments.store.versions import present
from livesegments.wire.catalog import Segment, Version

router = APIRouter(
    prefix="/v1/segments/{id}/versions", tags=["segments"], route_class=Route, responses=responses(401, 403)
)


class VersionOut(BaseModel):
    """A definition that a segment has, or had."""

    version: int = Field(description="Counts the edits of the definition; transitions carry it.")
    since: shapes.Instant = Field(
        description="When it was written. The one before it goes on being served until it is built."
    )
    until: shapes.Instant | None = Field(description="When it was replaced; null: it is the present one.")
    by: str | None = Field(description="The name of the key that wrote it; null where that was not noted.")
    definition: Annotated[Any, WithJsonSchema({"anyOf": [shapes.CONDITION, {"type": "null"}]})] = Field(
        description="The definition; null of a static segment."
    )


class VersionsOut(BaseModel):
    """The newest 100, the newest first."""

    versions: list[VersionOut] = Field(description="The present one, and those before it.")


@router.get("", responses=responses(404))
async def list_versions(context: Ctx, workspace: Reading, id_: Id) -> VersionsOut:
    """The definitions that a segment has had: by whom, from when to when. The newest 100 are kept, until the
    segment is deleted."""
    segment = await found(context, workspace.id, id_)
    return VersionsOut(
        versions=[
            VersionOut(
                version=each.version,
                since=times.iso(each.since_ms),
                until=times.iso(each.until_ms) if each.until_ms else None,
                by=each.by or None,
                definition=shown(each.definition),
            )
            for each in await _all(context, segment)
        ]
    )


async def numbered(context: Context, segment: Segment, version: int) -> Segment:
    """The segment as it was in this version. Raises Problem 404."""
    for each in await _all(context, segment):
        if each.version == version:
            return _with(segment, each)
    raise Problem(404, f"Version {version} of segment {quoted(segment.id)} is not kept, or never was.")


async def at(context: Context, segment: Segment, at_ms: int) -> Segment:
    """The segment as it was defined at an instant, or as early as is known."""
    known = await _all(context, segment)
    return _with(segment, next((each for each in known if each.since_ms <= at_ms), known[-1]))


async def around(context: Context, segment: Segment, snapshot: Snapshot, at_ms: int) -> Mapping[str, Segment]:
    """The segments that its definition names, themselves or through others, as they were at an instant.

    Raises Problem 409 where one of them is not there any more, or the values of a list aren't."""
    there, waiting = {segment.id: segment}, [segment]
    while waiting:
        each = waiting.pop()
        if each.definition is None:
            continue
        for digest in named(each.definition).values():
            if digest and not await context.contents.has(each.workspace, digest):
                raise _lost(each, "the values that a value list had then")
        for id_ in references(each.definition).ids:
            if id_ in there:
                continue
            other = snapshot.segments.get(id_)
            if other is None:
                raise _lost(each, f"the segment {quoted(id_)}")
            there[id_] = await at(context, other, at_ms)
            waiting.append(there[id_])
    return there


def _lost(segment: Segment, what: str) -> Problem:
    return Problem(
        409,
        f"Version {segment.definition_version} of segment {quoted(segment.id)} can't be applied any more:"
        f" it names {what}, which is not kept. Ask by the present definition: `definition=present`.",
    )


async def _all(context: Context, segment: Segment) -> list[Version]:
    return [present(segment, 0), *await context.versions.of(segment)]


def _with(segment: Segment, version: Version) -> Segment:
    return replace(segment, definition_version=version.version, definition=version.definition)
