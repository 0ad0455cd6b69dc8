"""An admin's companies. Choosing one leads to its segments, or to the page that asked for it."""

from __future__ import annotations

from functools import partial

from livesegments.client import workspaces
from livesegments.console import formats
from livesegments.console.access.origin import local
from livesegments.console.parts.button import button
from livesegments.console.parts.empty import empty
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, heading
from livesegments.console.visit import Visit

PAGE = 200


async def build(visit: Visit) -> None:
    page = await visit.admin.send(workspaces.page(limit=PAGE))
    heading("Companies")
    if not page.workspaces:
        empty("No company yet", "Make one with `livesegments workspaces create NAME`.", "apartment")
        return

    def choose(id_: str) -> None:
        visit.session.workspace = id_
        visit.go(local(visit.query("next")))

    columns = ("Name", "Id", "Time zone", "Created", Column("Actions", hidden=True))
    with table("Companies", *columns):
        for each in page.workspaces:
            with Tag("tr"):
                with Tag("th", "", "break", scope="row"):
                    Tag("span", each.name)
                    if each.id == visit.session.workspace:
                        badge("chosen", "good")
                Tag("td", each.id, "mono")
                Tag("td", each.timezone)
                Tag("td", formats.day(each.created_at, visit.zone))
                with Tag("td", "", "actions"):
                    button("Choose", partial(choose, each.id), label=f"Choose {each.name}")
