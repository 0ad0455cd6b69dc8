"""The cells of a list of segments that change while the page is open."""

from __future__ import annotations

from livesegments.console.pages.segments.rows import Row
from livesegments.console.parts.tag import Tag


def update(now: Row, count: Tag, state: Tag) -> None:
    """Only what is another now is sent to the browser."""
    if count.text != now.count:
        count.text = now.count
    if state.text != now.state:
        state.text = now.state
        state.classes(replace=f"badge {now.state_kind}")
