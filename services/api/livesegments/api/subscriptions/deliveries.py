"""What became of a subscription's messages: attempts, dead letters; and ranges that are sent again."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Body

from livesegments.api.context import Context, Ctx
from livesegments.api.members.transitions import shown
from livesegments.api.subscriptions import edits, shapes
from livesegments.api.subscriptions.subscriptions import Id, change
from livesegments.api.web import times
from livesegments.api.web.auth import Reading, Writing
from livesegments.api.web.problems import Problem, responses
from livesegments.api.web.route import Route
from livesegments.core.fault import Fault
from livesegments.runtime.reader import Reader
from livesegments.store.actor import means
from livesegments.wire.attempt import Attempt, Dead
from livesegments.wire.topics import MEMBERSHIPS

MOST = 200

router = APIRouter(
    prefix="/v1/subscriptions/{id}",
    tags=["subscriptions"],
    route_class=Route,
    responses=responses(401, 403, 404),
)


@router.get("/attempts")
async def list_attempts(context: Ctx, workspace: Reading, id_: Id) -> shapes.Attempts:
    """The newest 200 attempts to deliver messages."""
    entry = edits.existing(await context.catalog.segments(workspace.id), id_)
    data = await context.lanes.tries(context.settings.partitions, workspace.id, entry.id)
    found = sorted((msgspec.json.decode(each, type=Attempt) for each in data), key=lambda each: -each.at_ms)
    return shapes.Attempts(
        attempts=[
            shapes.AttemptOut(
                id=each.id, at=times.iso(each.at_ms), ms=each.ms, status=each.status, error=each.error
            )
            for each in found[:MOST]
        ]
    )


@router.get("/dead-letters", response_model_exclude_unset=True)
async def list_dead_letters(context: Ctx, workspace: Reading, id_: Id) -> shapes.DeadLetters:
    """The newest 200 messages that were given up. A replay sends them again."""
    entry = edits.existing(await context.catalog.segments(workspace.id), id_)
    data = await context.lanes.dead(context.settings.partitions, workspace.id, entry.id)
    found = sorted((msgspec.json.decode(each, type=Dead) for each in data), key=lambda each: -each.at_ms)
    return shapes.DeadLetters(
        dead_letters=[
            shapes.DeadOut(
                id=each.id,
                at=times.iso(each.at_ms),
                attempts=each.attempts,
                status=each.status,
                error=each.error,
                transitions=[shapes.TransitionOut(**shown(one)) for one in each.transitions],
            )
            for each in found[:MOST]
        ]
    )


@router.post("/replays", status_code=202, responses=responses(400, 409, 413, 415))
async def replay(
    context: Ctx, workspace: Writing, id_: Id, new: Annotated[shapes.NewReplay, Body()]
) -> shapes.ReplayOut:
    """Send again what was announced in a range of time, beside what is new, under the same ids; without
    dwell and cool-down."""
    if new.from_ >= new.to:
        raise Problem(422, "1 fault(s) in the request.", [Fault("/to", "empty", "must be later than `from`")])
    edits.existing(await context.catalog.segments(workspace.id), id_)
    first, end = await _range(context, new.from_, new.to)
    now_ms = context.now_ms()
    means("replay")
    entry = await change(
        context, workspace.id, lambda snapshot: edits.replayed(snapshot, id_, first, end, now_ms)
    )
    assert entry.replay is not None
    records = sum(last - at for at, last in zip(first, end, strict=True))
    return shapes.ReplayOut(number=entry.replay.number, records=records)


async def _range(context: Context, from_ms: int, to_ms: int) -> tuple[list[int], list[int]]:
    """Of each partition the offsets. Raises KafkaError."""
    reader = Reader(context.settings.kafka, MEMBERSHIPS, context.settings.partitions)
    try:
        await reader.start("end")
        first, end = await reader.at_instant(max(from_ms, 0)), await reader.at_instant(max(to_ms, 0))
        return [first[each] for each in sorted(first)], [end[each] for each in sorted(end)]
    finally:
        await reader.close()
