"""The head of every tab of a segment's page: its name, its state, what can be done with it, the tabs."""

from __future__ import annotations

from livesegments.client import segments
from livesegments.client.segments import Segment
from livesegments.console import formats, paths
from livesegments.console.pages.segments.actions.menu import items
from livesegments.console.pages.segments.asked import Asked
from livesegments.console.pages.segments.rows import Row, row
from livesegments.console.parts.button import link_button
from livesegments.console.parts.menu import Menu
from livesegments.console.parts.tag import Tag, badge, heading, link, paragraph
from livesegments.console.visit import Visit

TABS = {"": "Overview", "members": "Members", "versions": "Versions", "tests": "Tests", "uses": "Uses"}


class Head:
    """`segment` is as it was read last."""

    def __init__(self, visit: Visit, segment: Segment, tab: str) -> None:
        self._visit, self.segment = visit, segment
        shown = row(segment, visit.zone)
        link("Segments", paths.SEGMENTS, "small")
        with Tag("div", "", "page-head"):
            with Tag("div", "", "stack tight"):
                with Tag("div", "", "row"):
                    heading(shown.name, classes="break")
                    self._state = badge(shown.state, shown.state_kind)
                    badge(shown.type)
                if segment.description:
                    paragraph(formats.short(segment.description, 2_000), "muted break")
                _labels(segment)
            with Tag("div", "", "row"):
                if visit.may("write"):
                    link_button("Edit", paths.edit_segment(segment.id), "plain", "edit")
                menu = Menu()
                menu.button(
                    f"What to do with {shown.name}",
                    lambda: items(visit, self.segment, self._changed, opens=False),
                )
        with Tag("nav", "", "tabs", aria_label="About this segment"):
            for name, text in TABS.items():
                path = paths.segment(segment.id, name)
                link(text, path, aria_current="page" if name == tab else None)

    def show(self, segment: Segment) -> Row:
        """The state of now."""
        self.segment = segment
        shown = row(segment, self._visit.zone)
        if self._state.text != shown.state:
            self._state.text = shown.state
            self._state.classes(replace=f"badge {shown.state_kind}")
        return shown

    def _changed(self) -> None:
        """After an action: the list, where the segment may be gone by now."""
        self._visit.go(paths.SEGMENTS)


def _labels(segment: Segment) -> None:
    if not (segment.tags or segment.folder or segment.topics):
        return
    with Tag("span", "", "labels"):
        if segment.folder:
            link(f"{formats.short(segment.folder, 80)}/", Asked(folder=segment.folder).path(), "badge label")
        for tag in segment.tags:
            link(formats.short(tag, 40), Asked(tag=tag).path(), "badge label")
        for topic in segment.topics:
            link(f"about {formats.short(topic, 40)}", Asked(topic=topic).path(), "badge label")


async def begin(visit: Visit, tab: str = "") -> Head:
    """Reads the segment and draws its head. Raises NotFound."""
    return Head(visit, await visit.api.send(segments.read(visit.part("id"))), tab)
