"""All lists that follow something, with how their last run went."""

from __future__ import annotations

from livesegments.client import sources
from livesegments.client.sources import Source
from livesegments.console import formats, paths, segment_names
from livesegments.console.pages.sources import shown
from livesegments.console.parts.button import link_button
from livesegments.console.parts.empty import empty
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, heading, link
from livesegments.console.visit import Visit

LOOK_S = 3.0
NEW = f"{paths.SOURCES}/new"
NOTHING = """A list can be kept equal to a table or a query of a database, or to a file: who appears there is
put on it, who vanishes is taken off."""


async def build(visit: Visit) -> None:
    with Tag("div", "", "page-head"):
        heading("External lists")
        if visit.may("write"):
            link_button("New external list", NEW, "primary", "add")
    place = Tag("div", "", "stack")
    last: list[Source] | None = None

    async def look() -> None:
        nonlocal last
        found = (await visit.api.send(sources.every())).sources
        if found == last:
            return
        last = found
        names = await segment_names.of(visit.api, [each.segment for each in found])
        place.clear()
        with place:
            if found:
                _table(visit, found, names)
            else:
                action = "New external list" if visit.may("write") else ""
                empty("No list follows anything yet", NOTHING, "sync_alt", action, NEW)

    await look()
    visit.every(LOOK_S, look)


def _table(visit: Visit, found: list[Source], names: dict[str, str]) -> None:
    numbers = (Column("Put on it", number=True), Column("Taken off", number=True))
    with table("External lists", "List", "From", "Read", "Last run", *numbers):
        for each in found:
            with Tag("tr"):
                with Tag("th", "", "break", scope="row"):
                    link(
                        formats.short(names.get(each.segment, each.segment), 120), paths.source(each.segment)
                    )
                Tag("td", shown.origin(each), "break")
                Tag("td", shown.every(each.every_s))
                with Tag("td"):
                    if each.now is not None:
                        badge("running", "warn")
                    if each.last is None:
                        Tag("span", "none yet" if each.now is None else "", "muted")
                    else:
                        badge(each.last.state, shown.KINDS.get(each.last.state, ""))
                        Tag("div", formats.moment(each.last.ended_at, visit.zone), "muted small")
                Tag("td", formats.number(each.last.added) if each.last else "–", "number")
                Tag("td", formats.number(each.last.removed) if each.last else "–", "number")
