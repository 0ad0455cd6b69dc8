"""What the segment is called: name, description, tags, folder, topics."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import Client

from livesegments.console.builder.drafts import Draft
from livesegments.console.builder.notes import Note
from livesegments.console.builder.seen import Seen
from livesegments.console.builder.view import inputs
from livesegments.console.parts.tag import Tag, icon


class DetailsView:
    """Writes into the draft."""

    def __init__(self, draft: Draft, seen: Seen) -> None:
        self._draft, self._seen = draft, seen
        with Tag("section", "", "card details", aria_label="Name and description"):
            self._box = Tag("div", "", "stack")
            self._notes = Tag("div", "", "notes", role="status")
        self.build()

    def build(self) -> None:
        self._box.clear()
        draft = self._draft

        def write(name: str, value: object) -> None:
            setattr(draft, name, value)

        with self._box:
            self._name = inputs.line(
                "Name", draft.name, lambda to: write("name", to), maxlength=200,
                placeholder="What is it called?",
            )  # fmt: skip
            with inputs.more("Description, folder, tags and topics"), Tag("div", "", "stack"):
                inputs.area(
                    "Description", draft.description, lambda to: write("description", to), maxlength=2_000
                )
                hint = "A path: Campaigns/Spring"
                inputs.line("Folder", draft.folder, lambda to: write("folder", to), hint=hint, maxlength=200)
                self._labels("Tags", "tags")
                self._labels("Topics", "topics", self._seen.topics)

    def _labels(self, text: str, field: str, offers: Sequence[str] = ()) -> None:
        box = Tag("div")

        def change(to: list[str]) -> None:
            setattr(self._draft, field, list(dict.fromkeys(to)))
            fill()

        def fill() -> None:
            box.clear()
            with box:
                inputs.chips(text, getattr(self._draft, field), change, offers)

        fill()

    def focus_name(self, client: Client) -> None:
        client.run_javascript(f"document.getElementById('c{self._name.id}')?.focus()")

    def show(self, notes: Sequence[Note]) -> None:
        """Faults of the name and so on."""
        self._notes.clear()
        with self._notes:
            for note in notes:
                with Tag("p", "", "note bad"):
                    icon("error_outline")
                    Tag("span", note.words, "break")
