"""Rules that keep a segment for every value of an attribute."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from livesegments.client import request
from livesegments.client.request import Request, get, patch, post


class Rule(Struct, kw_only=True, frozen=True):
    """A rule as it is now."""

    id: str
    """Its id, and that of its own segment: who has a value without a segment."""
    attribute: str
    """The name of the attribute."""
    name: str
    """What the segments that it makes are called."""
    most: int
    """It makes segments of at most so many values."""
    state: str
    """`full`: it knows as many values as it may, or as a definition has room for; `no_room`: the workspace
    has its quota of segments. It goes on by itself once there is room."""
    values: int
    """How many values it knows; those whose segments were deleted, too."""
    segments: int
    """How many segments it has made that are there."""
    without: int
    """How many profiles have a value without a segment now."""
    created_at: datetime
    """When it was created."""


class Rules(Struct, kw_only=True, frozen=True):
    """The rules of the workspace, the oldest first."""

    rules: list[Rule]
    """All that there are."""


@get("/v1/segment-rules")
def every() -> Request[Rules]:
    """All of them, the oldest first."""
    ...


@post("/v1/segment-rules", once=True)
def create(
    attribute: str,
    *,
    new_id: str | UnsetType = UNSET,
    name: str | UnsetType = UNSET,
    most: int = 1_000,
    description: str = "",
    tags: Sequence[str] = (),
    folder: str = "",
    topics: Sequence[str] = (),
) -> Request[Rule]:
    """Segments of all values that an attribute has, and of those that come."""
    ...


@get("/v1/segment-rules/{id}")
def read(id: str) -> Request[Rule]:
    """One rule."""
    ...


@patch("/v1/segment-rules/{id}")
def edit(id: str, *, paused: bool | UnsetType = UNSET, most: int | UnsetType = UNSET) -> Request[Rule]:
    """Pause it, let it go on, or say how many values it may know."""
    ...


@request.delete("/v1/segment-rules/{id}")
def delete(id: str, *, segments: bool = False) -> Request[None]:
    """Delete it with its own segment; with `segments`, also those that it made."""
    ...
