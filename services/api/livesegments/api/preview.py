"""`POST /v1/segments/preview`: who would be in a segment that isn't saved."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Depends
from pydantic import BaseModel, Field

from livesegments.api import asof, editing, shapes, times
from livesegments.api.auth import Reading
from livesegments.api.context import Ctx
from livesegments.api.problems import responses
from livesegments.api.route import Route
from livesegments.core.definition import All, AnyOf, Node, Not
from livesegments.history.asking import Asked, Found, Sampled
from livesegments.history.sql.query import walk

MAX_SAMPLE = 50

router = APIRouter(prefix="/v1/segments", tags=["segments"], route_class=Route, responses=responses(401, 403))


async def _know(context: Ctx, workspace: Reading) -> None:
    snapshot = await context.catalog.segments(workspace.id)
    others = editing.Others(snapshot.segments, "")
    shapes.known.set(shapes.Known(workspace.timezone, others, None, snapshot.revision))


class ToPreview(shapes.In):
    """A definition that need not be saved."""

    definition: shapes.Definition = Field(description="The condition, as a segment would have it.")
    sample: int = Field(10, ge=0, le=MAX_SAMPLE, description="The most profiles to show that fulfil it.")


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


class Preview(BaseModel):
    """Who fulfils a definition, by the whole of history up to now."""

    at: shapes.Instant = Field(description="The instant that it is of.")
    profiles: int = Field(description="How many profiles there are.")
    count: int = Field(description="How many fulfil the definition: exactly, not estimated.")
    nodes: list[NodeCount] = Field(description="The count of every node, parents before their children.")
    sample: list[Sample] = Field(description="Some of those who fulfil it, always the same ones.")


@router.post("/preview", dependencies=[Depends(_know)], responses=responses(400, 404, 413, 415, 503))
async def preview_segment(context: Ctx, workspace: Reading, asked: Annotated[ToPreview, Body()]) -> Preview:
    """Who would be in a segment with this definition now. Nothing is created and nothing is announced."""
    snapshot = await context.catalog.segments(workspace.id)
    node = asked.definition.node
    found = await asof.ask(
        context,
        Asked(
            workspace=workspace.id,
            timezone=workspace.timezone,
            now_ms=asof.now(context),
            definition=node,
            segments=asof.needed(node, snapshot.segments, None),
            sample=asked.sample,
        ),
    )
    return Preview(
        at=times.iso(found.at_ms),
        profiles=found.profiles,
        count=found.nodes[0][1],
        nodes=[NodeCount(pointer=pointer, count=count) for pointer, count in found.nodes],
        sample=samples(node, found, found.sample),
    )


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
