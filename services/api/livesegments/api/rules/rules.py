"""`/v1/segment-rules`: a segment for every value of an attribute, and for every value that comes.

Example: the rule of `city` made segments for Kyiv and Lviv. It has a segment of its own, `city: others`, with
whoever has another value (module `rest`). When ann moves to Odesa she enters that, and moments later
there is `city: Odesa`, with her in it (module `keeping`).
"""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Body, Path, Query
from pydantic import BaseModel, Field

from livesegments.api.context import Context, Ctx
from livesegments.api.rules import of_values
from livesegments.api.rules.rest import has_room, known, named, rest
from livesegments.api.segments import editing, using
from livesegments.api.segments.by_attribute import MOST, ByAttribute, counted
from livesegments.api.segments.shapes import NewDynamic
from livesegments.api.segments.vacating import vacated
from livesegments.api.web import shapes, times
from livesegments.api.web.auth import Reading, Writing
from livesegments.api.web.problems import Problem, not_found, responses
from livesegments.api.web.route import IdempotencyKey, Route
from livesegments.api.web.texts import SegmentId
from livesegments.core.definition import Node
from livesegments.core.fault import Fault
from livesegments.core.value_list import shown
from livesegments.store import versions
from livesegments.store.changes import Put
from livesegments.store.places import gone, put
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import Rule, Segment, Workspace

MOST_RULES = 20
"""Of a workspace."""
State = Literal["running", "paused", "full", "no_room"]

router = APIRouter(
    prefix="/v1/segment-rules", tags=["segment rules"], route_class=Route, responses=responses(401, 403)
)
Id = Annotated[str, Path(alias="id", max_length=64)]
Most = Annotated[int, Field(ge=1, le=MOST)]
MOST_SAID = "It makes segments of at most so many values."


class NewRule(ByAttribute):
    """Of which attribute, and what its segments have."""

    id: SegmentId | None = Field(None, description="Of the rule and of its segment; else one is made.")
    most: Most = Field(MOST, description=MOST_SAID)


class RulePatch(shapes.In):
    """What isn't named stays."""

    paused: bool | None = Field(None, description="A paused rule makes no segments.")
    most: Most | None = Field(None, description=MOST_SAID)


class RuleOut(BaseModel):
    """A rule as it is now."""

    id: str = Field(description="Its id, and that of its own segment: who has a value without a segment.")
    attribute: str = Field(description="The name of the attribute.")
    name: str = Field(description="What the segments that it makes are called.")
    most: int = Field(description=MOST_SAID)
    state: State = Field(
        description="`full`: it knows as many values as it may, or as a definition has room for; `no_room`: "
        "the workspace has its quota of segments. It goes on by itself once there is room."
    )
    values: int = Field(description="How many values it knows; those whose segments were deleted, too.")
    segments: int = Field(description="How many segments it has made that are there.")
    without: int = Field(description="How many profiles have a value without a segment now.")
    created_at: shapes.Instant


class RulesOut(BaseModel):
    """The rules of the workspace, the oldest first."""

    rules: list[RuleOut] = Field(max_length=MOST_RULES, description="All that there are.")


@router.post("", status_code=201, responses=responses(400, 404, 409, 413, 415, 503))
async def create_rule(
    context: Ctx, workspace: Writing, asked: Annotated[NewRule, Body()], once: IdempotencyKey = None
) -> RuleOut:
    """Make a segment for every value of an attribute that has none, and from now on for every value that
    comes. At most 1,000 values, of texts, numbers, true and false; the rule has a segment of its own, with
    whoever has a value without a segment."""
    found = await counted(context, workspace, asked)
    values = [value for value, _ in found.values if named(msgspec.json.decode(value))]
    node = rest(asked.attribute, [msgspec.json.decode(value) for value in values])
    if len(values) > asked.most or not has_room(node):
        told = f"has {len(values):,} values, more than the rule may have: take an attribute with fewer"
        raise Problem(422, "1 fault(s) in the request.", [Fault("/attribute", "too_many_values", told)])
    if asked.id is not None:
        await vacated(context, workspace.id, [asked.id])
    id_, now_ms = asked.id or f"rule_{token_hex(6)}", context.now_ms()
    own: list[Segment] = []

    async def decide(snapshot: Snapshot) -> Sequence[Segment]:
        own[:] = [_new(snapshot, workspace, asked, id_, node, now_ms)]
        growing = snapshot.draft(snapshot.revision)
        growing.put(own[0])
        made = of_values.made(growing, workspace, asked, values, now_ms, own[0].id)
        return [own[0], *(segment for segment, _ in made)]

    await context.kept.add(workspace.id, id_, now_ms)
    sequence = await context.catalog.put_segments(workspace.id, decide)
    await context.publisher.published(sequence)
    return await _out(context, workspace, own[0])


@router.get("")
async def list_rules(context: Ctx, workspace: Reading) -> RulesOut:
    """All rules of the workspace."""
    snapshot = await context.catalog.segments(workspace.id)
    ours = sorted(_rules(snapshot), key=lambda each: (each.created_ms, each.id))
    return RulesOut(rules=[await _out(context, workspace, each) for each in ours])


@router.get("/{id}", responses=responses(404))
async def read_rule(context: Ctx, workspace: Reading, id_: Id) -> RuleOut:
    """One rule."""
    snapshot = await context.catalog.segments(workspace.id)
    return await _out(context, workspace, _existing(snapshot, id_))


