"""`/v1/segments/{id}/versions`: the definitions that a segment has had, how they differ, going back to
one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from msgspec.structs import replace
from pydantic import BaseModel, Field, WithJsonSchema

from livesegments.api.context import Context, Ctx
from livesegments.api.segments import advice, editing, trials
from livesegments.api.segments.differing import changes
from livesegments.api.segments.finding import found
from livesegments.api.segments.segments import Id, described
from livesegments.api.web import shapes, times
from livesegments.api.web.auth import Reading, Writing
from livesegments.api.web.etags import WITH_ETAG, IfMatch, check_match, etag
from livesegments.api.web.problems import Problem, quoted, responses
from livesegments.api.web.route import Route
from livesegments.core.references import references
from livesegments.core.value_list import named, shown
from livesegments.store.actor import means
from livesegments.store.adoption import Switch
from livesegments.store.snapshot import Snapshot
from livesegments.store.versions import present
from livesegments.wire.catalog import Segment, Version

router = APIRouter(
    prefix="/v1/segments/{id}/versions", tags=["segments"], route_class=Route, responses=responses(401, 403)
)


Number = Annotated[int, Path(ge=1, le=2**53, description="The number of a definition of the segment.")]
Part = Annotated[Any, WithJsonSchema({})]


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


class DifferenceOut(BaseModel):
    """One part that another definition has otherwise."""

    kind: Literal["added", "removed", "changed"] = Field(description="What became of it.")
    pointer: str = Field(
        description="Where: of what was removed in the earlier definition, else in the later."
    )
    before: Part = Field(description="What stood there; null of what was added.")
    after: Part = Field(description="What stands there; null of what was removed.")


class Differences(BaseModel):
    """How a definition differs from an earlier one."""

    before: int | None = Field(description="The number of the earlier definition; null: there is none.")
    after: int = Field(description="The number of the later one.")
    by: str | None = Field(description="The name of the key that wrote the later one; null: not noted.")
    changes: list[DifferenceOut] = Field(description="Part by part, in the order of the definition.")


class VersionsOut(BaseModel):
    """The newest 100, the newest first."""

    versions: list[VersionOut] = Field(description="The present one, and those before it.")


@router.get("", responses=responses(404))
async def list_versions(context: Ctx, workspace: Reading, id_: Id) -> VersionsOut:
    """The definitions that a segment has had: by whom, from when to when. The newest 100 are kept, until the
    segment is deleted."""
    segment = await found(context, workspace.id, id_)
    return VersionsOut(versions=[_shape(each) for each in await _all(context, segment)])


@router.get("/{version}", responses=responses(404))
async def read_version(context: Ctx, workspace: Reading, id_: Id, version: Number) -> VersionOut:
    """One of the definitions that a segment has had."""
    segment = await found(context, workspace.id, id_)
    return _shape(await _numbered(context, segment, version))


@router.get("/{version}/diff", responses=responses(404))
async def compare_versions(
    context: Ctx,
    workspace: Reading,
    id_: Id,
    version: Number,
    against: Annotated[
        int | None,
        Query(ge=1, le=2**53, description="An earlier one to compare with; without it the one before."),
    ] = None,
) -> Differences:
    """What a definition has changed, part by part, against the one before it or an earlier one."""
    segment = await found(context, workspace.id, id_)
    after = await _numbered(context, segment, version)
    older = [each for each in await _all(context, segment) if each.version < version]
    before = older[0] if older else None
    if against is not None:
        before = await _numbered(context, segment, against)
    return Differences(
        before=None if before is None else before.version,
        after=after.version,
        by=after.by or None,
        changes=[
            DifferenceOut(kind=each.kind, pointer=each.pointer, before=each.before, after=each.after)
            for each in changes(shown(before.definition) if before else None, shown(after.definition))
        ],
    )


@router.post("/{version}/rollback", responses=WITH_ETAG | responses(404, 409, 412))
async def roll_back(
    context: Ctx,
    workspace: Writing,
    response: Response,
    id_: Id,
    version: Number,
    if_match: IfMatch = None,
) -> advice.EditedSegment:
    """Give a segment an earlier definition again, as a new version of it; what stands in between stays among
    the versions. Name, description and labels are not touched."""
    segment = await found(context, workspace.id, id_)
    earlier = (await _numbered(context, segment, version)).definition
    if earlier is None:
        raise Problem(409, f"Segment {quoted(id_)} is static: it has no definition to go back to.")
    now_ms = context.now_ms()
    means("rollback")

    def decide(snapshot: Snapshot) -> Segment:
        latest = editing.existing(snapshot, id_)
        check_match(latest.version, if_match, needed=False)
        return editing.redefined(snapshot, workspace, latest, earlier, now_ms)

    made, sequence = await trials.put(context, workspace, decide)
    await context.publisher.published(sequence)
    response.headers["ETag"] = etag(made.version)
    return await advice.warned(context, made, await described(context, workspace, made))


async def numbered(context: Context, segment: Segment, version: int) -> Segment:
    """The segment as it was in this version. Raises Problem 404."""
    return _with(segment, await _numbered(context, segment, version))


async def at(context: Context, segment: Segment, at_ms: int, profile: str | None = None) -> Segment:
    """The segment by the definition that all partitions, or that of `profile`, served at an instant, or as
    early a one as is known.

    Example: "lapsed" gets definition 2 at 10:00, and the last partition has given it its history at 10:05. At
    10:03 that of the segment is 1. Where no partition noted its switches, the instants of the edits count.
    """
    known = await _all(context, segment)
    served = await context.served.of_segment(segment.workspace, segment.id, profile)
    noted = [each.switches for each in served if each.since_ms is not None]
    if not noted:
        return _with(segment, next((each for each in known if each.since_ms <= at_ms), known[-1]))
    then = [version for each in noted if (version := _switched(each, known, at_ms)) is not None]
    newest = min(then, default=0)
    return _with(segment, next((each for each in known if each.version <= newest), known[-1]))


async def before(context: Context, segment: Segment, at_ms: int, profile: str) -> Segment | None:
    """The segment by the definition that a profile's partition served before the one of an instant; None:
    none, or that isn't kept or noted any more."""
    known = await _all(context, segment)
    for served in await context.served.of_segment(segment.workspace, segment.id, profile):
        then = [each.version for each in served.switches if each.since_ms is None or each.since_ms <= at_ms]
        former = [each for each in known if each.version in then[1:]]
        if former:
            return _with(segment, former[0])
    return None


