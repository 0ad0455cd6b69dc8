"""An admin's companies, searched as one types. Choosing one leads to its segments, or to the page that asked
for it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from livesegments.client import workspaces
from livesegments.client.workspaces import Workspace
from livesegments.console import formats, paths
from livesegments.console.access.origin import local
from livesegments.console.parts.button import button, link_button
from livesegments.console.parts.empty import empty
from livesegments.console.parts.field import text_field
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, heading, paragraph
from livesegments.console.visit import Visit

LIMIT = 1_000
MOST = 10_000
"""So many companies are searched, the oldest first."""
SHOWN = 100


async def build(visit: Visit) -> None:
    known = await _known(visit)
    heading("Companies")
    if not known:
        empty("No company yet", "Make one with `livesegments workspaces create NAME`.", "apartment")
        return

    def show(text: str) -> None:
        place.clear()
        with place:
            _show(visit, [each for each in known if fits(each.name, each.id, text)])

    with Tag("div", "", "filters", role="search"):
        text_field(
            "Search", kind="search", eager=True, longest=200, classes="search", placeholder="Name or id",
            changed=show,
        )  # fmt: skip
    place = Tag("div", "", "stack tight")
    show("")


def fits(name: str, id_: str, text: str) -> bool:
    """Whether a company's name or id has the text, in capitals or not; pure."""
    wanted = text.strip().casefold()
    return wanted in name.casefold() or wanted in id_.casefold()


async def _known(visit: Visit) -> list[Workspace]:
    known: list[Workspace] = []
    async for page in visit.admin.pages(workspaces.page(limit=LIMIT)):
        known += page.workspaces
        if len(known) >= MOST:
            break
    return known


def _show(visit: Visit, found: Sequence[Workspace]) -> None:
    if not found:
        empty("No company fits", "Search for a part of its name, or of its id.", "search_off")
        return

    def choose(id_: str) -> None:
        visit.session.workspace = id_
        visit.go(local(visit.query("next")))

    columns = ("Name", "Id", "Time zone", "Created", Column("Actions", hidden=True))
    with table("Companies", *columns):
        for each in found[:SHOWN]:
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
                    link_button("Keys", paths.keys(each.id), "quiet", label=f"Keys of {each.name}")
    if len(found) > SHOWN:
        paragraph(
            f"{formats.number(len(found) - SHOWN)} more: search for the one that you want.", "muted small"
        )
