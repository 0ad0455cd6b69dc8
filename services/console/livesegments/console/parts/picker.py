"""Chooses some of many, of any number: one searches, and presses what is to be added."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from livesegments.client import segments, workspaces
from livesegments.console import formats
from livesegments.console.parts.button import button
from livesegments.console.parts.field import text_field
from livesegments.console.parts.tag import Tag
from livesegments.console.visit import Visit

FOUND = 8

Find = Callable[[str], Awaitable[Mapping[str, str]]]
"""What has a text in its name: id → name, the first few."""


class Picker:
    """`chosen`: id → name, in the order in which they were chosen. `what`: one of them, as a word."""

    def __init__(
        self,
        find: Find,
        label: str,
        what: str,
        hint: str = "",
        changed: Callable[[], Awaitable[None] | None] = lambda: None,
        chosen: Mapping[str, str] | None = None,
        placeholder: str = "",
    ) -> None:
        self.chosen = dict(chosen or {})
        self._find, self._what, self._changed = find, what, changed
        with Tag("div", "", "stack tight picker") as self.box:
            self._chips = Tag("div", "", "row", role="group", aria_label=f"{label}: chosen")
            text_field(
                label, kind="search", eager=True, longest=200, changed=self._search, hint=hint,
                placeholder=placeholder or None,
            )  # fmt: skip
            self._found = Tag("div", "", "row", role="group", aria_label=f"{label}: found")
        self._draw()

    async def _search(self, text: str) -> None:
        if not text:
            self._found.clear()
            return
        found = await self._find(text)
        self._found.clear()
        with self._found:
            for id_, name in found.items():
                if id_ not in self.chosen:
                    button(formats.short(name, 60), partial(self._add, id_, name), picture="add")
            if not found:
                Tag("span", f"No {self._what} has that in its name.", "muted")

    def _add(self, id_: str, name: str) -> Awaitable[None] | None:
        self.chosen[id_] = name
        self._found.clear()
        self._draw()
        return self._changed()

    def _remove(self, id_: str) -> Awaitable[None] | None:
        self.chosen.pop(id_, None)
        self._draw()
        return self._changed()

    def _draw(self) -> None:
        self._chips.clear()
        with self._chips:
            for id_, name in self.chosen.items():
                short = formats.short(name, 60)
                button(short, partial(self._remove, id_), picture="close", label=f"Take {short} away")


def finds_segments(visit: Visit) -> Find:
    async def find(text: str) -> Mapping[str, str]:
        page = await visit.api.send(segments.page(search=text, limit=FOUND))
        return {each.id: each.name for each in page.segments}

    return find


def finds_companies(visit: Visit) -> Find:
    """For admins."""

    async def find(text: str) -> Mapping[str, str]:
        page = await visit.admin.send(workspaces.page(search=text, limit=FOUND))
        return {each.id: each.name for each in page.workspaces}

    return find
