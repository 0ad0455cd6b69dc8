"""`POST /v1/segments/{id}/plan`: what an edit of a definition would do; an edit can demand just that.

A plan is a promise: "12 enter and 3 leave, if this definition takes the place of version 4".
The client gives it back with the edit as `If-Plan-Match`. Then it is worked out again, and the edit is
refused with 412 where segment or definition is another one, or a number is off by more than the margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated

import msgspec
from fastapi import APIRouter, Body, Depends, Header, Path
from msgspec import Struct
from pydantic import BaseModel, Field

from livesegments.api.context import Context, Ctx
from livesegments.api.history import asof, preview, shortened
from livesegments.api.history.cost import has_new
from livesegments.api.segments import editing
from livesegments.api.segments.advice import Warned
from livesegments.api.web import cursor, shapes, times
from livesegments.api.web.auth import Writing
from livesegments.api.web.problems import Problem, responses
from livesegments.api.web.route import Route
from livesegments.core.definition import Node
from livesegments.core.event import Cause, Transition
from livesegments.core.fault import Fault
from livesegments.core.references import references
from livesegments.history.asking import Asked, Found
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import Segment, Workspace
from livesegments.wire.hearing import concerns, hears
from livesegments.wire.subscription import BOTH

MARGIN_SHARE, MARGIN_PROFILES = 0.01, 10
"""The promise holds while both numbers are off by no more than the greater of these."""

router = APIRouter(prefix="/v1/segments", tags=["segments"], route_class=Route, responses=responses(401, 403))
IfPlanMatch = Annotated[
    str | None,
    Header(
        alias="If-Plan-Match",
        max_length=400,
        pattern="^[A-Za-z0-9_-]*$",
        description="`plan` of an answer to `/plan`: edit only if that is still what the edit does.",
    ),
]


Id = Annotated[str, Path(alias="id", max_length=64)]


async def _know(context: Ctx, workspace: Writing, id_: Id) -> None:
    snapshot = await context.catalog.segments(workspace.id)
    shapes.known.set(editing.known(snapshot, workspace, id_))


class Promise(Struct, frozen=True, array_like=True):
    version: int
    definition: bytes
    entering: int
    leaving: int


class ToPlan(shapes.In):
    """The definition that the segment would have."""

    definition: shapes.Definition = Field(description="The condition, as an edit would set it.")
    sample: int = Field(10, ge=0, le=preview.MAX_SAMPLE, description="The most profiles of every kind.")


class Plan(BaseModel):
    """What an edit would do if it were made now. Nothing is changed by asking."""

    plan: str = Field(description="For `If-Plan-Match` of the edit that should do just this.")
    at: shapes.Instant = Field(description="The instant that it is of.")
    count: int = Field(description="How many would be members.")
    entering: int = Field(description="How many would enter.")
    leaving: int = Field(description="How many would leave.")
    sample_entering: list[preview.Sample] = Field(description="Some of those who would enter.")
    sample_leaving: list[preview.Sample] = Field(
        description="Some of those who would leave, by the conditions of the new definition."
    )
    dependents: list[str] = Field(
        description="The ids of the segments whose members may change too, as they refer to this one."
    )
    subscriptions: list[str] = Field(
        description="The ids of the subscriptions that hear who enters or leaves any of these segments, by "
        "the cause that it has: `backfill` where the definition asks about what no segment does yet, which "
        "they hear if they ask for it, else `definition`."
    )
    warnings: list[Warned] = Field(
        description="Windows that reach back beyond the history that is kept are counted short "
        "(`history_short`)."
    )


@router.post("/{id}/plan", dependencies=[Depends(_know)], responses=responses(400, 404, 413, 415, 503))
async def plan_edit(context: Ctx, workspace: Writing, id_: Id, asked: Annotated[ToPlan, Body()]) -> Plan:
    """Who would enter and who would leave if the segment had this definition, which segments follow, and
    which subscriptions hear of it."""
    snapshot = await context.catalog.segments(workspace.id)
    segment = editing.existing(snapshot, id_)
    node = asked.definition.node
    found = await _compared(context, workspace, snapshot, segment, node, asked.sample)
    promise = Promise(segment.version, _digest(node), found.entering, found.leaving)
    follow = dependents(snapshot, id_)
    contents = await context.contents.of(workspace.id, [node])
    cause: Cause = "backfill" if has_new(await context.plans.of(workspace), node, contents) else "definition"
    return Plan(
        plan=cursor.encode(promise),
        at=times.iso(found.at_ms),
        count=found.nodes[0][1],
        entering=found.entering,
        leaving=found.leaving,
        sample_entering=preview.samples(node, found, found.sample_entering),
        sample_leaving=preview.samples(node, found, found.sample_leaving),
        dependents=follow,
        subscriptions=hearing(snapshot, [id_, *follow], cause),
        warnings=await shortened.warnings(
            context, workspace, node, asof.needed(node, snapshot.segments, id_), found.at_ms,
            segment.definition,
        ),
    )  # fmt: skip


async def hold(context: Context, workspace: Workspace, id_: str, node: Node | None, plan: str) -> None:
    """Raises Problem 412 where the edit would not do any longer what was planned."""
    promise = cursor.decode(plan, Promise)
    snapshot = await context.catalog.segments(workspace.id)
    segment = editing.existing(snapshot, id_)
    if node is None or promise.definition != _digest(node):
        raise Problem(412, "The plan is of another definition: plan this edit, then repeat it.")
    if promise.version != segment.version:
        raise Problem(412, "The segment was edited since the plan was made: plan again.")
    found = await _compared(context, workspace, snapshot, segment, node, 0)
    for promised, now, what in (
        (promise.entering, found.entering, "enter"),
        (promise.leaving, found.leaving, "leave"),
    ):
        if abs(now - promised) > max(MARGIN_PROFILES, MARGIN_SHARE * promised):
            raise Problem(412, f"Planned was that {promised} {what}; now {now} would: plan again.")


def hearing(snapshot: Snapshot, segments: Sequence[str], cause: Cause) -> list[str]:
    """The subscriptions that hear of some transition of the segments, sorted."""
    found, all_ = [], set(segments)
    for rule in snapshot.subscriptions.values():
        one = next(iter(all_.intersection(rule.segments) if rule.segments else all_), None)
        if one is None or rule.paused:
            continue
        moves = [Transition("", rule.workspace, one, "", kind, 0, 0, cause, None, 0) for kind in BOTH]
        if any(concerns(rule, move) and hears(rule, move) for move in moves):
            found.append(rule.id)
    return sorted(found)


def dependents(snapshot: Snapshot, id_: str) -> list[str]:
    """All that refer to a segment, themselves or through others, sorted."""
    users: dict[str, set[str]] = {}
    for each in snapshot.segments.values():
        if each.definition is not None:
            found = references(each.definition)
            for used in snapshot.segments.keys() - {each.id} if found.all_others else found.ids:
                users.setdefault(used, set()).add(each.id)
    reached: set[str] = set()
    waiting = [id_]
    while waiting:
        new = users.get(waiting.pop(), set()) - reached
        reached |= new
        waiting += new
    return sorted(reached - {id_})


async def _compared(
    context: Context, workspace: Workspace, snapshot: Snapshot, segment: Segment, node: Node, sample: int
) -> Found:
    if segment.definition is None:
        fault = Fault(pointer="/definition", code="static", message="a static segment has no definition")
        raise Problem(422, "1 fault(s) in the request.", [fault])
    needed = asof.needed(segment.definition, snapshot.segments, segment.id)
    asked = Asked(
        workspace=workspace.id,
        timezone=workspace.timezone,
        now_ms=asof.now(context),
        definition=node,
        segments=needed | asof.needed(node, snapshot.segments, segment.id),
        segment=segment.id,
        before=segment.definition,
        sample=sample,
    )
    return await asof.ask(context, asked)


def _digest(node: Node) -> bytes:
    return sha256(msgspec.json.encode(node)).digest()[:16]
