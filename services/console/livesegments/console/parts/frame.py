"""What is around every page: the skip link, the header, the navigation, a line for messages."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from livesegments.console import paths
from livesegments.console.page import Page
from livesegments.console.parts.tag import Tag, icon, link
from livesegments.console.visit import Visit

SHOWN_S = 8.0
WAITING = "The api does not answer. This page goes on by itself when it is back."
TURN_THEME = "() => window.livesegments.turnTheme()"
TURN_MENU = "(e) => window.livesegments.turnMenu(e.currentTarget)"


class Frame:
    """Made before the page's content, which goes into `content`."""

    def __init__(self, visit: Visit, page: Page, pages: Sequence[Page]) -> None:
        client = visit.client
        client.layout.classes("shell")
        with client.layout:
            _before(client.layout, link("Skip to the content", "#content", "skip"), 0)
            _before(client.layout, _header(visit), 1)
            _before(client.layout, _navigation(visit, page, pages), 2)
            self._toast = Tag("div", "", "toast", role="status", aria_live="polite")
        self.content = client.content
        self.content.props["id"] = "content"
        self.content.props["tabindex"] = "-1"
        with self.content:
            self._banner = Tag("div", "", "banner", role="status")
        self._said: ui.timer | None = None

    def say(self, message: str, bad: bool = False) -> None:
        self._toast.text = message
        self._toast.classes(replace="toast shown bad" if bad else "toast shown")
        if self._said is not None:
            self._said.cancel()
        with self._toast:
            self._said = ui.timer(SHOWN_S, self._hush, once=True)

    def _hush(self) -> None:
        self._toast.text = ""
        self._toast.classes(replace="toast")

    def waiting(self, is_away: bool) -> None:
        """Says at the top that the api is away, or takes that back."""
        text = WAITING if is_away else ""
        if self._banner.text != text:
            self._banner.text = text


def _before(layout: ui.element, made: ui.element, index: int) -> None:
    made.move(layout, index)


def _header(visit: Visit) -> Tag:
    header = Tag("header", "", "top")
    with header:
        menu = Tag(
            "button", "", "button quiet menu", type="button", aria_label="Menu", aria_expanded="false",
            aria_controls="navigation",
        )  # fmt: skip
        menu.on("click", js_handler=TURN_MENU)
        with menu:
            icon("menu")
        with link("", "/", "brand", aria_label="livesegments"):
            Tag("span", "", "mark", aria_hidden="true")
            Tag("span", "livesegments")
        name = visit.chosen.name if visit.chosen else "No company chosen"
        if visit.session.admin:
            with link("", paths.WORKSPACES, "workspace"):
                Tag("span", name, "name")
                icon("unfold_more")
        else:
            Tag("span", name, "workspace name")
        turn = Tag("button", "", "button quiet", type="button", aria_label="Light or dark")
        turn.on("click", js_handler=TURN_THEME)
        with turn:
            icon("contrast")
        out = Tag("form", method="post", action="/sign-out")
        with out, Tag("button", "", "button quiet", type="submit", aria_label="Sign out"):
            icon("logout")
            Tag("span", "Sign out", "wide")
    return header


def _navigation(visit: Visit, page: Page, pages: Sequence[Page]) -> Tag:
    navigation = Tag("nav", "", "side", aria_label="Pages", id="navigation")
    with navigation, Tag("ul"):
        for each in pages:
            if not each.entry or not visit.may(each.needs) or (each.admin and not visit.session.admin):
                continue
            current = each.path == (page.under or page.path)
            with Tag("li"), link("", each.path, aria_current="page" if current else None):
                icon(each.icon)
                Tag("span", each.entry)
    return navigation
