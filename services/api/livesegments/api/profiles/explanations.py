"""Why a profile is in a segment or not, what would change it, and when the clock will."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from livesegments.api.context import Context, Ctx
from livesegments.api.history import asof
from livesegments.api.members.members import ProfilePath
from livesegments.api.members.served import Deciding
from livesegments.api.profiles import behind
from livesegments.api.segments.finding import found_for
from livesegments.api.segments.segments import Id
from livesegments.api.web import shapes, times
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import Problem, quoted, responses
from livesegments.api.web.route import Route
from livesegments.core.explanation import Explained, explain
from livesegments.core.profile import encode
from livesegments.core.value_list import shown
from livesegments.core.whatif import Change
from livesegments.history.asking import Seen, Was
from livesegments.wire.catalog import Workspace

ATTEMPTS = 3
"""At most this many times state and history are read, because something came in between."""
router = APIRouter(
    prefix="/v1/segments/{id}/explanations",
    tags=["members"],
    route_class=Route,
    responses=responses(401, 403),
)


class EvidenceOut(BaseModel):
    """What a condition was decided by."""

    value: Any = Field(
        description="The attribute's value, the measure's amount, the consent's state; else whether it is so."
    )
    or_more: bool = Field(description="No more are kept than conditions ask about: there may be more.")
    at: shapes.Instant | None = Field(
        description="When it came: the attribute, the tag, the occurrence, the first step of the sequence."
    )
    event_id: str | None = Field(description="The id of the event that brought it.")
    steps: int | None = Field(description="How many steps of the sequence have come, in order and in time.")
    same: Any = Field(
        description="Of steps that share a value: the one by which the sequence holds, or that came last."
    )
    moves_at: shapes.Instant | None = Field(description="When the clock alone may change it next.")
    events: list[behind.EventBehind] = Field(
        description="The events that it counts, the newest first; as many as `events` asks for."
    )


class NodeOut(BaseModel):
    """A node of the definition. A condition has `condition` and `evidence`; `all`, `any`, `not` have `of`."""

    pointer: str = Field(description="Where it stands: a JSON pointer into the definition.")
    type: str = Field(description="The kind of node; `list` of a static segment.")
    holds: bool = Field(description="Whether it is true of the profile.")
    condition: Annotated[Any, WithJsonSchema({"anyOf": [shapes.CONDITION, {"type": "null"}]})] = Field(
        description="The condition as it was written."
    )
    evidence: EvidenceOut | None = Field(description="What it was decided by.")
    of: list[NodeOut]


class ChangeOut(BaseModel):
    """The smallest single change that would flip the membership."""

    type: Literal["event", "attribute", "tag", "consent", "list"] = Field(
        description="What would have to change: an event comes, or a part of the profile is written."
    )
    name: str = Field(description="The event's, attribute's or tag's name, or the static segment's id.")
    count: int = Field(description="How many events.")
    properties: dict[str, Any] = Field(description="What makes an event count; others of its kind do, too.")
    varying: str | None = Field(description="The property of which every event has another value.")
    value: Any = Field(description="The new value; null removes it. Of a tag or list: whether it is on it.")
    channel: str | None
    topic: str | None
    before: shapes.Instant | None = Field(
        description="It would flip it if it came before then; null: whenever it comes."
    )


class ExplanationOut(BaseModel):
    """Why, from the state and the definition that decided."""

    model_config = ConfigDict(populate_by_name=True)

    segment: str = Field(description="The id of the segment.")
    profile: str
    is_in: bool = Field(alias="in")
    entered_at: shapes.Instant | None
    at: shapes.Instant = Field(description="The instant for which this is said.")
    version: int = Field(description="The version of the definition that is served.")
    judged: bool = Field(
        description="False: the profile is yet to be evaluated under this version; `why` is what follows."
    )
    why: NodeOut = Field(description="The definition, node by node.")
    change: ChangeOut | None = Field(description="Null: no single change would flip it.")
    flips_at: shapes.Instant | None = Field(
        description="When the clock alone will flip it; null: never, as things are."
    )


@router.get("/{profile:path}", responses=responses(404, 409, 503))
async def explain_membership(
    context: Ctx, workspace: Reading, id_: Id, profile: ProfilePath, events: behind.Events = 0
) -> ExplanationOut:
    """Why a profile is in a segment or not: every node of the definition with the values that decided it,
    the smallest change that would flip it, and the instant at which the clock alone will. With `events`, the
    events behind a count, a sum, an occurrence or a sequence are read from history."""
    segment = await found_for(context, workspace.id, id_, profile)
    if segment.archived_ms:
        raise Problem(409, f"Segment {quoted(id_)} is archived: nobody is in it.")
    deciding, seen = await _of_one_moment(context, workspace, id_, profile, events)
    said = await asyncio.to_thread(explain, deciding.plan, profile, deciding.profile, id_, deciding.now_ms)
    is_in = id_ in deciding.was_in
    return ExplanationOut(
        segment=id_,
        profile=profile,
        is_in=is_in,
        entered_at=times.iso_or_none(said.entered_ms) if is_in == said.is_in else None,
        at=times.iso(said.at_ms),
        version=said.version,
        judged=deciding.judged,
        why=_node(said.root, seen),
        change=None if said.change is None else _change(said.change, said.until_ms),
        flips_at=times.iso_or_none(said.flips_ms),
    )


async def _of_one_moment(
    context: Context, workspace: Workspace, id_: str, profile: str, events: int
) -> tuple[Deciding, dict[str, Seen]]:
    """What decided, and what history says of it: nothing came in for the profile between the two, for its
    state is the same before history is read and after."""
    for _ in range(ATTEMPTS):
        deciding = await _deciding(context, workspace, profile)
        if id_ not in deciding.plan.positions:
            detail = f"Segment {quoted(id_)} is still being built; its `progress` says how far it is."
            raise Problem(409, detail)
        if not events:
            return deciding, {}
        state = encode(deciding.profile)
        seen = await _behind(context, workspace, id_, profile, deciding, events)
        then = await _deciding(context, workspace, profile)
        if then.plan.revision == deciding.plan.revision and encode(then.profile) == state:
            return deciding, seen
    detail = f"Profile {quoted(profile)} has changed each time while its history was read. Try again."
    raise Problem(503, detail, headers={"Retry-After": "1"})


async def _deciding(context: Context, workspace: Workspace, profile: str) -> Deciding:
    wall_ms = context.now_ms() if context.settings.clock == "wall" else None
    return await context.served.deciding(workspace.id, profile, wall_ms)


async def _behind(
    context: Context, workspace: Workspace, id_: str, profile: str, deciding: Deciding, events: int
) -> dict[str, Seen]:
    """By pointer, what history says of the definition that decided."""
    snapshot = await context.catalog.segments(workspace.id)
    definition = deciding.plan.segments[id_].definition
    asked = Was(
        workspace=workspace.id,
        timezone=deciding.plan.timezone,
        profile=profile,
        segment=id_,
        now_ms=deciding.now_ms,
        definition=definition,
        segments=asof.needed(definition, snapshot.segments, id_),
        events=events,
    )
    return {each.pointer: each for each in (await asof.was(context, asked)).nodes}


def _node(node: Explained, seen: Mapping[str, Seen]) -> NodeOut:
    evidence = node.evidence
    return NodeOut(
        pointer=node.pointer,
        type=node.type,
        holds=node.holds,
        condition=shown(node.condition),
        evidence=None
        if evidence is None
        else EvidenceOut(
            value=evidence.value,
            or_more=evidence.or_more,
            at=times.iso_or_none(evidence.at_ms),
            event_id=evidence.event_id,
            steps=evidence.steps,
            same=evidence.same,
            moves_at=times.iso_or_none(evidence.moves_ms),
            events=behind.events(seen[node.pointer]) if node.pointer in seen else [],
        ),
        of=[_node(child, seen) for child in node.of],
    )


def _change(change: Change, until_ms: int | None) -> ChangeOut:
    return ChangeOut(**msgspec.structs.asdict(change), before=times.iso_or_none(until_ms))
