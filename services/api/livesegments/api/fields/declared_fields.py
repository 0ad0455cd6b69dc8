"""Fields: attributes that a workspace declares, with a type by which their values are read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, Field

from livesegments.api.context import Context, Ctx
from livesegments.api.fields import field_edits
from livesegments.api.history import asof
from livesegments.api.web import shapes, times
from livesegments.api.web.auth import Reading, Writing
from livesegments.api.web.problems import Problem, responses
from livesegments.api.web.route import Route
from livesegments.core.declared import MAX_CHOICES, MAX_FORM, Declared
from livesegments.history.asking import FitFound, Fitting
from livesegments.store.changes import Put
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import DeclaredField, Workspace

MOST_SEGMENTS = 1_000

router = APIRouter(prefix="/v1/fields", tags=["fields"], route_class=Route, responses=responses(401, 403))
Name = Annotated[str, Path(alias="name", max_length=256, description="The name of the attribute.")]
Type = Literal["text", "number", "boolean", "date", "list", "point"]
Choice = Annotated[str, Field(max_length=1_000)] | int | float


class Declaration(shapes.In):
    """What is declared of an attribute."""

    type: Type = Field(description="By which values that come in are read.", examples=["number"])
    label: str = Field("", max_length=200, description="Its name for people.", examples=["Age"])
    description: str = Field("", max_length=1_000, description="What it says.")
    choices: list[Choice] = Field(
        [], max_length=MAX_CHOICES, description="The only texts or numbers it may have; of a list, its items."
    )
    format: str = Field(
        "",
        max_length=MAX_FORM,
        description="How dates are written, beside ISO 8601: `YYYY`, `MM`, `DD`, perhaps `HH`, `mm`, `ss`, "
        "and marks between them.",
        examples=["DD/MM/YYYY"],
    )
    timezone: shapes.Timezone | Literal[""] = Field(
        "", description="The zone of dates with a time of day that name no offset; empty: every condition's."
    )

    def declared(self) -> Declared:
        return Declared(self.type, tuple(self.choices), self.format, self.timezone)


class NewField(Declaration):
    """All of a declaration: it takes the place of the one that the attribute has."""

    accept_misfits: bool = Field(
        False,
        description="Declare it though some profiles have values that do not fit; these stay.",
    )


class ToFit(Declaration):
    """A declaration that need not be saved."""

    name: str = Field(min_length=1, max_length=256, description="The name of the attribute.")


class FieldOut(BaseModel):
    """A declared attribute."""

    name: str = Field(description="The name of the attribute.")
    type: Type = Field(description="By which values that come in are read.")
    label: str = Field(description="Its name for people.")
    description: str = Field(description="What it says.")
    choices: list[str | int | float] = Field(description="The only values it may have; empty: any.")
    format: str = Field(description="How dates are written, beside ISO 8601.")
    timezone: str = Field(description="The zone of dates that name no offset.")
    version: int = Field(description="Counts every edit.")
    created_at: shapes.Instant = Field(description="When it was declared first.")
    updated_at: shapes.Instant = Field(description="When it was edited last.")
    unfit_segments: list[str] = Field(
        max_length=MOST_SEGMENTS,
        description="Segments with conditions that do not fit the type: they are evaluated as before, and "
        "refused at their next edit. Sorted by id, the first 1,000.",
    )


class FieldsOut(BaseModel):
    """All declared attributes of the workspace."""

    fields: list[FieldOut] = Field(description="Sorted by name.")


class OddValue(BaseModel):
    """A value that would not fit."""

    value: Any = Field(description="As profiles have it; a long one is cut, and then a text.")
    told: str = Field(description="What it must be instead.")
    profiles: int = Field(description="How many profiles have it.")


class Fit(BaseModel):
    """How many of the values that profiles have now fit a declaration."""

    at: shapes.Instant = Field(description="The instant that it is of.")
    fit: int = Field(description="Profiles whose value is of the type.")
    readable: int = Field(description="Profiles whose value would be read as another one, `42` for a text.")
    misfits: int = Field(description="Profiles whose value would be refused. They stay.")
    sample: list[OddValue] = Field(description="The most frequent misfits, 20 at most.")
    unfit_segments: list[str] = Field(
        max_length=MOST_SEGMENTS, description="Segments with conditions that would not fit, by id."
    )


@router.get("", responses=responses(404))
async def list_fields(context: Ctx, workspace: Reading) -> FieldsOut:
    """All declared attributes."""
    snapshot = await context.catalog.segments(workspace.id)
    entries = [snapshot.fields[name] for name in sorted(snapshot.fields)]
    return FieldsOut(fields=await asyncio.to_thread(lambda: [_shown(snapshot, each) for each in entries]))


@router.get("/{name:path}", responses=responses(404))
async def read_field(context: Ctx, workspace: Reading, name: Name) -> FieldOut:
    """A declared attribute."""
    return await _one(context, workspace, name)


@router.post("/check", responses=responses(400, 404, 413, 415, 503))
async def check_field(context: Ctx, workspace: Reading, given: Annotated[ToFit, Body()]) -> Fit:
    """How many of the values that profiles have now would fit a declaration. Nothing is declared."""
    declared = _declared(given.name, given)
    found = await _fitting(context, workspace, given.name, declared)
    snapshot = await context.catalog.segments(workspace.id)
    users = await asyncio.to_thread(field_edits.unfit, snapshot, given.name, declared)
    return Fit(
        at=times.iso(found.at_ms),
        fit=found.fit,
        readable=found.read,
        misfits=found.odd,
        sample=[
            OddValue(value=_value(each.value), told=each.told, profiles=each.profiles)
            for each in found.sample
        ],
        unfit_segments=users[:MOST_SEGMENTS],
    )


@router.put("/{name:path}", responses=responses(400, 404, 409, 413, 415, 503))
async def put_field(
    context: Ctx, workspace: Writing, name: Name, given: Annotated[NewField, Body()]
) -> FieldOut:
    """Declare an attribute, or change its declaration. A workspace has at most 1,000.

    From then on values that come in are read as its type, and what can't be is left out of the change and
    told in `rejected`. It is refused while profiles have values that would not fit, unless
    `accept_misfits` says that these may stay."""
    declared = _declared(name, given)
    snapshot = await context.catalog.segments(workspace.id)
    old = snapshot.fields.get(name)
    if not given.accept_misfits and (old is None or old.declared != declared):
        found = await _fitting(context, workspace, name, declared)
        if found.odd:
            raise field_edits.refusal(found)
    now_ms = context.now_ms()

    async def decide(snapshot: Snapshot) -> Sequence[Put]:
        return field_edits.replacing(
            snapshot, workspace, name, declared, given.label, given.description, now_ms
        )

    await context.publisher.published(await context.catalog.change_lists(workspace.id, decide))
    return await _one(context, workspace, name)


@router.delete("/{name:path}", status_code=204, responses=responses(404, 409))
async def delete_field(context: Ctx, workspace: Writing, name: Name) -> None:
    """Delete a declaration. Values stay; those that come in are of the type that they have."""

    async def decide(snapshot: Snapshot) -> Sequence[Put]:
        return field_edits.deleting(snapshot, name)

    await context.publisher.published(await context.catalog.change_lists(workspace.id, decide))


def _declared(name: str, given: Declaration) -> Declared:
    """Raises Problem 422 with all faults."""
    declared = given.declared()
    faults = field_edits.faults_of(name, declared)
    if faults:
        raise Problem(422, f"{len(faults)} fault(s) in the request.", faults)
    return declared


async def _fitting(context: Context, workspace: Workspace, name: str, declared: Declared) -> FitFound:
    asked = Fitting(workspace.id, workspace.timezone, name, declared, asof.now(context))
    return await asof.fitting(context, asked)


async def _one(context: Context, workspace: Workspace, name: str) -> FieldOut:
    snapshot = await context.catalog.segments(workspace.id)
    return await asyncio.to_thread(_shown, snapshot, field_edits.existing(snapshot, name))


def _shown(snapshot: Snapshot, found: DeclaredField) -> FieldOut:
    declared = found.declared
    return FieldOut(
        name=found.name,
        type=declared.type,
        label=found.label,
        description=found.description,
        choices=list(declared.choices),
        format=declared.form,
        timezone=declared.zone,
        version=found.version,
        created_at=times.iso(found.created_ms),
        updated_at=times.iso(found.updated_ms),
        unfit_segments=field_edits.unfit(snapshot, found.name, declared)[:MOST_SEGMENTS],
    )


def _value(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:  # it was cut
        return text
