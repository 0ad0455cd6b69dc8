"""The segments of all companies in one list, for admins: searched, of some companies or of all."""

from __future__ import annotations

import asyncio
from functools import partial

from livesegments.client import NotFound, across, workspaces
from livesegments.client.across import OwnedSegment
from livesegments.console import formats, paths
from livesegments.console.pages.segments.rows import row
from livesegments.console.parts.button import button, link_button
from livesegments.console.parts.empty import empty
from livesegments.console.parts.field import text_field
from livesegments.console.parts.paging import Paging
from livesegments.console.parts.picker import Picker, finds_companies
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, heading
from livesegments.console.visit import Visit

PAGE = 50
LONGEST = 200
MOST_COMPANIES = 100


async def build(visit: Visit) -> None:
    with Tag("div", "", "page-head"):
        heading("Segments of all companies")
        link_button("Companies", paths.WORKSPACES, "plain", "apartment")
    listing = Listing(visit, await _named(visit, visit.query("companies")))
    await listing.show()


async def _named(visit: Visit, ids: str) -> dict[str, str]:
    """Id → name of the companies that the address names; those that are gone are passed over."""

    async def one(id_: str) -> tuple[str, str] | None:
        try:
            return id_, (await visit.admin.send(workspaces.read(id_))).name
        except NotFound:
            return None

    wanted = [each for each in ids.split(",") if each][:MOST_COMPANIES]
    return dict(filter(None, await asyncio.gather(*map(one, wanted))))


class Listing:
    def __init__(self, visit: Visit, companies: dict[str, str]) -> None:
        self._visit, self._search = visit, visit.query("search")[:LONGEST]
        self._paging = Paging("Pages of the list", PAGE, self.show, "segment")
        with Tag("div", "", "filters", role="search"):
            text_field(
                "Search", self._search, kind="search", eager=True, longest=LONGEST, classes="search",
                placeholder="Name, description or id", changed=self._sought,
            )  # fmt: skip
            self._companies = Picker(
                finds_companies(visit), "Company", "company", "", self._asked, companies, "All companies"
            )
        self._place = Tag("div", "", "stack tight")

    async def _sought(self, text: str) -> None:
        self._search = text
        await self._asked()

    async def _asked(self) -> None:
        self._paging.restart()
        chosen = ",".join(self._companies.chosen)
        path = paths.with_query(paths.ALL_SEGMENTS, search=self._search, companies=chosen)
        self._visit.address(path)
        await self.show()

    async def show(self) -> None:
        request = across.segments(
            workspace=list(self._companies.chosen)[:MOST_COMPANIES] or None,
            search=self._search, limit=PAGE, cursor=self._paging.cursor,
        )  # fmt: skip
        page = await self._paging.newest(self._visit.admin.send(request))
        if page is None:
            return
        self._place.clear()
        with self._place:
            if not page.segments:
                empty(
                    "No segment fits", "Choose other companies, or search for something else.", "search_off"
                )
                return
            columns = ("Name", "Company", Column("Profiles", number=True), "State", "Type", "Created")
            with table("Segments of all companies", *columns, Column("What to do", hidden=True)):
                for each in page.segments:
                    with Tag("tr"):
                        self._row(each)
            self._paging.foot(len(page.segments), page.next_cursor)

    def _row(self, owned: OwnedSegment) -> None:
        shown = row(owned.segment, self._visit.zone)
        with Tag("th", "", "", scope="row"), Tag("div", "", "name-cell"):
            Tag("span", shown.name, "break")
            if shown.description:
                Tag("span", shown.description, "muted break")
        company = formats.short(owned.workspace_name, 80)
        Tag("td", company, "break")
        Tag("td", shown.count, "number")
        with Tag("td"):
            badge(shown.state, shown.state_kind)
        Tag("td", shown.type)
        Tag("td", shown.created)
        with Tag("td", "", "actions"):
            opened = partial(self._open, owned.workspace, owned.segment.id)
            button("Open", opened, label=f"Open {shown.name} of {company}")

    def _open(self, workspace: str, segment: str) -> None:
        """In its company, which is the chosen one from then on."""
        self._visit.session.workspace = workspace
        self._visit.go(paths.segment(segment))
