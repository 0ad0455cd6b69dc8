"""The names of segments, for pages that show their ids."""

from __future__ import annotations

from livesegments.client import AsyncClient, segments

MOST = 1_000
"""Of a workspace with more, the others are shown by their ids."""


async def of_workspace(api: AsyncClient) -> dict[str, str]:
    """Id → name."""
    page = await api.send(segments.page(limit=MOST))
    return {each.id: each.name for each in page.segments}