@router.patch("/{id}", responses=responses(400, 404, 413, 415))
async def edit_rule(
    context: Ctx, workspace: Writing, id_: Id, patch: Annotated[RulePatch, Body()]
) -> RuleOut:
    """Pause a rule, let it go on, or say how many values it may know."""
    now_ms = context.now_ms()

    def decide(snapshot: Snapshot) -> tuple[Literal["put"], Segment]:
        old = _existing(snapshot, id_)
        assert old.rule is not None
        rule = msgspec.structs.replace(
            old.rule,
            paused=old.rule.paused if patch.paused is None else patch.paused,
            most=patch.most or old.rule.most,
        )
        return "put", msgspec.structs.replace(
            old, rule=rule, version=old.version + 1, updated_ms=max(now_ms, old.updated_ms)
        )

    segment, sequence = await context.catalog.change_segment(workspace.id, decide)
    await context.publisher.published(sequence)
    return await _out(context, workspace, segment)


@router.delete("/{id}", status_code=204, responses=responses(404, 409))
async def delete_rule(
    context: Ctx,
    workspace: Writing,
    id_: Id,
    segments: Annotated[bool, Query(description="Delete the segments that it made, too.")] = False,
) -> None:
    """Delete a rule with its own segment; the segments that it made stay, or go with it. Refused while
    others need one of those that go."""
    now_ms = context.now_ms()

    async def decide(snapshot: Snapshot) -> Sequence[Put]:
        own = _existing(snapshot, id_)
        made = [each for each in snapshot.segments.values() if each.made_by == id_]
        going = [own, *(made if segments else ())]
        _unused(snapshot, going)
        left = [] if segments else made
        return [
            *versions.deleted(snapshot, going),
            *(_deleted(each) for each in going),
            *(put(_freed(each, now_ms)) for each in left),
        ]

    sequence = await context.catalog.change_lists(workspace.id, decide)
    await context.publisher.published(sequence)


def _rules(snapshot: Snapshot) -> list[Segment]:
    return [each for each in snapshot.segments.values() if each.rule is not None]


def _existing(snapshot: Snapshot, id_: str) -> Segment:
    segment = snapshot.segments.get(id_)
    if segment is None or segment.rule is None:
        raise not_found("rule", id_)
    return segment


def _new(
    snapshot: Snapshot, workspace: Workspace, asked: NewRule, id_: str, node: Node, now_ms: int
) -> Segment:
    """The segment of a new rule. Raises Problem 409."""
    rules = _rules(snapshot)
    for each in rules:
        assert each.rule is not None
        if each.rule.attribute == asked.attribute:
            raise Problem(409, f"The rule '{each.id}' is of this attribute already.")
    if len(rules) >= MOST_RULES:
        raise Problem(409, f"The workspace has {MOST_RULES} rules, as many as it may: delete one.")
    new = NewDynamic.model_construct(
        id=id_,
        name=of_values.free(snapshot, f"{asked.attribute}: others"[: of_values.MAX_NAME]),
        definition=shapes.Defined(shown(node), node, snapshot.revision),
        description=f"Has a value of {asked.attribute} that has no segment yet",
        tags=asked.tags,
        folder=asked.folder,
        topics=asked.topics,
        tests=[],
    )
    rule = Rule(
        asked.attribute,
        asked.most,
        asked.name or "",
        asked.description,
        tuple(asked.tags),
        asked.folder,
        tuple(asked.topics),
    )
    return msgspec.structs.replace(editing.new_segment(snapshot, workspace, new, now_ms), rule=rule)


def _unused(snapshot: Snapshot, going: Sequence[Segment]) -> None:
    """Raises Problem 409 where others need one of them, naming who."""
    ids = {each.id for each in going}
    faults = [
        fault
        for each in going
        for fault in using.faults([user for user in using.users(snapshot, each.id) if user.id not in ids])
    ]
    if faults:
        told = "Others need the rule's segments; change or delete these first."
        raise Problem(409, told, faults[: using.MAX_NAMED])


def _deleted(segment: Segment) -> Put:
    return msgspec.structs.replace(gone(segment), retired=str(segment.definition_version))


def _freed(segment: Segment, now_ms: int) -> Segment:
    return msgspec.structs.replace(
        segment, made_by="", version=segment.version + 1, updated_ms=max(now_ms, segment.updated_ms)
    )


async def _out(context: Context, workspace: Workspace, segment: Segment) -> RuleOut:
    assert segment.rule is not None
    rule = segment.rule
    snapshot = await context.catalog.segments(workspace.id)
    values = len(known(segment.definition))
    return RuleOut(
        id=segment.id,
        attribute=rule.attribute,
        name=rule.name or f"{rule.attribute}: {of_values.PLACE}",
        most=rule.most,
        state=state(snapshot, limited(context, workspace), segment),
        values=values,
        segments=sum(each.made_by == segment.id for each in snapshot.segments.values()),
        without=await context.members.count(workspace.id, segment.id),
        created_at=times.iso(segment.created_ms),
    )


def limited(context: Context, workspace: Workspace) -> Workspace:
    """With the quotas that hold for it, its own or those of the settings."""
    return msgspec.structs.replace(workspace, quotas=workspace.quotas.over(context.quotas))


def state(snapshot: Snapshot, workspace: Workspace, segment: Segment) -> State:
    """Why a rule makes no segments, or that it does."""
    assert segment.rule is not None
    if segment.rule.paused:
        return "paused"
    if len(known(segment.definition)) >= segment.rule.most or not has_room(segment.definition):
        return "full"
    if len(snapshot.segments) >= editing.most_segments(workspace.quotas):
        return "no_room"
    return "running"
