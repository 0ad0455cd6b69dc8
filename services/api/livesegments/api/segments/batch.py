"""`POST /v1/segments:batch`: many segments at once, all of them or none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Body
from pydantic import BaseModel, Field

from livesegments.api.context import Ctx
from livesegments.api.segments import advice, checking
from livesegments.api.segments.vacating import vacated
from livesegments.api.web import shapes
from livesegments.api.web.auth import Writing
from livesegments.api.web.problems import Problem, responses
from livesegments.api.web.route import IdempotencyKey, Route
from livesegments.core.fault import Fault
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import Segment

MAX_BATCH = 10_000
MAX_BATCH_BYTES = 16 * 1024 * 1024
MAX_SHOWN = 1_000
"""Faults that one answer names at most."""


class LargeRoute(Route):
    most_bytes = MAX_BATCH_BYTES


router = APIRouter(
    prefix="/v1/segments", tags=["segments"], route_class=LargeRoute, responses=responses(401, 403)
)


class Batch(shapes.In):
    """Segments as `POST /v1/segments` takes them, in the order in which they are created."""

    segments: list[Any] = Field(
        min_length=1,
        max_length=MAX_BATCH,
        description="Bodies of `POST /v1/segments`; one may refer to those before it.",
    )
    upsert: bool = Field(False, description="A segment whose id is there already is edited.")


class Made(BaseModel):
    """What became of one of the segments."""

    id: str
    name: str
    version: int = Field(description="Counts every edit of the segment.")
    definition_version: int = Field(description="Counts the edits of its definition; transitions carry it.")
    action: Literal["create", "edit", "none"] = Field(
        description="`none`: the segment was there already, just as it was given."
    )
    warnings: list[advice.Warned] = Field(description="What may be meant otherwise.")


class MadeAll(BaseModel):
    """In the order of the request."""

    segments: list[Made]


@router.post(":batch", responses=responses(400, 404, 409, 413, 415))
async def create_segments(
    context: Ctx, workspace: Writing, asked: Annotated[Batch, Body()], once: IdempotencyKey = None
) -> MadeAll:
    """Make up to 10,000 segments at once, all of them or none: every fault of every segment is answered.

    A request may have 16 MiB here. When this is answered, the segments are in Redis and in topic
    `definitions`; the evaluators take them up within seconds."""
    now_ms = context.now_ms()
    seen = await advice.names(context, workspace.id)
    results: list[tuple[checking.Checked, Segment | None]] = []
    decided = ""

    async def decide(snapshot: Snapshot) -> Sequence[Segment]:
        nonlocal results, decided
        if decided != snapshot.revision:
            results = await asyncio.to_thread(
                checking.checked, snapshot, workspace, asked.segments, asked.upsert, seen, now_ms
            )
            await checking.tried(context, workspace, snapshot, results)
            decided = snapshot.revision
        _refuse([result for result, _ in results])
        return [made for result, made in results if made is not None and result.action != "none"]

    ids = [one["id"] for one in asked.segments if isinstance(one, dict) and isinstance(one.get("id"), str)]
    await vacated(context, workspace.id, ids)
    # once before it is our turn: others go on meanwhile
    await decide(await context.catalog.segments(workspace.id))
    sequence = await context.catalog.put_segments(workspace.id, decide)
    await context.publisher.published(sequence)
    return MadeAll(
        segments=[
            Made(
                id=made.id,
                name=made.name,
                version=made.version - (result.action == "none"),
                definition_version=made.definition_version,
                action=result.action,
                warnings=result.warnings,
            )
            for result, made in results
            if made is not None
        ]
    )


def _refuse(results: list[checking.Checked]) -> None:
    """Raises Problem 422 where any has a fault."""
    faults: list[Fault] = [
        msgspec.structs.replace(fault, pointer=f"/segments/{number}{fault.pointer}")
        for number, result in enumerate(results)
        for fault in result.errors
    ]
    if faults:
        shown = f" (the first {MAX_SHOWN} are shown)" if len(faults) > MAX_SHOWN else ""
        told = f"{len(faults)} fault(s) in the request{shown}; nothing was created."
        raise Problem(422, told, faults[:MAX_SHOWN])
