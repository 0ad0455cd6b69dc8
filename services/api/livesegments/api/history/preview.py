"""`POST /v1/segments/preview`: who would be in a segment that isn't saved."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Depends
from pydantic import BaseModel, Field

from livesegments.api.context import Ctx
from livesegments.api.history import asof, shortened
from livesegments.api.history.cost import Cost, priced, weighed
from livesegments.api.segments import advice, editing
from livesegments.api.web import shapes, times
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import responses
from livesegments.api.web.route import Route
from livesegments.core.definition import All, AnyOf, Attribute, Near, Node, Not
from livesegments.core.forecast import projected
from livesegments.core.tree import walk
from livesegments.core.value import when_missing
from livesegments.history.asking import Asked, Found, Sampled
from livesegments.history.sql.reads import lanes_read

MAX_SAMPLE = 50
ESTIMATED_FROM = 20_000
"""Of fewer profiles an exact answer comes as soon."""

router = APIRouter(prefix="/v1/segments", tags=["segments"], route_class=Route, responses=responses(401, 403))


async def _know(context: Ctx, workspace: Reading) -> None:
    snapshot = await context.catalog.segments(workspace.id)
    others = editing.Others(snapshot.segments, "")
    digests = snapshot.digests
    shapes.known.set(
        shapes.Known(
            workspace.timezone,
            others,
            None,
            snapshot.revision,
            lists=digests,
            week_start=workspace.week_start,
            computed=snapshot.measures,
            declared=snapshot.declarations,
        )
    )


class ToPreview(shapes.In):
    """A definition that need not be saved."""

    definition: shapes.Definition = Field(description="The condition, as a segment would have it.")
    sample: int = Field(10, ge=0, le=MAX_SAMPLE, description="The most profiles to show that fulfil it.")
    estimate: bool = Field(
        False,
        description="Look at the profiles of one partition alone where there are many: the answer comes "
        "sooner, and its counts are estimates.",
    )


class NodeCount(BaseModel):
    """For how many profiles one node of the definition holds."""

    pointer: str = Field(description="A JSON pointer of the node within the definition; empty: the whole.")
    count: int = Field(description="For how many profiles the node holds.")


class NodeSeen(BaseModel):
    """What one condition saw of a profile."""

    pointer: str = Field(description="A JSON pointer of the condition within the definition.")
    holds: bool = Field(description="Whether the condition holds for the profile.")
    value: Any = Field(
        description="What was compared: the attribute's value, or what the measure came to; else null."
    )


class Sample(BaseModel):
    """One profile, and what decided about it."""

    profile: str = Field(description="The profile's id.")
    conditions: list[NodeSeen] = Field(description="The definition's conditions, in its order.")


class Lacking(BaseModel):
    """A condition of an attribute that some profiles don't have."""

    pointer: str = Field(description="A JSON pointer of the condition within the definition.")
    attribute: str = Field(description="The attribute's name.")
    count: int = Field(description="How many profiles lack it.")
    excluded: bool = Field(
        description="Whether the condition leaves these out; a negative one, such as `neq`, holds for them."
    )


class Preview(BaseModel):
    """Who fulfils a definition, by the whole of history up to now."""

    at: shapes.Instant = Field(description="The instant that it is of.")
    profiles: int = Field(description="How many profiles there are.")
    count: int = Field(description="How many fulfil the definition.")
    margin: int = Field(
        description="0: `count` is exact. Else in 19 of 20 cases the true number is no further from it; the "
        "other counts are estimates as well."
    )
    nodes: list[NodeCount] = Field(description="The count of every node, parents before their children.")
    sample: list[Sample] = Field(description="Some of those who fulfil it, always the same ones.")
    lacking: list[Lacking] = Field(
        description="The conditions of attributes that some profiles lack, and how many."
    )
    warnings: list[advice.Warned] = Field(
        description="Conditions that hold for everyone or for no one, names that were never seen, and "
        "windows that reach back beyond the history that is kept (`history_short`)."
    )
    cost: Cost | None = Field(description="What a profile would keep for it; null of an estimate.")


