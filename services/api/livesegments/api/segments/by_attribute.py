"""`/v1/segments/by-attribute`: one segment for every value of an attribute, made by one request.

Example: the attribute `city` has the values Kyiv (120 profiles) and Lviv (30), and there is a segment for
Kyiv already. One request makes "city: Lviv"; repeated later, it makes segments for the values that are new
by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body
from pydantic import BaseModel, Field, WithJsonSchema

from livesegments.api.context import Context, Ctx
from livesegments.api.history import asof
from livesegments.api.rules import of_values
from livesegments.api.segments.shapes import FOLDER, TOPICS
from livesegments.api.web import shapes, times
from livesegments.api.web.auth import Reading, Writing
from livesegments.api.web.problems import Problem, responses
from livesegments.api.web.route import IdempotencyKey, Route
from livesegments.api.web.texts import AttributeName, Description, Folder, Name
from livesegments.core.check import check
from livesegments.core.computed import id_of
from livesegments.core.definition import Attribute
from livesegments.core.fault import Fault
from livesegments.core.value_list import shown
from livesegments.history.asking import Asked, Found
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import Segment, Workspace

MOST = 1_000
"""Values of one attribute that may become segments."""

router = APIRouter(
    prefix="/v1/segments/by-attribute", tags=["segments"], route_class=Route, responses=responses(401, 403)
)
Value = Annotated[Any, WithJsonSchema({"type": ["string", "number", "boolean"]})]


class ToCount(shapes.In):
    """Which attribute is meant."""

    attribute: AttributeName = Field(description="The name of an attribute.")


class ByAttribute(ToCount):
    """One segment for every value."""

    name: Name | None = Field(
        None, description="The segments' names, with `{value}` in them; else the attribute's and the value."
    )
    description: Description = ""
    tags: shapes.Labels = Field([])
    folder: Folder = Field("", description=FOLDER)
    topics: shapes.Labels = Field([], description=TOPICS)


class ValueOut(BaseModel):
    """A value of the attribute."""

    value: Value = Field(description="The value: a text, a number, or true or false.")
    count: int = Field(description="How many profiles have it.")
    segment: str | None = Field(description="The id of the segment of this value; null: there is none.")


class ValuesOut(BaseModel):
    """What values an attribute has."""

    at: shapes.Instant = Field(description="The instant that it is of.")
    values: list[ValueOut] = Field(max_length=MOST, description="The most frequent first.")
    more: bool = Field(description="Whether there are more than these 1,000: then no segments are made.")


class MadeOf(BaseModel):
    """A segment that was made."""

    id: str
    name: str
    value: Value = Field(description="The value that it is of.")


class MadeByAttribute(BaseModel):
    """What has been made."""

    segments: list[MadeOf] = Field(description="The segments that are new, the most frequent value first.")
    kept: int = Field(description="How many values had a segment already.")


@router.post("/preview", responses=responses(400, 404, 413, 415, 503))
async def preview_by_attribute(
    context: Ctx, workspace: Reading, asked: Annotated[ToCount, Body()]
) -> ValuesOut:
    """The values of an attribute with the number of profiles that have each, and the segments of them that
    there are. Lists and locations are left out. Nothing is created."""
    found = await _found(context, workspace, asked.attribute)
    snapshot = await context.catalog.segments(workspace.id)
    known = of_values.known(snapshot, asked.attribute)
    return ValuesOut(
        at=times.iso(found.at_ms),
        values=[
            ValueOut(value=msgspec.json.decode(value), count=count, segment=known.get(of_values.key(value)))
            for value, count in found.values[:MOST]
        ],
        more=len(found.values) > MOST,
    )


@router.post("", status_code=201, responses=responses(400, 404, 409, 413, 415, 503))
async def create_by_attribute(
    context: Ctx, workspace: Writing, asked: Annotated[ByAttribute, Body()], once: IdempotencyKey = None
) -> MadeByAttribute:
    """Make a segment for every value of an attribute that has none yet, all of them or none: at most 1,000
    values. It may be repeated: then it makes those of the values that are new."""
    found = await counted(context, workspace, asked)
    now_ms = context.now_ms()
    made: list[tuple[Segment, str]] = []

    async def decide(snapshot: Snapshot) -> Sequence[Segment]:
        made[:] = of_values.made(snapshot, workspace, asked, [value for value, _ in found.values], now_ms)
        return [segment for segment, _ in made]

    sequence = await context.catalog.put_segments(workspace.id, decide)
    await context.publisher.published(sequence)
    return MadeByAttribute(
        segments=[
            MadeOf(id=each.id, name=each.name, value=msgspec.json.decode(value)) for each, value in made
        ],
        kept=len(found.values) - len(made),
    )


async def counted(context: Context, workspace: Workspace, asked: ByAttribute) -> Found:
    """The values, all of which can become segments. Raises Problem 422."""
    if asked.name is not None and of_values.PLACE not in asked.name:
        raise _wrong("/name", "no_value", f"has no {of_values.PLACE}, so all segments would have one name")
    found = await _found(context, workspace, asked.attribute)
    if len(found.values) > MOST:
        told = f"has more than {MOST:,} values: make segments of an attribute with fewer"
        raise _wrong("/attribute", "too_many_values", told)
    return found


async def _found(context: Context, workspace: Workspace, attribute: str) -> Found:
    """Raises Problem 422 for a name that no condition on an attribute may have, and for a computed attribute:
    history has the events that it is computed of, not its values."""
    node = Attribute(attribute, "exists")
    snapshot = await context.catalog.segments(workspace.id)
    _, faults = check(shown(node), computed=snapshot.measures)
    if faults:
        raise _wrong("/attribute", faults[0].code, faults[0].message)
    if id_of(attribute) is not None:
        told = (
            "is a computed attribute, whose values change by themselves: make segments with conditions on it"
        )
        raise _wrong("/attribute", "computed_attribute", told)
    asked = Asked(workspace.id, workspace.timezone, asof.now(context), node, {}, counted=MOST + 1)
    return await asof.ask(context, asked)


def _wrong(pointer: str, code: str, message: str) -> Problem:
    return Problem(422, "1 fault(s) in the request.", [Fault(pointer, code, message)])
