"""What a place shows that has nothing yet: what it is for, and what to do next."""

from __future__ import annotations

from livesegments.console.parts.button import link_button
from livesegments.console.parts.tag import Tag, heading, icon


def empty(
    title: str, says: str, picture: str = "inbox", action: str = "", path: str = "", level: int = 2
) -> Tag:
    """`level`: of the heading; 1 where it stands in place of a page."""
    made = Tag("div", "", "empty")
    with made:
        icon(picture)
        heading(title, level)
        Tag("p", says)
        if action:
            link_button(action, path, "primary")
    return made
