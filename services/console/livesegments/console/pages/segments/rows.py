"""A segment as a row of the list: pure."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from msgspec import Struct

from livesegments.client.segments import Segment
from livesegments.console import formats

LABELS = 3
"""More tags are a number."""
KINDS = {"ready": "good", "building": "warn"}


class Row(Struct, frozen=True):
    """All texts are ready to be shown. `state_kind`: as badges have it."""

    id: str
    version: int
    name: str
    description: str
    labels: list[str]
    more_labels: int
    folder: str
    type: str
    is_static: bool
    is_archived: bool
    count: str
    state: str
    state_kind: str
    created: str


def row(segment: Segment, zone: ZoneInfo) -> Row:
    return Row(
        id=segment.id,
        version=segment.version,
        name=formats.short(segment.name),
        description=formats.short(segment.description, 140),
        labels=[formats.short(tag, 40) for tag in segment.tags[:LABELS]],
        more_labels=max(0, len(segment.tags) - LABELS),
        folder=formats.short(segment.folder, 80),
        type="Static list" if segment.type == "static" else "Dynamic",
        is_static=segment.type == "static",
        is_archived=segment.archived_at is not None,
        count=formats.number(segment.count),
        state=state(segment),
        state_kind=KINDS.get(segment.state, ""),
        created=formats.day(segment.created_at, zone),
    )


def state(segment: Segment) -> str:
    """Building says how far it is: Building, 42 %."""
    if segment.state != "building" or not segment.progress.total:
        return segment.state.capitalize()
    return f"Building, {share(segment.progress.done, segment.progress.total)}"


def share(done: int, total: int) -> str:
    return f"{100 * done // max(1, total)} %"
