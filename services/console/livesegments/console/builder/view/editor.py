"""The builder of a segment: what it is called, its definition as boxes and as JSON, and who would be in
it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from livesegments.console.builder import live, notes, pointer, tree
from livesegments.console.builder.drafts import Draft
from livesegments.console.builder.history import same
from livesegments.console.builder.known import Known
from livesegments.console.builder.later import Values
from livesegments.console.builder.live import Live
from livesegments.console.builder.rows import empty, rows, walk
from livesegments.console.builder.view.context import Place
from livesegments.console.builder.view.details_view import DetailsView
from livesegments.console.builder.view.json_pane import JsonPane
from livesegments.console.builder.view.preview_view import PreviewView
from livesegments.console.builder.view.tree_view import TreeView
from livesegments.console.formats import count, number
from livesegments.console.parts.button import button
from livesegments.console.parts.tag import Tag, link
from livesegments.core.sentence.nodes import sentence

NOTHING = "Nobody yet: add a condition, or take one from the gallery."


class Editor:
    """Fits `tree_view.Edits`. All that is written goes into `draft` at once."""

    def __init__(
        self,
        draft: Draft,
        known: Known,
        asks: live.Sends,
        focus: Callable[[str], None],
    ) -> None:
        self.draft, self._names = draft, known
        self._values = Values(asks)
        self._focus = focus
        self.known = live.Seen()
        self._live = Live(asks, draft.segment, self._show)

    def build(self) -> None:
        with Tag("div", "", "builder forms"):
            with Tag("div", "", "builder-main"):
                self.details = DetailsView(self.draft, self._names.seen)
                with Tag("section", "", "card sentence", aria_label="In words"):
                    self._sentence = Tag("p", "", "break", aria_live="polite")
                    self._size = Tag("p", "", "narrow muted", aria_hidden="true")
                with Tag("section", "", "card conditions", aria_label="Definition"):
                    with Tag("div", "", "spread"):
                        Tag("h2", "Conditions")
                        with Tag("div", "", "row"):
                            link("Gallery", "/gallery", "small")
                            self._undo = button("", self.undo, "quiet", "undo", "Undo", title="Undo (Ctrl+Z)")
                            self._redo = button("", self.redo, "quiet", "redo", "Redo", title="Redo (Ctrl+Y)")
                            self._undo.set(data_does="undo")
                            self._redo.set(data_does="redo")
                    self._tree = TreeView(self)
            with Tag("div", "", "builder-json"):
                self._json = JsonPane(self._typed)
            with Tag("aside", "", "builder-side"):
                self._preview = PreviewView()
        self._tree.build()
        self._said()

    def stop(self) -> None:
        """The page has gone."""
        self._live.stop()
        self._values.stop()
        self._names.stop()

    @property
    def definition(self) -> Any:
        return self.draft.definition

    @property
    def opened(self) -> str | None:
        return self.draft.opened

    @property
    def names(self) -> dict[str, str]:
        return self._names.seen.segments

    def place(self, at: str) -> Place:
        return Place(at, lambda: self.definition, self._put, self._names, self._values.of)

    def open(self, at: str | None) -> None:
        """Opens the form of a row, and closes the one that was open."""
        before, self.draft.opened = self.draft.opened, at
        self._names.renew()
        for each in (before, at):
            if each is not None:
                self._tree.turn(each)
        self._focus(at if at is not None else before or "")

    def edit(self, made: tree.Edited, opens: bool = False) -> None:
        """Another shape of the definition; the row that it is about has the focus then."""
        self.draft.history = self.draft.history.edited(made.document)
        self.draft.opened = made.pointer if opens else None
        self._names.renew()
        self._tree.counts({}, 0)
        self._tree.notes([])
        self._tree.build()
        self._focus(made.pointer)
        self._said()

    def undo(self) -> None:
        self._back(self.draft.history.undone())

    def redo(self) -> None:
        self._back(self.draft.history.redone())

    def ask_again(self) -> None:
        self._ask()

    def _back(self, history: Any) -> None:
        self.draft.history = history
        self._close_lost()
        self._tree.build()
        self._said()

    def _put(self, at: str, value: Any, reshaped: bool) -> None:
        document = pointer.put(self.definition, at, value)
        self.draft.history = self.draft.history.edited(document, "" if reshaped else at)
        if reshaped and self.draft.opened is not None:
            self._tree.rebuild(self.draft.opened)
        else:
            self._tree.said()
        self._said()

    def _typed(self, value: Any) -> None:
        """In the pane of JSON."""
        self.draft.history = self.draft.history.edited(value, "json")
        self._close_lost()
        self._tree.build()
        self._said()

    def _close_lost(self) -> None:
        if self.draft.opened not in {row.pointer for row in walk(rows(self.definition))}:
            self.draft.opened = None

    @property
    def is_empty(self) -> bool:
        return same(self.definition, empty())

    @property
    def is_changed(self) -> bool:
        """Whether the definition is not the one that was read."""
        return not same(self.definition, self.draft.original)

    def _said(self) -> None:
        """All that follows from the definition is brought up to date."""
        self._sentence.text = NOTHING if self.is_empty else sentence(self.definition, self.names)
        self._undo.set(disabled=not self.draft.history.before)
        self._redo.set(disabled=not self.draft.history.after)
        self._json.show(self.definition)
        self._ask()

    def _ask(self) -> None:
        if self.is_empty:
            self._live.stop()
            self.known = live.Seen(asking=False)
            self._size.text = ""
            self._preview.nothing()
            self._tree.notes([])
            return
        self._live.changed(self.definition, self.is_changed)

    def _show(self, seen: live.Seen) -> None:
        self.known = seen
        if seen.error is not None:
            found = notes.of_definition(self.definition, live.faults(seen.error), bad=True)
        elif seen.preview is not None:
            found = notes.of_definition(self.definition, seen.preview.warnings, bad=False)
            if seen.plan is not None:
                known = {(each.node, each.field, each.code) for each in found}
                planned = notes.of_definition(self.definition, seen.plan.warnings, bad=False)
                found += [each for each in planned if (each.node, each.field, each.code) not in known]
        else:
            self._preview.show(seen, [])
            return
        self._tree.notes(found)
        self._size.text = ""
        if seen.preview is not None:
            about = "about " * bool(seen.preview.margin)
            many = count(seen.preview.profiles, "profile")
            self._size.text = f"{about}{number(seen.preview.count)} of {many}"
            counts = {each.pointer: each.count for each in seen.preview.nodes}
            self._tree.counts(counts, seen.preview.profiles)
        self._preview.show(seen, found)

    def refused(self, faults: list[Any]) -> None:
        """What saving was refused for."""
        self._tree.notes(notes.of_definition(self.definition, faults, bad=True))
        self.details.show(notes.of_rest(faults, bad=True))
