"""Chooses segments, of any number: one searches, and presses what is to be added."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from livesegments.client import segments
from livesegments.console import formats
from livesegments.console.parts.button import button
from livesegments.console.parts.field import text_field
from livesegments.console.parts.tag import Tag
from livesegments.console.visit import Visit

FOUND = 8


class SegmentPicker:
    """`chosen`: id → name, in the order in which they were chosen."""

    def __init__(
        self, visit: Visit, label: str, nothing: str, changed: Callable[[], None] = lambda: None
    ) -> None:
        self.chosen: dict[str, str] = {}
        self._visit, self._nothing, self._changed = visit, nothing, changed
        with Tag("div", "", "stack tight"):
            self._chips = Tag("div", "", "row", role="group", aria_label=f"{label}: chosen")
            text_field(label, kind="search", eager=True, longest=200, changed=self._search, hint=nothing)
            self._found = Tag("div", "", "row", role="group", aria_label=f"{label}: found")

    async def _search(self, text: str) -> None:
        if not text:
            self._found.clear()
            return
        page = await self._visit.api.send(segments.page(search=text, limit=FOUND))
        self._found.clear()
        with self._found:
            for each in page.segments:
                if each.id not in self.chosen:
                    button(
                        formats.short(each.name, 60), partial(self._add, each.id, each.name), picture="add"
                    )
            if not page.segments:
                Tag("span", "No segment has that in its name.", "muted")

    def _add(self, id_: str, name: str) -> None:
        self.chosen[id_] = name
        self._found.clear()
        self._draw()

    def _remove(self, id_: str) -> None:
        self.chosen.pop(id_, None)
        self._draw()

    def _draw(self) -> None:
        self._chips.clear()
        with self._chips:
            for id_, name in self.chosen.items():
                short = formats.short(name, 60)
                button(short, partial(self._remove, id_), picture="close", label=f"Take {short} away")
        self._changed()