@router.post("/preview", dependencies=[Depends(_know)], responses=responses(400, 404, 413, 415, 503))
async def preview_segment(context: Ctx, workspace: Reading, asked: Annotated[ToPreview, Body()]) -> Preview:
    """Who would be in a segment with this definition now, what its conditions leave out, and what it would
    cost. Nothing is created and nothing is announced."""
    snapshot = await context.catalog.segments(workspace.id)
    node = asked.definition.node
    counts = await context.profiles.counts(workspace.id)
    one_of = _largest(counts) if asked.estimate and sum(counts) > ESTIMATED_FROM else None
    plan = await context.plans.of(workspace) if one_of is None else None
    contents = await context.contents.of(workspace.id, [node])
    others = asof.needed(node, snapshot.segments, None)
    found = await asof.ask(
        context,
        Asked(
            workspace=workspace.id,
            timezone=workspace.timezone,
            now_ms=asof.now(context),
            definition=node,
            segments=others,
            sample=asked.sample,
            one_of=one_of,
            weighed=[] if plan is None else weighed(plan, node, contents, context.now_ms()),
        ),
    )
    total = found.profiles if one_of is None else sum(counts)

    def projection(count: int) -> tuple[int, int]:
        return projected(count, found.profiles, total) if found.profiles else (0, total)

    count, margin = projection(found.nodes[0][1])
    seen = await advice.names(context, workspace.id)
    price = None
    if plan is not None:
        price = await asyncio.to_thread(priced, plan, node, contents, found.sent, found.at_ms)
    return Preview(
        at=times.iso(found.at_ms),
        profiles=total,
        count=count,
        margin=margin,
        nodes=[NodeCount(pointer=pointer, count=projection(held)[0]) for pointer, held in found.nodes],
        sample=samples(node, found, found.sample),
        lacking=[
            Lacking(pointer=pointer, attribute=name, count=projection(lacking)[0], excluded=excluded)
            for (name, excluded), (pointer, lacking) in zip(_attributes(node), found.lacking, strict=True)
            if lacking
        ],
        warnings=[
            *advice.warnings(node, seen),
            *await shortened.warnings(context, workspace, node, others, found.at_ms),
        ],
        cost=price,
    )


@router.post("/preview/prepare", status_code=204)
async def prepare_previews(context: Ctx, workspace: Reading) -> None:
    """Read beforehand what previews need, as when somebody begins to write a definition: the first one then
    comes about as soon as the others. That is done in the background, and gives way to questions. Properties
    are read of the events of which the workspace's segments read them. It is kept until nobody has asked
    anything for five minutes."""
    snapshot = await context.catalog.segments(workspace.id)
    definitions = [each.definition for each in snapshot.segments.values() if each.definition is not None]
    context.asker.prepare(workspace.id, workspace.timezone, lanes_read(definitions))


def _largest(counts: list[int]) -> int:
    """Profiles are spread by the hash of their ids: those of a partition are drawn at random."""
    return max(range(len(counts)), key=counts.__getitem__)


def _attributes(node: Node) -> list[tuple[str, bool]]:
    """Of every condition of an attribute: its name, and whether who lacks it is left out."""
    found = []
    for _, below in walk(node):
        if isinstance(below, Attribute):
            found.append((below.name, not when_missing(below)))
        elif isinstance(below, Near):
            found.append((below.attribute, True))
    return found


def samples(node: Node, found: Found, sampled: list[Sampled]) -> list[Sample]:
    """The conditions alone: what holds others follows from them."""
    leaves = {pointer for pointer, below in walk(node) if not isinstance(below, All | AnyOf | Not)}
    return [
        Sample(
            profile=each.profile,
            conditions=[
                NodeSeen(
                    pointer=pointer, holds=holds, value=None if value is None else msgspec.json.decode(value)
                )
                for (pointer, _), holds, value in zip(found.nodes, each.holds, each.values, strict=True)
                if pointer in leaves
            ],
        )
        for each in sampled
    ]
