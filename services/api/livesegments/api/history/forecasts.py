"""How many members a segment will lose, and gain, by the clock alone."""

from __future__ import annotations

import asyncio
from random import Random

from fastapi import APIRouter
from pydantic import BaseModel, Field

from livesegments.api.context import Context, Ctx
from livesegments.api.segments.finding import found
from livesegments.api.segments.segments import Id
from livesegments.api.web import shapes, times
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import Problem, quoted, responses
from livesegments.api.web.route import Route
from livesegments.core.forecast import Tally, foresee, projected

router = APIRouter(
    prefix="/v1/segments/{id}/forecast", tags=["members"], route_class=Route, responses=responses(401, 403)
)

DAY_MS = 86_400_000
WITHIN = {"24h": DAY_MS, "7d": 7 * DAY_MS, "30d": 30 * DAY_MS}
EXACT_BELOW = 20_000
"""Profiles with a due time in the next 30 days that are looked at; of more, this many are drawn at random."""
CHUNK = 250
"""Profiles that are looked at in a row: the event loop goes on in between."""


class Ahead(BaseModel):
    """What happens within a time if nothing but the clock moves. In 19 of 20 cases the true number is no
    further off than its margin, which is 0 where every profile was looked at."""

    within: str = Field(description="How far ahead: `24h`, `7d` or `30d`.")
    until: shapes.Instant = Field(description="The instant at its end.")
    leave: int = Field(description="How many of the present members leave.")
    leave_margin: int = Field(description="How far `leave` may be off.")
    enter: int = Field(description="How many others enter.")
    enter_margin: int = Field(description="How far `enter` may be off.")


class ForecastOut(BaseModel):
    """From the stored states, under the definition that is served."""

    segment: str = Field(description="The id of the segment.")
    at: shapes.Instant = Field(description="The instant from which it looks ahead.")
    looked_at: int = Field(description="How many profiles were looked at.")
    of: int = Field(description="How many profiles the clock may change in that time at all.")
    ahead: list[Ahead] = Field(description="The three times ahead, the shortest first.")


@router.get("", responses=responses(404, 409))
async def read_forecast(context: Ctx, workspace: Reading, id_: Id) -> ForecastOut:
    """How many members leave, and how many others enter, within 24 hours, 7 days and 30 days if nothing
    happens: windows close, carts are given up, birthdays come. Exact up to 20,000 profiles that the clock may
    change in that time; of more, 20,000 are drawn at random and a margin is stated."""
    await found(context, workspace.id, id_)
    now_ms = context.now_ms()
    if context.settings.clock == "log":
        now_ms = await context.profiles.newest_clock() or 0
    instants = [now_ms + ahead for ahead in WITHIN.values()]
    async with context.forecasting:
        drawn, total = await _drawn(context, workspace.id, instants[-1])
        tally = Tally([0] * len(instants), [0] * len(instants))
        for partition, profiles in drawn.items():
            for start in range(0, len(profiles), CHUNK):
                share = profiles[start : start + CHUNK]
                plan, _, states = await context.served.several(partition, workspace.id, share)
                if id_ not in plan.positions:
                    raise Problem(
                        409, f"Segment {quoted(id_)} is still being built; its `progress` says how far it is."
                    )
                tally.add(await asyncio.to_thread(foresee, plan, states, id_, instants))
    return ForecastOut(
        segment=id_,
        at=times.iso(now_ms),
        looked_at=tally.looked_at,
        of=total,
        ahead=[_ahead(within, instants[at], tally, at, total) for at, within in enumerate(WITHIN)],
    )


def _ahead(within: str, until_ms: int, tally: Tally, at: int, total: int) -> Ahead:
    leave, leave_margin = projected(tally.leave[at], tally.looked_at, total)
    enter, enter_margin = projected(tally.enter[at], tally.looked_at, total)
    return Ahead(
        within=within,
        until=times.iso(until_ms),
        leave=leave,
        leave_margin=leave_margin,
        enter=enter,
        enter_margin=enter_margin,
    )


async def _drawn(context: Context, workspace: str, until_ms: int) -> tuple[dict[int, list[str]], int]:
    """By partition, the profiles to be looked at; and how many there are to draw from.

    Every profile has the same chance to be among them (a reservoir), whatever their number.
    """
    chance, kept, total = Random(workspace), list[tuple[int, str]](), 0
    for partition in range(context.settings.partitions):
        async for page in context.served.due(partition, workspace, until_ms):
            for profile in page:
                total += 1
                if len(kept) < EXACT_BELOW:
                    kept.append((partition, profile))
                elif (place := chance.randrange(total)) < EXACT_BELOW:
                    kept[place] = partition, profile
    drawn: dict[int, list[str]] = {}
    for partition, profile in dict.fromkeys(kept):
        drawn.setdefault(partition, []).append(profile)
    return drawn, total
