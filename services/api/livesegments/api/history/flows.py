"""How a segment's size came about: who entered and left it by day and cause; and how segments overlap."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from livesegments.api.context import Ctx
from livesegments.api.history import asof
from livesegments.api.segments.finding import found
from livesegments.api.segments.segments import Id
from livesegments.api.web import shapes, times
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import Problem, responses
from livesegments.api.web.route import Route
from livesegments.core.fault import Fault
from livesegments.history.asking import FlowFound, Flowing, Moved

MOST_DAYS = 400
MOST_SEGMENTS = 5
EPOCH = date(1970, 1, 1)

router = APIRouter(prefix="/v1", tags=["members"], route_class=Route, responses=responses(401, 403))


class ByCause(BaseModel):
    """What one cause did on a day."""

    cause: str = Field(description="`event`, `attribute`, `clock`, `definition`, `backfill` and so on.")
    entered: int = Field(description="How often profiles entered for this cause.")
    exited: int = Field(description="How often profiles left for this cause.")


class DayOut(BaseModel):
    """One day of the workspace's calendar."""

    day: date = Field(description="The date in the workspace's time zone.")
    entered: int = Field(description="How many entered; whoever did it twice counts twice.")
    exited: int = Field(description="How many exited.")
    size: int = Field(description="How many members there were at the day's end; today: so far.")
    causes: list[ByCause] = Field(description="The same by cause, in alphabetical order.")


class FlowOut(BaseModel):
    """Day by day, the oldest first, today as the last."""

    segment: str = Field(description="The id of the segment.")
    at: shapes.Instant = Field(description="The instant of asking.")
    days: list[DayOut] = Field(description="One entry for every day, the oldest first.")


class Group(BaseModel):
    """Profiles that are in all of some segments."""

    segments: list[str] = Field(description="The ids of the segments.")
    count: int = Field(description="How many profiles are in all of them; others they may be in, too.")


class OverlapOut(BaseModel):
    """Counts of now, partition by partition: while members come and go, of not quite one instant."""

    union: int = Field(description="How many profiles are in at least one of the segments.")
    groups: list[Group] = Field(description="Every group of the segments, the single ones first.")


@router.get("/segments/{id}/flow", responses=responses(404, 503))
async def read_flow(
    context: Ctx,
    workspace: Reading,
    id_: Id,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="How many days, today among them.")] = 30,
) -> FlowOut:
    """Who entered and exited by day and cause, and the size at each day's end, from all transitions that were
    announced. The size is counted back from the present one."""
    await found(context, workspace.id, id_)
    asked = Flowing(workspace.id, workspace.timezone, id_, days, asof.now(context))
    told = await asof.flow(context, asked)
    return FlowOut(segment=id_, at=times.iso(told.at_ms), days=_days(told, days))


@router.get("/overlap", responses=responses(404, 422))
async def read_overlap(
    context: Ctx,
    workspace: Reading,
    segment: Annotated[
        list[str],
        Query(min_length=2, max_length=MOST_SEGMENTS, description="Two to five ids of segments."),
    ],
) -> OverlapOut:
    """How many profiles are in both of two segments, or in all of several, for every group of them."""
    if len(set(segment)) < len(segment):
        fault = Fault("query: segment", "repeated", "names one segment twice")
        raise Problem(422, "1 fault(s) in the request.", [fault])
    for id_ in segment:
        await found(context, workspace.id, id_)
    counts = await context.members.overlap(workspace.id, segment)
    union = sum(count if len(group) % 2 else -count for group, count in counts.items())
    groups = [Group(segments=list(group), count=count) for group, count in counts.items()]
    return OverlapOut(union=max(union, 0), groups=groups)


def _days(told: FlowFound, days: int) -> list[DayOut]:
    made: list[DayOut] = []
    size = told.size
    by_day: dict[int, list[Moved]] = {}
    for move in told.moves:
        by_day.setdefault(move.day, []).append(move)
    for day in range(told.today, told.today - days, -1):
        moves = by_day.get(day, [])
        entered, exited = _sum(moves, "entered"), _sum(moves, "exited")
        causes = [
            ByCause(cause=cause, entered=_sum(moves, "entered", cause), exited=_sum(moves, "exited", cause))
            for cause in sorted({move.cause for move in moves})
        ]
        at = EPOCH + timedelta(days=day)
        made.append(DayOut(day=at, entered=entered, exited=exited, size=size, causes=causes))
        size -= entered - exited
    return made[::-1]


def _sum(moves: Iterable[Moved], kind: str, cause: str | None = None) -> int:
    return sum(move.count for move in moves if move.kind == kind and cause in (None, move.cause))
