"""What the builder reads of the api when it opens."""

from __future__ import annotations

import asyncio

from livesegments.client import AsyncClient, computed, names, segments, value_lists
from livesegments.client.segments import Segment
from livesegments.console.builder.drafts import Draft
from livesegments.console.builder.seen import Seen, of_names

MOST_SEGMENTS = 1_000


async def seen(api: AsyncClient) -> Seen:
    """The names that fields offer."""
    known, listed, measured, lists = await asyncio.gather(
        api.send(names.read()),
        api.send(segments.page(limit=MOST_SEGMENTS)),
        api.send(computed.read_all()),
        api.send(value_lists.read_all()),
    )
    topics = sorted({topic for each in listed.segments for topic in each.topics})
    return of_names(
        known,
        segments={each.id: each.name for each in listed.segments},
        computed={each.id: each.gives for each in measured.computed_attributes},
        value_lists=tuple(each.id for each in lists.value_lists),
        topics=tuple(topics),
    )


def draft_of(workspace: str, segment: Segment) -> Draft:
    """A draft that edits a segment, as it is now."""
    made = Draft(workspace, segment.id, segment.definition)
    made.version = segment.version
    made.is_static = segment.definition is None
    made.read(
        {
            "name": segment.name,
            "description": segment.description,
            "folder": segment.folder,
            "tags": segment.tags,
            "topics": segment.topics,
        }
    )
    return made
