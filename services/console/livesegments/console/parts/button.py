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
    busy = False

    def press() -> Awaitable[None] | None:
        """Pressed again while it is done, it does nothing."""
        result = None if busy else pressed()
        return None if result is None else done(result)

    async def done(result: Awaitable[None]) -> None:
        nonlocal busy
        busy = True
        made.set(aria_busy="true")
        try:
            await result
        finally:
            busy = False
            made.set(aria_busy=None)

    made.on("click", lambda _: press(), args=[])
    return made


def link_button(text: str, path: str, kind: Kind = "plain", picture: str = "", label: str = "") -> Tag:
    made = link("", path, f"button {kind}", aria_label=label or None)
    with made:
        if picture:
            icon(picture)
        Tag("span", text)
    return made
