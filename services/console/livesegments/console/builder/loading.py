"""What the builder reads of the api when it opens."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import msgspec

from livesegments.client import (
    ApiError,
    AsyncClient,
    computed,
    names,
    planning,
    segments,
    value_lists,
)
from livesegments.client.segments import Segment
from livesegments.console import segment_names
from livesegments.console.builder.drafts import Draft
from livesegments.console.builder.seen import Seen, of_names

MOST_SEGMENTS = 1_000
FOUND, LONGEST = 50, 200


async def seen(api: AsyncClient, definition: Any = None) -> Seen:
    """The names that fields offer, and those of the segments that the definition names. Previews will be
    asked for soon, so they are prepared."""
    _, known, listed, measured, lists = await asyncio.gather(
        _prepared(api),
        api.send(names.read()),
        api.send(segments.page(limit=MOST_SEGMENTS)),
        api.send(computed.read_all()),
        api.send(value_lists.read_all()),
    )
    segments_seen = {each.id: each.name for each in listed.segments}
    others = [each for each in segment_names.named_in(definition) if each not in segments_seen]
    segments_seen |= await segment_names.of(api, others)
    topics = sorted({topic for each in listed.segments for topic in each.topics})
    return of_names(
        known,
        segments=segments_seen,
        computed={each.id: each.gives for each in measured.computed_attributes},
        value_lists=tuple(each.id for each in lists.value_lists),
        topics=tuple(topics),
        has_all_segments=listed.next_cursor is None,
    )


async def segments_with(api: AsyncClient, text: str) -> dict[str, str]:
    """Id → name of the first segments with the text in their id, name or description. Raises ApiError."""
    page = await api.send(segments.page(search=text[:LONGEST], limit=FOUND))
    return {each.id: each.name for each in page.segments}


async def _prepared(api: AsyncClient) -> None:
    """Without it the first preview only comes later."""
    with contextlib.suppress(ApiError):
        await api.send(planning.prepare())


async def seen_again(api: AsyncClient, before: Seen) -> Seen:
    """With the names of events and attributes that were seen meanwhile. Raises ApiError."""
    found = of_names(await api.send(names.read()))
    return msgspec.structs.replace(before, events=found.events, attributes=found.attributes)


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
