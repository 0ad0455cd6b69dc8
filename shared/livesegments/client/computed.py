"""Measures with a name, kept live for every profile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from livesegments.client.common import Done
from livesegments.client.request import Request, delete, get, put


class ComputedAttributes(Struct, kw_only=True, frozen=True):
    """All computed attributes of the workspace."""

    computed_attributes: list[ComputedAttribute]
    """Sorted by their ids."""


class ComputedAttribute(Struct, kw_only=True, frozen=True):
    """A computed attribute."""

    id: str
    """Conditions name it `computed:` and this id."""
    description: str
    """What it is for."""
    definition: dict[str, Any]
    """`name` or `names`, `where`, `window`, `measure`."""
    gives: str
    """`number`, `date`, or `value`: a string, number or boolean of events."""
    version: int
    """Counts its definitions."""
    created_at: datetime
    """When it was made."""
    updated_at: datetime
    """When it was last edited."""
    state: str
    """`building` while it is given its history: until then profiles show the value of the definition
    before, or none."""
    progress: Done
    """How far that is."""
    complete_since: datetime | None
    """From when on events are counted; null: all of history."""
    used_by: list[str]
    """The segments that ask about it, sorted; the first 1,000."""


@get("/v1/computed-attributes")
def read_all() -> Request[ComputedAttributes]:
    """Every computed attribute."""
    ...


@get("/v1/computed-attributes/{id}")
def read(id: str) -> Request[ComputedAttribute]:
    """One with its state, and the segments that ask about it."""
    ...


@put("/v1/computed-attributes/{id}")
def put_attribute(
    id: str,
    measure: Any,
    *,
    name: str | UnsetType = UNSET,
    names: Sequence[str] | UnsetType = UNSET,
    where: Any = UNSET,
    window: Any = UNSET,
    description: str | UnsetType = UNSET,
) -> Request[ComputedAttribute]:
    """Makes one, or replaces it."""
    ...


@delete("/v1/computed-attributes/{id}")
def delete_attribute(id: str) -> Request[None]:
    """Refused while segments ask about it."""
    ...
