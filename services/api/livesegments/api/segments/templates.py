"""`/v1/templates`: smart segments, of which a segment is made with parameters."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Response
from pydantic import BaseModel, Field, WithJsonSchema

from livesegments.api.context import Ctx
from livesegments.api.segments import advice, editing, trials
from livesegments.api.segments.segments import CREATED, described
from livesegments.api.segments.shapes import FOLDER, TOPICS, NewDynamic
from livesegments.api.segments.smart import TEMPLATES, Template, given
from livesegments.api.segments.vacating import vacated
from livesegments.api.web import shapes
from livesegments.api.web.auth import Reading, Writing
from livesegments.api.web.etags import etag
from livesegments.api.web.problems import Problem, not_found, responses
from livesegments.api.web.route import IdempotencyKey, Route
from livesegments.api.web.texts import Description, Folder, Name, SegmentId
from livesegments.core.check import check
from livesegments.core.fault import Fault, Faults
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import Segment, Workspace

router = APIRouter(
    prefix="/v1/templates", tags=["segments"], route_class=Route, responses=responses(401, 403)
)


class ParameterOut(BaseModel):
    """A parameter of a template."""

    name: str
    kind: Literal["name", "duration", "number"] = Field(
        description="The name of an event, an attribute or a property; a duration (`30d`); or a number."
    )
    default: Annotated[str | int, WithJsonSchema({"type": ["string", "number"]})] = Field(
        description="Its value where none is given."
    )
    description: str = Field(description="What it means.")


class TemplateOut(BaseModel):
    """A definition with parameters."""

    id: str
    name: str = Field(description="What a segment of it is called unless it is said.")
    description: str = Field(description="Who is in it.")
    parameters: list[ParameterOut] = Field(description="What can be said otherwise.")
    definition: Annotated[Any, WithJsonSchema({"type": "object"})] = Field(
        description='The definition, in which `{"parameter": NAME}` stands for the value of one.'
    )


class Templates(BaseModel):
    """All templates."""

    templates: list[TemplateOut] = Field(description="All that there are.")


class FromTemplate(shapes.In):
    """What the segment has of its own."""

    parameters: dict[str, Any] = Field({}, max_length=20, description="Name → value; else the default.")
    name: Name | None = Field(None, description="Without one that of the template.")
    id: SegmentId | None = Field(None, description="Chosen by us where it isn't given.")
    description: Description | None = Field(None, description="Without one that of the template.")
    tags: shapes.Labels = Field([])
    folder: Folder = Field("", description=FOLDER)
    topics: shapes.Labels = Field([], description=TOPICS)


@router.get("", responses=responses(404))
async def list_templates(workspace: Reading) -> Templates:
    """Ready-made segments: new, active, VIP, at risk, lapsed and others, each with its parameters."""
    return Templates(
        templates=[
            TemplateOut(
                id=each.id,
                name=each.name,
                description=each.description,
                parameters=[
                    ParameterOut(
                        name=one.name, kind=one.kind, default=one.default, description=one.description
                    )
                    for one in each.parameters
                ],
                definition=each.definition,
            )
            for each in TEMPLATES.values()
        ]
    )


@router.post("/{id}/segments", status_code=201, responses=CREATED | responses(400, 404, 409, 413, 415))
async def create_from_template(
    context: Ctx,
    workspace: Writing,
    response: Response,
    id_: Annotated[str, Path(alias="id", max_length=64, description="The id of the template.")],
    asked: Annotated[FromTemplate, Body()],
    once: IdempotencyKey = None,
) -> advice.EditedSegment:
    """Make a segment of a template. Afterwards it is one like any other: it doesn't follow the template."""
    template = TEMPLATES.get(id_)
    if template is None:
        raise not_found("template", id_)
    now_ms = context.now_ms()
    if asked.id is not None:
        await vacated(context, workspace.id, [asked.id])
    segment, sequence = await trials.put(
        context, workspace, lambda snapshot: _made(snapshot, workspace, template, asked, now_ms)
    )
    await context.publisher.published(sequence)
    response.headers["Location"] = f"/v1/segments/{segment.id}"
    response.headers["ETag"] = etag(segment.version)
    return await advice.warned(context, segment, await described(context, workspace, segment))


def _made(
    snapshot: Snapshot, workspace: Workspace, template: Template, asked: FromTemplate, now_ms: int
) -> Segment:
    """Raises Problem 422 with the parameters' faults, and what `editing.new_segment` raises."""
    faults = Faults()
    document = given(template, asked.parameters, faults)
    node, found = None, faults.found
    if not found:
        node, wrong = check(document, timezone=workspace.timezone, week_start=workspace.week_start)
        found = [Fault("/parameters", each.code, f"{each.pointer} {each.message}") for each in wrong]
    if node is None:
        raise Problem(422, f"{len(found)} fault(s) in the parameters.", found)
    new = NewDynamic.model_construct(
        id=asked.id,
        name=asked.name or template.name,
        definition=shapes.Defined(document, node, ""),  # not yet against the other segments and the fields
        description=template.description if asked.description is None else asked.description,
        tags=asked.tags,
        folder=asked.folder,
        topics=asked.topics,
        tests=[],
    )
    return editing.new_segment(snapshot, workspace, new, now_ms)
