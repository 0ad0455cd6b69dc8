"""For operators: the lag of everything and, in mode `log`, moving the clock."""

from __future__ import annotations

from fastapi import APIRouter

from livesegments.api import shapes, times
from livesegments.api.auth import Operating, Watching
from livesegments.api.context import Ctx
from livesegments.api.problems import Problem, responses
from livesegments.api.route import IdempotencyKey, Route

router = APIRouter(prefix="/v1", tags=["operations"], route_class=Route, responses=responses(401, 403))


@router.get("/lag", dependencies=[Watching])
async def read_lag(context: Ctx) -> shapes.Lag:
    """Everything that is acknowledged is applied and announced when each `applied` has reached its `end`,
    every `outbox` is empty, every `due` and `recounts` is 0, every `revision` is the newest, and `inbound`
    is 0."""
    lag = await context.lags.read()
    return shapes.Lag(
        partitions=[
            shapes.PartitionLag(
                partition=number,
                end=each.end,
                applied=each.applied,
                outbox=each.outbox,
                due=each.due,
                recounts=each.recounts,
                revision=each.revision,
                clock=times.iso_or_none(each.clock_ms),
            )
            for number, each in enumerate(lag.partitions)
        ],
        inbound=lag.inbound,
        revision=lag.revision,
    )


@router.post("/clock", dependencies=[Operating], responses=responses(400, 409, 413, 415))
async def move_clock(context: Ctx, to: shapes.ClockTo, once: IdempotencyKey = None) -> shapes.ClockMoved:
    """In mode `log`: move the clock of every partition on. What is due by then fires, each at its own
    instant. A clock never goes back, and all workspaces share it: so this needs the scope `operate`."""
    if context.settings.clock != "log":
        raise Problem(409, "The clock is the wall clock here; it moves by itself.")
    return shapes.ClockMoved(to=times.iso(to.to), offsets=await context.records.clock(to.to))
