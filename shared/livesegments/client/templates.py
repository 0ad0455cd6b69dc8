"""Ready-made segments with parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from livesegments.client.request import Request, get, post
from livesegments.client.segments import EditedSegment


class Template(Struct, kw_only=True, frozen=True):
    """A definition with parameters."""

    id: str
    """Its id."""
    name: str
    """What a segment of it is called unless it is said."""
    description: str
    """Who is in it."""
    parameters: list[Parameter]
    """What can be said otherwise."""
    definition: dict[str, Any]
    """The definition, in which `{"parameter": NAME}` stands for the value of one."""


class Parameter(Struct, kw_only=True, frozen=True):
    """A parameter of a template."""

    name: str
    """Its name."""
    kind: str
    """The name of an event, an attribute or a property; a duration (`30d`); or a number."""
    default: str | float
    """Its value where none is given."""
    description: str
    """What it means."""


class Templates(Struct, kw_only=True, frozen=True):
    """All templates."""

    templates: list[Template]
    """All that there are."""


@get("/v1/templates")
def read_all() -> Request[Templates]:
    """All of them with their parameters."""
    ...


@post("/v1/templates/{id}/segments", once=True)
def create(
    id: str,
    *,
    parameters: dict[str, Any] | UnsetType = UNSET,
    name: str | UnsetType = UNSET,
    new_id: str | UnsetType = UNSET,
    description: str | UnsetType = UNSET,
    tags: Sequence[str] = (),
    folder: str = "",
    topics: Sequence[str] = (),
) -> Request[EditedSegment]:
    """A segment of a template."""
    ...
