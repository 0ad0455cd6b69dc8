"""A menu of what can be done with a row: one for a page, filled when it is opened. Escape closes it, and
the focus is back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from msgspec import Struct
from nicegui import context

from livesegments.console.parts.button import Kind, button, link_button
from livesegments.console.parts.tag import Tag, icon


class Item(Struct, frozen=True):
    """Something that is done (`pressed`), or a page (`path`)."""

    text: str
    picture: str
    pressed: Callable[[], Awaitable[None] | None] | None = None
    path: str = ""
    kind: Kind = "plain"


class Menu:
    def __init__(self) -> None:
        self._client = context.client
        self._list = Tag("div", "", "actions-list", popover="auto")

    def button(self, label: str, items: Callable[[], Sequence[Item]]) -> Tag:
        """Opens the menu. `label`: for screen readers, "What to do with Buyers"."""
        made = Tag("button", "", "button quiet", type="button", aria_label=label, aria_haspopup="true")
        with made:
            icon("more_vert")
        made.on("click", lambda _: self._open(made, items()), args=[])
        return made

    def _open(self, at: Tag, items: Sequence[Item]) -> None:
        self._list.clear()
        with self._list:
            for each in items:
                if each.pressed is None:
                    link_button(each.text, each.path, each.kind, each.picture)
                else:
                    button(each.text, partial(self._do, each.pressed), each.kind, each.picture)
        self._client.run_javascript(f"window.livesegments.openMenu({self._list.id}, {at.id})")

    def _do(self, action: Callable[[], Awaitable[None] | None]) -> Awaitable[None] | None:
        self._client.run_javascript(f"getHtmlElement({self._list.id}).hidePopover()")
        return action()
