"""The segments of all companies in one list, for admins: searched, sorted, of some companies or of all;
counts and states are live."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from livesegments.client import NotFound, across, workspaces
from livesegments.client.across import OwnedSegment, OwnedSegments
from livesegments.console import formats, paths
from livesegments.console.pages.segments.live import update
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
LOOK_S = 5.0
"""Every look asks for the sizes of what is on the page; sorted by size, of all segments there are."""
COLUMNS = {"name": "Name", "company": "Company", "size": "Profiles", "created": "Created"}
ORDERS = {"asc": "ascending", "desc": "descending"}
MOST_COMPANIES = 100


async def build(visit: Visit) -> None:
    with Tag("div", "", "page-head"):
        heading("Segments of all companies")
        link_button("Companies", paths.WORKSPACES, "plain", "apartment")
    listing = Listing(visit, await _named(visit, visit.query("companies")))
    await listing.show()
    visit.every(LOOK_S, listing.look)


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
        sort, order = visit.query("sort"), visit.query("order")
        self._sort = sort if sort in COLUMNS else "company"
        self._order = order if order in ORDERS else "asc"
        self._paging = Paging("Pages of the list", PAGE, self.show, "segment")
        self._shown: dict[tuple[str, str], tuple[int, Tag, Tag]] = {}
        """Workspace and id → the version that is shown, with the cells of its count and its state."""
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
        asked = {
            "search": self._search, "companies": ",".join(self._companies.chosen),
            "sort": "" if self._sort == "company" else self._sort,
            "order": "" if self._order == "asc" else self._order,
        }  # fmt: skip
        self._visit.address(paths.with_query(paths.ALL_SEGMENTS, **asked))
        await self.show()

    def _sorter(self, sort: str) -> Callable[[], Awaitable[None]]:
        async def turned() -> None:
            first = "asc" if sort in ("name", "company") else "desc"
            other = "desc" if self._order == "asc" else "asc"
            self._sort, self._order = sort, other if sort == self._sort else first
            await self._asked()

        return turned

    def _page(self) -> Awaitable[OwnedSegments]:
        order: Any = {"sort": self._sort, "order": self._order}
        request = across.segments(
            workspace=list(self._companies.chosen)[:MOST_COMPANIES] or None,
            search=self._search, limit=PAGE, cursor=self._paging.cursor, **order,
        )  # fmt: skip
        return self._visit.admin.send(request)

    async def show(self) -> None:
        page = await self._paging.newest(self._page())
        if page is None:
            return
        self._place.clear()
        self._shown = {}
        with self._place:
            if not page.segments:
                empty(
                    "No segment fits", "Choose other companies, or search for something else.", "search_off"
                )
                return
            heads = [
                Column(
                    text, sort == "size", sort=self._sorter(sort),
                    sorted=ORDERS[self._order] if sort == self._sort else "",
                )
                for sort, text in COLUMNS.items()
            ]  # fmt: skip
            columns = (
                *heads[:3],
                *map(Column, ("State", "Type")),
                heads[3],
                Column("What to do", hidden=True),
            )
            with table("Segments of all companies", *columns):
                for each in page.segments:
                    with Tag("tr"):
                        self._row(each)
            self._paging.foot(len(page.segments), page.next_cursor)

    async def look(self) -> None:
        """Brings counts and states up to date; where other segments are on the page by now, the page is
        made anew."""
        page = await self._paging.unless_turned(self._page())
        if page is None:
            return
        now = {(each.workspace, each.segment.id): each.segment for each in page.segments}
        versions = {place: version for place, (version, _, _) in self._shown.items()}
        if [(place, each.version) for place, each in now.items()] != list(versions.items()):
            await self.show()
            return
        for place, segment in now.items():
            _, count, state = self._shown[place]
            update(row(segment, self._visit.zone), count, state)

    def _row(self, owned: OwnedSegment) -> None:
        shown = row(owned.segment, self._visit.zone)
        with Tag("th", "", "", scope="row"), Tag("div", "", "name-cell"):
            Tag("span", shown.name, "break")
            if shown.description:
                Tag("span", shown.description, "muted break")
        company = formats.short(owned.workspace_name, 80)
        Tag("td", company, "break")
        count = Tag("td", shown.count, "number")
        with Tag("td"):
            state = badge(shown.state, shown.state_kind)
        self._shown[owned.workspace, owned.segment.id] = owned.segment.version, count, state
        Tag("td", shown.type)
        Tag("td", shown.created)
        with Tag("td", "", "actions"):
            opened = partial(self._open, owned.workspace, owned.segment.id)
            button("Open", opened, label=f"Open {shown.name} of {company}")

    def _open(self, workspace: str, segment: str) -> None:
        """In its company, which is the chosen one from then on."""
        self._visit.session.workspace = workspace
        self._visit.go(paths.segment(segment))
