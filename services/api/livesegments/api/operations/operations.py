"""For operators: the lag of everything and, in mode `log`, moving the clock."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema

from livesegments.api.context import Ctx
from livesegments.api.web import times
from livesegments.api.web.auth import Operating, Watching
from livesegments.api.web.problems import Problem, responses
from livesegments.api.web.route import IdempotencyKey, Route
from livesegments.api.web.shapes import In, Instant
from livesegments.api.web.texts import fault
from livesegments.store import course

router = APIRouter(prefix="/v1", tags=["operations"], route_class=Route, responses=responses(401, 403))


INSTANT = {
    "anyOf": [
        {"type": "integer", "minimum": times.MIN_MS, "maximum": times.MAX_MS},
        {"type": "string", "format": "date-time", "maxLength": 40},
    ]
}


def _instant(value: Any) -> int:
    try:
        ms = times.parse(value) if isinstance(value, str) else value
    except (ValueError, OverflowError):
        ms = None
    if type(ms) is not int or not times.MIN_MS <= ms <= times.MAX_MS:
        raise fault("instant", "is neither an ISO 8601 instant nor milliseconds UTC")
    return ms


class PartitionLag(BaseModel):
    """`end` and `applied` are next offsets of topic `events`; `outbox`: commits not yet announced; `due`:
    profiles with a due time that the partition's clock has passed and that has not fired yet; `recounts`:
    profiles with events that are still to be taken back; `handing`: commits whose merged profiles still hand
    their history over, which becomes records of other partitions."""

    partition: int
    end: int
    applied: int
    outbox: int
    due: int
    recounts: int
    handing: int
    revision: int
    clock: Instant | None


class Lag(BaseModel):
    """`revision`: the catalogue's newest; a partition's: the one that it has adopted."""

    partitions: list[PartitionLag]
    inbound: int = Field(description="Records of topic `inbound` not yet accepted or rejected.")
    revision: int


class CoursePoint(BaseModel):
    """The most of everything that waited within one step."""

    at: Instant = Field(description="When the step began.")
    records: int = Field(description="Records of topic `events` not yet applied; one may hold many events.")
    due: int
    outbox: int
    recounts: int
    inbound: int = Field(description="Records of topic `inbound` not yet accepted or rejected.")


class Course(BaseModel):
    to: Instant = Field(description="When it was read.")
    step_s: int = Field(description="From one point to the next, in seconds.")
    points: list[CoursePoint] = Field(
        description="The oldest first; steps in which nobody looked are missing."
    )


class ClockTo(In):
    """`to` is milliseconds inside."""

    to: Annotated[Any, PlainValidator(_instant), WithJsonSchema(INSTANT)] = Field(
        examples=["2026-01-31T09:30:00Z"], description="ISO 8601, or milliseconds UTC."
    )


class ClockMoved(BaseModel):
    """The offset after the control record, by partition."""

    to: Instant
    offsets: list[int]


@router.get("/lag", dependencies=[Watching])
async def read_lag(context: Ctx) -> Lag:
    """Everything that is acknowledged is applied and announced when each `applied` has reached its `end`,
    every `outbox` is empty, every `due`, `recounts` and `handing` is 0, every `revision` is the newest, and
    `inbound` is 0. What `inbound` and `handing` hold becomes records: read the ends again once they are 0."""
    lag = await context.lags.read()
    return Lag(
        partitions=[
            PartitionLag(
                partition=number,
                end=each.end,
                applied=each.applied,
                outbox=each.outbox,
                due=each.due,
                recounts=each.recounts,
                handing=each.handing,
                revision=each.revision,
                clock=times.iso_or_none(each.clock_ms),
            )
            for number, each in enumerate(lag.partitions)
        ],
        inbound=lag.inbound.behind,
        revision=lag.revision,
    )


@router.get("/lag/course", dependencies=[Watching])
async def read_lag_course(context: Ctx) -> Course:
    """What waited over the last hour, in steps of 15 s: a storm as it built up and was worked off."""
    now_ms = context.now_ms()
    points = await context.course.read(now_ms)
    return Course(
        to=times.iso(now_ms),
        step_s=course.STEP_MS // 1_000,
        points=[
            CoursePoint(
                at=times.iso(each.at_ms), records=each.records, due=each.due, outbox=each.outbox,
                recounts=each.recounts, inbound=each.inbound,
            )
            for each in points
        ],
    )  # fmt: skip


@router.post("/clock", dependencies=[Operating], responses=responses(400, 409, 413, 415))
async def move_clock(context: Ctx, to: ClockTo, once: IdempotencyKey = None) -> ClockMoved:
    """In mode `log`: move the clock of every partition on. What is due by then fires, each at its own
    instant. A clock never goes back, and all workspaces share it: so this needs the scope `operate`."""
    if context.settings.clock != "log":
        raise Problem(409, "The clock is the wall clock here; it moves by itself.")
    return ClockMoved(to=times.iso(to.to), offsets=await context.records.clock(to.to))
