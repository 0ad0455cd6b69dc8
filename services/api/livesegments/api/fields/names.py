"""The names seen in a workspace: events with their properties, and attributes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from livesegments.api.context import Ctx
from livesegments.api.operations.workspace_shapes import MAX_QUOTA_NAMES
from livesegments.api.web import shapes, times
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import responses
from livesegments.api.web.route import Route
from livesegments.core.event import PROFILE
from livesegments.core.names.seen import GAVE_WAY, MAX_PATHS, MAX_VALUES, Name, Path, frequent
from livesegments.core.names.unseen import DERIVED

router = APIRouter(prefix="/v1/names", tags=["segments"], route_class=Route, responses=responses(401, 403))

Type = Literal["string", "number", "boolean", "list", "point"]


class SeenPath(BaseModel):
    """A property or an attribute."""

    name: str = Field(description="The name of an attribute, or the dotted path of a property.")
    types: list[Type] = Field(description="The types of its values, the most frequent first.")
    last_seen: shapes.Instant | None = Field(description="The time of the newest event that had it.")
    values: list[Any] = Field(
        max_length=MAX_VALUES,
        description="Frequent values in a sample, the most frequent first; no long texts or addresses.",
    )


class SeenEvent(BaseModel):
    """An event's name, with what its properties hold."""

    name: str = Field(description="The event's name.")
    derived: bool = Field(description="Made by the evaluator out of changes of a profile; never sent.")
    last_seen: shapes.Instant | None = Field(description="The newest time of such an event; null if derived.")
    complete: bool = Field(description="Whether these are all properties that were seen.")
    properties: list[SeenPath] = Field(max_length=MAX_PATHS, description="By name.")


class SeenNames(BaseModel):
    """What definitions in this workspace may name."""

    events: list[SeenEvent] = Field(
        max_length=MAX_QUOTA_NAMES + len(DERIVED),
        description="By name, those that the evaluator makes last.",
    )
    attributes: list[SeenPath] = Field(max_length=MAX_PATHS, description="By name.")
    attributes_complete: bool = Field(description="Whether these are all attributes that were seen.")


@router.get("", responses=responses(404))
async def list_names(
    context: Ctx,
    workspace: Reading,
    search: Annotated[
        str, Query(max_length=256, description="Only events and attributes with this in their name.")
    ] = "",
) -> SeenNames:
    """The names of events and attributes that were seen in the workspace, with types and frequent values.

    They are gathered from a sample of the events, about a second after they were accepted."""
    names, wanted = await context.names.read(workspace.id), search.casefold()
    profile = names.pop(PROFILE, Name(0))
    names.pop(GAVE_WAY, None)
    events = [_event(name, names[name]) for name in sorted(names) if wanted in name.casefold()]
    derived = [_derived(name) for name in DERIVED if wanted in name]
    attributes = [each for each in _paths(profile.paths) if wanted in each.name.casefold()]
    return SeenNames(events=[*events, *derived], attributes=attributes, attributes_complete=not profile.full)


def _event(name: str, seen: Name) -> SeenEvent:
    return SeenEvent(
        name=name,
        derived=False,
        last_seen=times.iso(seen.last_ms),
        complete=not seen.full,
        properties=_paths(seen.paths),
    )


def _derived(name: str) -> SeenEvent:
    paths = [SeenPath(name=path, types=[], last_seen=None, values=[]) for path in DERIVED[name]]
    return SeenEvent(name=name, derived=True, last_seen=None, complete=True, properties=paths)


def _paths(paths: dict[str, Path]) -> list[SeenPath]:
    return [
        SeenPath(
            name=name,
            types=sorted(path.types, key=lambda kind: (-path.types[kind], kind)),
            last_seen=times.iso(path.last_ms),
            values=frequent(path),
        )
        for name, path in sorted(paths.items())
    ]
