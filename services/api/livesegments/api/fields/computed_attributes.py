"""Computed attributes: measures with a name, kept live for every profile and asked about like attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, Field

from livesegments.api.context import Context, Ctx
from livesegments.api.fields import computed_edits
from livesegments.api.web import shapes, times
from livesegments.api.web.auth import Reading, Writing
from livesegments.api.web.problems import responses
from livesegments.api.web.route import Route
from livesegments.api.web.texts import SegmentId
from livesegments.core.computed import PREFIX, gives
from livesegments.core.value_list import shown
from livesegments.store.changes import Put
from livesegments.store.progress import Progress, estimated_end
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import ComputedAttribute, Workspace

MOST_USERS = 1_000

router = APIRouter(
    prefix="/v1/computed-attributes",
    tags=["computed attributes"],
    route_class=Route,
    responses=responses(401, 403),
)
Id = Annotated[SegmentId, Path(alias="id")]


class NewComputedAttribute(shapes.In):
    """All of a computed attribute: it takes the place of the one that has this id."""

    description: str = Field("", max_length=1_000, description="What it is for.")
    name: Any = Field(None, description="The name of the events that are measured.", examples=["order"])
    names: Any = Field(None, description="Several names, in place of `name`: counted together.")
    where: Any = Field(None, description="The filters that all hold for an event that counts.")
    window: Any = Field(None, description="When the events happened; without it whenever they did.")
    measure: Any = Field(
        description="As of a condition on events; also `first`, `last` and `mode` of a property, `first_at` "
        "and `last_at`.",
        examples=[{"of": "sum", "property": "total"}],
    )

    def document(self) -> dict[str, Any]:
        return self.model_dump(include=self.model_fields_set - {"description"})


class ComputedAttributeOut(BaseModel):
    """A computed attribute."""

    id: SegmentId = Field(description="Conditions name it `computed:` and this id.")
    description: str = Field(description="What it is for.")
    definition: dict[str, Any] = Field(description="`name` or `names`, `where`, `window`, `measure`.")
    gives: str = Field(description="`number`, `date`, or `value`: a string, number or boolean of events.")
    version: int = Field(description="Counts its definitions.")
    created_at: shapes.Instant = Field(description="When it was made.")
    updated_at: shapes.Instant = Field(description="When it was last edited.")
    state: shapes.State = Field(
        description="`building` while it is given its history: until then profiles show the value of the "
        "definition before, or none."
    )
    progress: shapes.Done = Field(description="How far that is.")
    complete_since: shapes.Instant | None = Field(
        description="From when on events are counted; null: all of history."
    )
    used_by: list[str] = Field(
        max_length=MOST_USERS, description="The segments that ask about it, sorted; the first 1,000."
    )


class ComputedAttributes(BaseModel):
    """All computed attributes of the workspace."""

    computed_attributes: list[ComputedAttributeOut] = Field(description="Sorted by their ids.")


@router.get("", responses=responses(404))
async def list_computed_attributes(context: Ctx, workspace: Reading) -> ComputedAttributes:
    """All computed attributes with their state."""
    snapshot = await context.catalog.segments(workspace.id)
    found = [snapshot.computed[id_] for id_ in sorted(snapshot.computed)]
    return ComputedAttributes(computed_attributes=await _shown(context, workspace, snapshot, found))


@router.get("/{id}", responses=responses(404))
async def read_computed_attribute(context: Ctx, workspace: Reading, id_: Id) -> ComputedAttributeOut:
    """A computed attribute: its definition, its state, and the segments that ask about it."""
    return await _one(context, workspace, id_)


@router.put("/{id}", responses=responses(400, 404, 409, 413, 415))
async def put_computed_attribute(
    context: Ctx, workspace: Writing, id_: Id, given: Annotated[NewComputedAttribute, Body()]
) -> ComputedAttributeOut:
    """Make a computed attribute, or replace it. A workspace has at most 100.

    It is given its history before profiles show it. All segments that ask about it get another version of
    their definition: they serve the old value until the new one has its history, and then those enter and
    leave who are concerned."""
    now_ms = context.now_ms()

    async def decide(snapshot: Snapshot) -> Sequence[Put]:
        return computed_edits.replacing(snapshot, workspace, id_, given.document(), given.description, now_ms)

    await context.publisher.published(await context.catalog.change_lists(workspace.id, decide))
    return await _one(context, workspace, id_)


@router.delete("/{id}", status_code=204, responses=responses(404, 409))
async def delete_computed_attribute(context: Ctx, workspace: Writing, id_: Id) -> None:
    """Delete a computed attribute. Refused while segments ask about it."""

    async def decide(snapshot: Snapshot) -> Sequence[Put]:
        return computed_edits.deleting(snapshot, id_)

    await context.publisher.published(await context.catalog.change_lists(workspace.id, decide))


async def _one(context: Context, workspace: Workspace, id_: str) -> ComputedAttributeOut:
    snapshot = await context.catalog.segments(workspace.id)
    return (await _shown(context, workspace, snapshot, [computed_edits.existing(snapshot, id_)]))[0]


async def _shown(
    context: Context, workspace: Workspace, snapshot: Snapshot, found: list[ComputedAttribute]
) -> list[ComputedAttributeOut]:
    versions = {PREFIX + each.id: each.version for each in found}
    sizes = await context.members.sizes(workspace.id, versions, workspace.timezone)
    shapes_ = []
    for each in found:
        progress = sizes[PREFIX + each.id].progress
        definition = shown(each.definition)
        definition.pop("type")
        shapes_.append(
            ComputedAttributeOut(
                id=each.id,
                description=each.description,
                definition=definition,
                gives=gives(each.definition.measure),
                version=each.version,
                created_at=times.iso(each.created_ms),
                updated_at=times.iso(each.updated_ms),
                state=progress.state,
                progress=progress_of(each, progress, context.now_ms()),
                complete_since=times.iso_or_none(progress.complete_since_ms),
                used_by=[user.id for user in snapshot.asking(each.id)][:MOST_USERS],
            )
        )
    return shapes_


def progress_of(attribute: ComputedAttribute, progress: Progress, now_ms: int) -> shapes.Done:
    """With the end by the pace since the building began."""
    end_ms = estimated_end(progress, attribute.defined_ms or attribute.updated_ms, now_ms)
    return shapes.Done(done=progress.done, total=progress.total, estimated_end=times.iso_or_none(end_ms))