def _switched(switches: Sequence[Switch], known: Sequence[Version], at_ms: int) -> int | None:
    """The version that a partition served at an instant; None: none yet. Before the first switch that it
    noted, the instants of the edits count."""
    for version, since_ms in ((each.version, each.since_ms) for each in switches):
        if since_ms is None:
            return next(
                (each.version for each in known if each.version <= version and each.since_ms <= at_ms), None
            )
        if since_ms <= at_ms:
            return version
    return None


async def around(
    context: Context, segment: Segment, snapshot: Snapshot, at_ms: int, profile: str | None = None
) -> Mapping[str, Segment]:
    """The segments that its definition names, themselves or through others, as of an instant: see `at`.

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
            there[id_] = await at(context, other, at_ms, profile)
            waiting.append(there[id_])
    return there


def _lost(segment: Segment, what: str) -> Problem:
    return Problem(
        409,
        f"Version {segment.definition_version} of segment {quoted(segment.id)} can't be applied any more:"
        f" it names {what}, which is not kept. Ask by the present definition: `definition=present`.",
    )


async def _numbered(context: Context, segment: Segment, version: int) -> Version:
    for each in await _all(context, segment):
        if each.version == version:
            return each
    raise Problem(404, f"Version {version} of segment {quoted(segment.id)} is not kept, or never was.")


def _shape(version: Version) -> VersionOut:
    return VersionOut(
        version=version.version,
        since=times.iso(version.since_ms),
        until=times.iso(version.until_ms) if version.until_ms else None,
        by=version.by or None,
        definition=shown(version.definition),
    )


async def _all(context: Context, segment: Segment) -> list[Version]:
    return [present(segment, 0), *await context.versions.of(segment)]


def _with(segment: Segment, version: Version) -> Segment:
    return replace(segment, definition_version=version.version, definition=version.definition)
