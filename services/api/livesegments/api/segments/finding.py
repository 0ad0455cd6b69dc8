"""The segment that a path names, or the refusal that says why there is none."""

from __future__ import annotations

from livesegments.api.context import Context
from livesegments.api.web.problems import not_found, quoted
from livesegments.wire.catalog import Segment


async def found(context: Context, workspace: str, id_: str) -> Segment:
    """Raises Problem 404."""
    segment = await context.catalog.segment(workspace, id_)
    if segment is None:
        raise not_found("segment", id_)
    return segment


async def found_for(context: Context, workspace: str, id_: str, profile: str) -> Segment:
    """The segment that is asked about for a profile. Raises Problem 404, which says so where the two ids
    were given the wrong way round: `explain ada coffee-lately` for `explain coffee-lately ada`."""
    segment = await context.catalog.segment(workspace, id_)
    if segment is not None:
        return segment
    swapped = await context.catalog.segment(workspace, profile) is not None
    if swapped and await context.profiles.get(workspace, [id_]):
        raise not_found("segment", id_, f"segment {quoted(profile)} and profile {quoted(id_)}")
    raise not_found("segment", id_)
