"""What can be done with a segment, by what the key may."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from livesegments.client.segments import Segment
from livesegments.console import paths
from livesegments.console.pages.segments.actions import audience, export, keeping, mass, saving
from livesegments.console.parts.menu import Item
from livesegments.console.visit import Visit

Again = Callable[[], None]
"""Called when something has changed."""


def items(visit: Visit, segment: Segment, again: Again, *, opens: bool = True) -> list[Item]:
    """`opens`: with the way to the segment's own page."""
    archived = segment.archived_at is not None
    offered = [Item("Open", "open_in_new", path=paths.segment(segment.id))] if opens else []
    if not archived:
        offered += [
            Item("Create an audience", "campaign", partial(audience.open_dialog, visit, segment)),
            Item("Export members", "download", partial(export.open_dialog, visit, segment)),
        ]
    if not visit.may("write"):
        return offered
    offered += [
        Item("Edit", "edit", path=paths.edit_segment(segment.id)),
        Item("Clone", "content_copy", partial(keeping.clone, visit, segment)),
    ]
    if segment.type == "static":
        offered.append(Item("Keep equal to a source", "sync_alt", path=paths.source(segment.id)))
    if archived:
        offered.append(Item("Take up again", "unarchive", partial(keeping.unarchive, visit, segment, again)))
    else:
        offered += [
            Item("Save as a list", "playlist_add", partial(saving.open_dialog, visit, segment, again)),
            Item("Change all profiles in it", "edit_note", partial(mass.update, visit, segment)),
            Item("Reset their score", "restart_alt", partial(mass.reset, visit, segment)),
            Item("Archive", "archive", partial(keeping.archive, visit, segment, again)),
            Item(
                "Delete all profiles in it",
                "group_remove",
                partial(mass.delete, visit, segment),
                kind="danger",
            ),
        ]
    return [*offered, Item("Delete", "delete", partial(keeping.delete, visit, segment, again), kind="danger")]
