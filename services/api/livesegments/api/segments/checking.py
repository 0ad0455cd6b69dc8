"""`POST /v1/segments/check`: the answer that creating segments would have, without creating any."""

from __future__ import annotations

import asyncio
from collections import ChainMap
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Body
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from livesegments.api.context import Context, Ctx
from livesegments.api.segments import advice, editing, trials
from livesegments.api.segments.shapes import NewDynamic, NewSegment, NewStatic, SegmentPatch
from livesegments.api.web import shapes
from livesegments.api.web.auth import Writing
from livesegments.api.web.problems import FaultOut, Problem, faults_of, responses
from livesegments.api.web.route import Route
from livesegments.core.fault import Fault
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import Segment, Workspace

MAX_CHECKED = 1_000

router = APIRouter(prefix="/v1/segments", tags=["segments"], route_class=Route, responses=responses(401, 403))
_new: TypeAdapter[NewDynamic | NewStatic] = TypeAdapter(NewSegment)


class ToCheck(shapes.In):
    """Segments as `POST /v1/segments` takes them, in the order in which they would be created."""

    segments: list[Any] = Field(
        min_length=1,
        max_length=MAX_CHECKED,
        description="Bodies of `POST /v1/segments`; one may refer to those before it.",
    )
    upsert: bool = Field(False, description="A segment whose id is there already would be edited.")


class Checked(BaseModel):
    """What creating one of the segments would come to."""

    id: str | None = Field(description="The id that was given; null where the api would choose one.")
    warnings: list[advice.Warned] = Field([], description="As creating or editing it would answer.")
    action: Literal["create", "edit", "none"] = Field(
        description="`none`: the segment is there already, just as it was given."
    )
    errors: list[FaultOut] = Field(description="Every fault; with none it would be created or edited.")


class CheckedAll(BaseModel):
    """In the order of the request."""

    results: list[Checked] = Field(description="One for every segment of the request.")


@router.post("/check", responses=responses(400, 404, 413, 415))
async def check_segments(context: Ctx, workspace: Writing, asked: Annotated[ToCheck, Body()]) -> CheckedAll:
    """Check segments as if they were created one after the other; nothing is created or changed."""
    snapshot = await context.catalog.segments(workspace.id)
    seen = await advice.names(context, workspace.id)
    found = await asyncio.to_thread(checked, snapshot, workspace, asked.segments, asked.upsert, seen, 0)
    await tried(context, workspace, snapshot, found)
    return CheckedAll(results=[result for result, _ in found])


async def tried(
    context: Context,
    workspace: Workspace,
    snapshot: Snapshot,
    results: Sequence[tuple[Checked, Segment | None]],
) -> None:
    """Adds the tests that fail to the errors, their own and those of segments that depend on them: each is
    run on the segments as all of them would be."""
    made = {each.id: each for _, each in results if each is not None}
    segments = ChainMap(made, snapshot.segments)
    dependents: dict[str, list[Fault]] = {}
    for id_, fault in await trials.of_dependents(context, workspace, snapshot, made):
        dependents.setdefault(id_, []).append(fault)
    for result, segment in results:
        if segment is not None:
            faults = await trials.failures(context, workspace, snapshot, segments, segment)
            result.errors = [*result.errors, *faults, *dependents.get(segment.id, ())]


def checked(
    snapshot: Snapshot, workspace: Workspace, bodies: list[Any], upsert: bool, seen: advice.Seen, now_ms: int
) -> list[tuple[Checked, Segment | None]]:
    """The results, and the segments as they would be; None where a segment has faults.

    Those without a fault are taken for created when the following ones are checked.
    """
    growing = snapshot.draft(snapshot.revision)
    results = []
    for body in bodies:
        given = body.get("id") if isinstance(body, dict) else None
        id_ = given if isinstance(given, str) else None
        shapes.known.set(editing.known(growing, workspace, id_))
        old = growing.segments.get(id_) if upsert and id_ is not None else None
        result, made = _one(growing, workspace, body, old, id_, now_ms)
        results.append((result, made))
        if made is not None:
            growing.put(made)
            result.warnings = advice.warnings(made.definition, seen)
    return results


def _one(
    snapshot: Snapshot, workspace: Workspace, body: Any, old: Segment | None, id_: str | None, now_ms: int
) -> tuple[Checked, Segment | None]:
    """The result, and the segment as it would be; None where it has faults."""
    action: Literal["create", "edit", "none"] = "create" if old is None else "edit"
    try:
        new = _new.validate_python(body)
        if old is None:
            made = editing.new_segment(snapshot, workspace, new, now_ms)
            return Checked(id=id_, action=action, errors=[]), made
        if (old.definition is None) != isinstance(new, NewStatic):
            told = "the segment that is there is of the other type, and a segment's type never changes"
            fault = Fault(pointer="/type", code="conflict", message=told)
            return Checked(id=id_, action=action, errors=[fault]), None
        fields = {name: body[name] for name in SegmentPatch.model_fields if name in body}
        if isinstance(new, NewStatic):
            fields.pop("definition", None)
        patch = SegmentPatch.model_validate(fields)
        made = editing.patched(snapshot, workspace, old.id, patch, "*", now_ms)
    except ValidationError as error:
        faults = faults_of([{**each, "loc": ("body", *each["loc"])} for each in error.errors()], body)
        return Checked(id=id_, action=action, errors=faults), None
    except Problem as problem:
        message = str(problem.detail)
        faults = list(problem.errors) or [Fault(pointer="", code="conflict", message=message)]
        return Checked(id=id_, action=action, errors=faults), None
    return Checked(id=id_, action="none" if _same(old, made) else "edit", errors=[]), made


def _same(old: Segment, made: Segment) -> bool:
    return msgspec.structs.replace(made, version=old.version, updated_ms=old.updated_ms) == old
