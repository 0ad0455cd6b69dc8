"""Buttons, and links that look like one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from livesegments.console.parts.tag import Tag, Value, icon, link

Kind = Literal["plain", "primary", "danger", "quiet"]
Pressed = Callable[[], Awaitable[None] | None]


def button(
    text: str, pressed: Pressed, kind: Kind = "plain", picture: str = "", label: str = "", **attributes: Value
) -> Tag:
    """`picture`: the name of an icon before the text. `label`: for screen readers, where the text alone is
    not plain: "Archive Buyers" on the tenth of many buttons called Archive."""
    made = Tag("button", "", f"button {kind}", type="button", aria_label=label or None, **attributes)
    with made:
        if picture:
            icon(picture)
        if text:
            Tag("span", text)
    made.on("click", lambda _: pressed(), args=[])
    return made


def link_button(text: str, path: str, kind: Kind = "plain", picture: str = "", label: str = "") -> Tag:
    made = link("", path, f"button {kind}", aria_label=label or None)
    with made:
        if picture:
            icon(picture)
        Tag("span", text)
    return made
