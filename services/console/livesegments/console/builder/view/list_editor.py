"""A static segment is a list: it has a name and so on, and no conditions."""

from __future__ import annotations

from typing import Any

from livesegments.console.builder import live, notes
from livesegments.console.builder.drafts import Draft
from livesegments.console.builder.seen import Seen
from livesegments.console.builder.view.details_view import DetailsView
from livesegments.console.parts.tag import Tag


class ListEditor:
    """What saving asks of an editor."""

    is_changed = False
    known = live.Seen(asking=False)

    def __init__(self, draft: Draft, seen: Seen) -> None:
        self._draft, self._seen = draft, seen

    def build(self) -> None:
        with Tag("div", "", "stack forms"):
            self.details = DetailsView(self._draft, self._seen)
            Tag("p", "This segment is a list: who is on it is said by name, not by conditions.", "muted")

    def refused(self, faults: list[Any]) -> None:
        self.details.show(notes.of_rest(faults, bad=True))

    def ask_again(self) -> None:
        """Nothing is counted for it."""

    def stop(self) -> None:
        """Nothing goes on."""
