"""An admin's companies, searched as one types. Choosing one leads to its segments, or to the page that asked
for it."""

from __future__ import annotations

from functools import partial

from livesegments.client import workspaces
from livesegments.client.workspaces import Workspaces
from livesegments.console import formats, paths
from livesegments.console.access.origin import local
from livesegments.console.pages.workspaces import company
from livesegments.console.parts.button import button, link_button
from livesegments.console.parts.empty import empty
from livesegments.console.parts.field import text_field
from livesegments.console.parts.paging import Paging
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, heading, paragraph
from livesegments.console.visit import Visit

SHOWN = 100


async def build(visit: Visit) -> None:
    wanted = ""
    with Tag("div", "", "page-head"):
        heading("Companies")
        with Tag("div", "", "row"):
            link_button("Segments of all companies", paths.ALL_SEGMENTS, "plain", "donut_small")
            button("New company", lambda: company.create(visit, again), "primary", "add")

    async def show(text: str) -> None:
        nonlocal wanted
        wanted = text.strip()
        found = await paging.newest(visit.admin.send(workspaces.page(search=wanted, limit=SHOWN)))
        if found is None:
            return
        place.clear()
        with place:
            if not found.workspaces and not wanted:
                empty(
                    "No company yet",
                    "Make one: its segments and profiles are seen by nobody else.",
                    "apartment",
                )
            else:
                _show(visit, found, again)

    async def again() -> None:
        await show(wanted)

    paging = Paging("Companies", SHOWN, again)
    with Tag("div", "", "filters", role="search"):
        text_field(
            "Search", kind="search", eager=True, longest=200, classes="search", placeholder="Name or id",
            changed=show,
        )  # fmt: skip
    place = Tag("div", "", "stack tight")
    await show("")


def _show(visit: Visit, page: Workspaces, again: company.Again) -> None:
    if not page.workspaces:
        empty("No company fits", "Search for a part of its name, or of its id.", "search_off")
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
                    edit = partial(company.edit, visit, each.id, again)
                    button("Edit", edit, "quiet", label=f"Edit {each.name}")
                    link_button("Keys", paths.keys(each.id), "quiet", label=f"Keys of {each.name}")
    if page.next_cursor is not None:
        paragraph(f"The first {SHOWN}: search for the one that you want.", "muted small")
