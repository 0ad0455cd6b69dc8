"""The definitions that a segment has had."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from livesegments.client.request import Request, get, post
from livesegments.client.segments import EditedSegment


class Difference(Struct, kw_only=True, frozen=True):
    """One part that another definition has otherwise."""

    kind: str
    """What became of it."""
    pointer: str
    """Where: of what was removed in the earlier definition, else in the later."""
    before: Any
    """What stood there; null of what was added."""
    after: Any
    """What stands there; null of what was removed."""


class Differences(Struct, kw_only=True, frozen=True):
    """How a definition differs from an earlier one."""

    before: int | None
    """The number of the earlier definition; null: there is none."""
    after: int
    """The number of the later one."""
    by: str | None
    """The name of the key that wrote the later one; null: not noted."""
    changes: list[Difference]
    """Part by part, in the order of the definition."""


class Versions(Struct, kw_only=True, frozen=True):
    """The newest 100, the newest first."""

    versions: list[Version]
    """The present one, and those before it."""


class Version(Struct, kw_only=True, frozen=True):
    """A definition that a segment has, or had."""

    version: int
    """Counts the edits of the definition; transitions carry it."""
    since: datetime
    """When it was written. The one before it goes on being served until it is built."""
    until: datetime | None
    """When it was replaced; null: it is the present one."""
    by: str | None
    """The name of the key that wrote it; null where that was not noted."""
    definition: dict[str, Any] | None
    """The definition; null of a static segment."""


@get("/v1/segments/{id}/versions")
def read_all(id: str) -> Request[Versions]:
    """The newest 100, the newest first."""
    ...


@get("/v1/segments/{id}/versions/{version}")
def read(id: str, version: int) -> Request[Version]:
    """One of them."""
    ...


@get("/v1/segments/{id}/versions/{version}/diff")
def diff(id: str, version: int, *, against: int | None = None) -> Request[Differences]:
    """What differs between two of them."""
    ...


@post("/v1/segments/{id}/versions/{version}/rollback")
def roll_back(id: str, version: int, *, if_match: str | int | None = None) -> Request[EditedSegment]:
    """An edit that writes that definition once more."""
    ...
