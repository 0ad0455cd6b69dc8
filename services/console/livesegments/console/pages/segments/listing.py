"""The list of segments: searched as one types, filtered, sorted, in pages of 50; counts and states are
live."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from nicegui import background_tasks

from livesegments.client.segments import Segment, Segments
from livesegments.console import paths
from livesegments.console.pages.segments import asked
from livesegments.console.pages.segments.actions.menu import items
from livesegments.console.pages.segments.asked import STATES, TYPES, Asked
from livesegments.console.pages.segments.live import update
from livesegments.console.pages.segments.rows import Row, row
from livesegments.console.parts.button import link_button
from livesegments.console.parts.empty import empty
from livesegments.console.parts.field import choice_field, text_field
from livesegments.console.parts.menu import Menu
from livesegments.console.parts.paging import Paging
from livesegments.console.parts.picker import Picker, finds_companies
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, heading, link
from livesegments.console.visit import Visit

LOOK_S = 2.0
COLUMNS = {"name": "Name", "size": "Profiles", "created": "Created"}


async def build(visit: Visit) -> None:
    with Tag("div", "", "page-head"):
        heading("Segments")
        if visit.session.admin:
            link_button("All companies", paths.ALL_SEGMENTS, "plain", "apartment")
        if visit.may("write"):
            link_button("New segment", paths.NEW_SEGMENT, "primary", "add")
    if visit.session.admin:
        _companies(visit)
    listing = Listing(visit, asked.read(visit.request.query_params))
    listing.filters()
    await listing.show()
    visit.every(LOOK_S, listing.look)


def _companies(visit: Visit) -> None:
    """An admin turns to another company, searched by its name."""

    def turned() -> None:
        visit.session.workspace = next(iter(picker.chosen))
        visit.go(paths.SEGMENTS)

    picker = Picker(
        finds_companies(visit), "Company", "company", "", turned, placeholder=visit.workspace.name
    )
    picker.box.classes("single")


class Listing:
    """What is shown, and what of it may change."""

    def __init__(self, visit: Visit, wanted: Asked) -> None:
        self._visit, self._wanted = visit, wanted
        self._paging = Paging("Pages of the list", asked.PAGE, self.show, "segment")
        self._shown: dict[str, tuple[Segment, Tag, Tag]] = {}
        """Id → the segment as it is shown, with the cells of its count and its state."""

    def filters(self) -> None:
        wanted = self._wanted
        with Tag("div", "", "filters", role="search"):
            text_field(
                "Search", wanted.search, kind="search", eager=True, longest=asked.LONGEST, classes="search",
                placeholder="Name, description or id", changed=lambda text: self._ask(search=text),
            )  # fmt: skip
            choice_field("State", STATES, wanted.state, changed=lambda state: self._ask(state=state))
            choice_field("Type", TYPES, wanted.type, changed=lambda kind: self._ask(type=kind))
            text_field("Tag", wanted.tag, changed=lambda text: self._ask(tag=text))
            text_field("Folder", wanted.folder, changed=lambda text: self._ask(folder=text))
            text_field("Topic", wanted.topic, changed=lambda text: self._ask(topic=text))
        self._place = Tag("div", "", "stack tight")
        self._menu = Menu()

    async def _ask(self, **changed: str) -> None:
        await self._turned(self._wanted.having(**changed))

    async def _turned(self, wanted: Asked) -> None:
        self._wanted = wanted
        self._paging.restart()
        self._visit.address(wanted.path())
        await self.show()

    async def show(self) -> None:
        page = await self._paging.newest(self._page())
        if page is None:
            return
        self._place.clear()
        self._shown = {}
        with self._place:
            if not page.segments:
                self._nothing()
            else:
                self._table(page.segments)
                self._paging.foot(len(page.segments), page.next_cursor)

    def _page(self) -> Awaitable[Segments]:
        return self._visit.api.send(self._wanted.request(self._paging.cursor))

    async def look(self) -> None:
        """Brings counts and states up to date; where other segments are on the page by now, the page is
        made anew."""
        page = await self._paging.unless_turned(self._page())
        if page is None:
            return
        if [(each.id, each.version) for each in page.segments] != [
            (id_, each.version) for id_, (each, _, _) in self._shown.items()
        ]:
            await self.show()
            return
        for segment in page.segments:
            _, count, state = self._shown[segment.id]
            update(row(segment, self._visit.zone), count, state)

    def _nothing(self) -> None:
        if self._wanted.is_filtered:
            empty("No segment fits", "Take away a filter, or search for something else.", "search_off")
        elif self._visit.may("write"):
            empty(
                "No segment yet", "A segment is who fits a definition, at every moment. Make the first one.",
                "donut_small", "New segment", paths.NEW_SEGMENT,
            )  # fmt: skip
        else:
            empty("No segment yet", "Whoever has a key with the scope `write` can make one.", "donut_small")

    def _table(self, segments: Sequence[Segment]) -> None:
        heads = {
            name: Column(text, name == "size", sort=self._sorter(name), sorted=self._wanted.sorted_by(name))
            for name, text in COLUMNS.items()
        }
        last = Column("What to do", hidden=True)
        with table("Segments", heads["name"], heads["size"], "State", "Type", heads["created"], last):
            for segment in segments:
                with Tag("tr"):
                    self._row(segment, row(segment, self._visit.zone))

    def _row(self, segment: Segment, shown: Row) -> None:
        with Tag("th", "", "", scope="row"), Tag("div", "", "name-cell"):
            link(shown.name, paths.segment(shown.id), "break")
            if shown.description:
                Tag("span", shown.description, "muted break")
            self._labels(shown)
        count = Tag("td", shown.count, "number")
        with Tag("td"):
            state = badge(shown.state, shown.state_kind)
        Tag("td", shown.type)
        Tag("td", shown.created)
        with Tag("td", "", "actions"):
            self._menu.button(
                f"What to do with {shown.name}",
                lambda: items(self._visit, segment, self._again),
            )
        self._shown[segment.id] = (segment, count, state)

    def _labels(self, shown: Row) -> None:
        if not (shown.labels or shown.folder):
            return
        with Tag("span", "", "labels"):
            if shown.folder:
                link(f"{shown.folder}/", Asked(folder=shown.folder).path(), "badge label")
            for label in shown.labels:
                link(label, Asked(tag=label).path(), "badge label")
            if shown.more_labels:
                badge(f"+{shown.more_labels}")

    def _sorter(self, name: str) -> Callable[[], Awaitable[None]]:
        return lambda: self._turned(self._wanted.turned(name))

    def _again(self) -> None:
        """After an action: the list as it is by now."""
        background_tasks.create(self.show())
