"""What an admin sees of all workspaces together."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from livesegments.client.request import Pages, get
from livesegments.client.segments import Segment


class OwnedSegment(Struct, kw_only=True, frozen=True):
    """A segment, and whose it is."""

    workspace: str
    """The id of its workspace: `X-Workspace` acts there."""
    workspace_name: str
    """The name of its workspace."""
    segment: Segment
    """As its own workspace sees it."""


class OwnedSegments(Struct, kw_only=True, frozen=True):
    """A page of the segments of all workspaces."""

    segments: list[OwnedSegment]
    """In the order asked for; by default by the names of their workspaces, then by id."""
    next_cursor: str | None = None
    """Give it back as `cursor` for the next page; null: this is the last one."""


@get("/v1/admin/segments", items="segments")
def segments(
    *,
    workspace: list[str] | None = None,
    search: str = "",
    sort: Literal["company", "name", "created", "updated", "size"] = "company",
    order: Literal["asc", "desc"] = "asc",
    limit: int = 100,
    cursor: str | None = None,
) -> Pages[OwnedSegments, OwnedSegment]:
    """The segments of all workspaces, or of some; in the order asked for."""
    ...
