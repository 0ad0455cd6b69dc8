"""The list of segments."""

from __future__ import annotations

from livesegments.client import segments
from livesegments.console import formats, paths
from livesegments.console.parts.empty import empty
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, heading, link
from livesegments.console.visit import Visit


async def build(visit: Visit) -> None:
    page = await visit.api.send(segments.page(limit=50))
    heading("Segments")
    if not page.segments:
        empty("No segment yet", "A segment is who fits a definition, at every moment.", "donut_small")
        return
    with table("Segments", "Name", Column("Profiles", number=True), "State", "Created"):
        for each in page.segments:
            with Tag("tr"):
                with Tag("th", "", "break", scope="row"):
                    link(formats.short(each.name), paths.segment(each.id))
                Tag("td", formats.number(each.count), "number")
                Tag("td", each.state)
                Tag("td", formats.day(each.created_at, visit.zone))
