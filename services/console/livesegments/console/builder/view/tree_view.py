"""The definition as nested boxes: a group is a box with its rows, a condition is a row that opens into
its form.

A row is named by its pointer. It can be dragged to another place, or moved by Alt and the arrow keys;
what an edit was about has the focus afterwards (`builder.js` sees to it).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from livesegments.console.builder import tree
from livesegments.console.builder.kinds import KINDS, LEAVES, new
from livesegments.console.builder.notes import Note
from livesegments.console.builder.pointer import within
from livesegments.console.builder.rows import Row, rows, walk
from livesegments.console.builder.view import inputs, leaf_form
from livesegments.console.builder.view.context import Place
from livesegments.console.formats import count as counted
from livesegments.console.formats import number
from livesegments.console.parts.tag import Tag, icon
from livesegments.core.sentence.nodes import phrase

GROUPS = {
    "all": "all of these",
    "any": "any of these",
    "not all": "not all of these",
    "not any": "none of these",
}
_CLICKED = "(e) => window.livesegments.builder.clicked(e, emit)"
_PRESSED = "(e) => window.livesegments.builder.pressed(e, emit)"
_DRAGGED = "(e) => window.livesegments.builder.dragged(e)"
_OVER = "(e) => window.livesegments.builder.over(e)"
_LEFT = "(e) => window.livesegments.builder.left(e)"
_DROPPED = "(e) => window.livesegments.builder.dropped(e, emit)"
STEPS: dict[str, Callable[[Any, str], tree.Edited]] = {
    "up": tree.up,
    "down": tree.down,
    "enter": tree.enter,
    "leave": tree.leave,
    "remove": tree.remove,
    "duplicate": tree.duplicate,
    "deny": tree.deny,
    "unwrap": tree.unwrap,
    "wrap": lambda document, pointer: tree.wrap(document, pointer, "any"),
}
_TOOLS = (
    ("duplicate", "content_copy", "Duplicate"),
    ("deny", "block", "Turn into its opposite"),
    ("wrap", "data_array", "Put into a group"),
    ("unwrap", "data_object", "Dissolve the group"),
    ("up", "arrow_upward", "Move up"),
    ("down", "arrow_downward", "Move down"),
    ("enter", "subdirectory_arrow_right", "Move into the group above"),
    ("leave", "subdirectory_arrow_left", "Move out of the group"),
    ("remove", "delete", "Remove"),
)


class Edits(Protocol):
    """What the tree asks of the editor."""

    @property
    def definition(self) -> Any: ...
    @property
    def opened(self) -> str | None: ...
    @property
    def names(self) -> dict[str, str]: ...
    def place(self, pointer: str) -> Place: ...
    def edit(self, made: tree.Edited, opens: bool = False) -> None: ...
    def open(self, pointer: str | None) -> None: ...


class _Parts:
    """What of a row changes without the row being made anew."""

    def __init__(self, item: Tag) -> None:
        self.item = item
        self.phrase: Tag | None = None
        self.tally: Tag | None = None
        self.notes: Tag | None = None
        self.body: Tag | None = None
        self.tools: Tag | None = None
        self.more: Tag | None = None
        self.counted: tuple[int, int] | None = None
        self.noted: list[Note] = []


class TreeView:
    def __init__(self, edits: Edits) -> None:
        self._edits = edits
        self._box = Tag("div", "", "builder-tree")
        # the box hears for its rows: a click while they are made anew is not lost
        self._box.on("click", self._pressed, js_handler=_CLICKED)
        self._box.on("keydown", self._pressed, js_handler=_PRESSED)
        self._box.on("dragstart", js_handler=_DRAGGED)
        self._box.on("dragover", js_handler=_OVER)
        self._box.on("dragleave", js_handler=_LEFT)
        self._box.on("drop", self._dropped, js_handler=_DROPPED)
        self._parts: dict[str, _Parts] = {}
        self._counts: tuple[dict[str, int], int] = ({}, 0)
        self._notes: list[Note] = []

    def build(self) -> None:
        """Makes all rows anew."""
        self._box.clear()
        self._parts = {}
        with self._box, Tag("ul", "", "rows root", aria_label="Conditions"):
            self._row(rows(self._edits.definition))
        self._mark()

    def rebuild(self, pointer: str) -> None:
        """Makes the form of one row anew."""
        parts = self._parts.get(pointer)
        row = next((each for each in walk(rows(self._edits.definition)) if each.pointer == pointer), None)
        if parts is None or parts.body is None or row is None or row.form == "group":
            self.build()
            return
        parts.body.clear()
        with parts.body:
            self._body(row)
        self.said()

    def turn(self, pointer: str) -> None:
        """Shows or hides the form of a row, or what can be done with a group; the others stay as they are."""
        parts = self._parts.get(pointer)
        row = next((each for each in walk(rows(self._edits.definition)) if each.pointer == pointer), None)
        if parts is None or row is None:
            return
        if row.form == "group":
            self._turn_group(row, parts)
            return
        parts.item.clear()
        self._fill_leaf(row, parts)
        self._mark()

    def said(self) -> None:
        """What the rows say is brought up to date."""
        for row in walk(rows(self._edits.definition)):
            parts = self._parts.get(row.pointer)
            if parts is not None and parts.phrase is not None:
                text = _phrase(row, self._edits)
                if parts.phrase.text != text:
                    parts.phrase.text = text

    def counts(self, counts: dict[str, int], profiles: int) -> None:
        self._counts = counts, profiles
        self._mark()

    def notes(self, notes: list[Note]) -> None:
        self._notes = notes
        self._mark()

    def _mark(self) -> None:
        counts, profiles = self._counts
        for row in walk(rows(self._edits.definition)):
            parts = self._parts.get(row.pointer)
            if parts is None:
                continue
            now = (counts[row.pointer], profiles) if row.pointer in counts else None
            if parts.tally is not None and now != parts.counted:
                parts.counted = now
                parts.tally.clear()
                if now is not None:
                    with parts.tally:
                        tally(*now)
            noted = [note for note in self._notes if _concerns(note, row)]
            if parts.notes is not None and noted != parts.noted:
                parts.noted = noted
                parts.notes.clear()
                with parts.notes:
                    for note in noted:
                        _note(note, self._edits.definition)

    def _row(self, row: Row) -> None:
        if row.form == "group":
            self._group(row)
        else:
            self._leaf(row)

    def _leaf(self, row: Row) -> None:
        parts = self._parts[row.pointer] = _Parts(Tag("li", data_row=row.pointer))
        self._fill_leaf(row, parts)

    def _fill_leaf(self, row: Row, parts: _Parts) -> None:
        is_open = self._edits.opened == row.pointer
        parts.body, parts.counted, parts.noted = None, None, []
        parts.item.classes(replace="leaf open" if is_open else "leaf")
        with parts.item:
            with Tag("div", "", "line"):
                if row.pointer:
                    _grip()
                with Tag(
                    "button", "", "phrase", type="button", aria_expanded=str(is_open).lower(),
                    data_step="open",
                ):  # fmt: skip
                    icon(KINDS[row.kind].icon if row.form == "leaf" else "data_object")
                    parts.phrase = Tag("span", _phrase(row, self._edits), "break")
                parts.tally = Tag("div", "", "tally")
                self._tool("remove", "close", "Remove", row)
            parts.notes = Tag("div", "", "notes", role="status")
            if is_open:
                parts.body = Tag("div", "", "body")
                with parts.body:
                    self._body(row)

    def _body(self, row: Row) -> None:
        with Tag("div", "", "kinds-line"):
            options = {kind.type: kind.label for kind in LEAVES}
            kind = row.kind if row.form == "leaf" else "raw"
            shown = options if kind in options else {"raw": "Something else (JSON)", **options}
            inputs.select("Condition", kind, shown, lambda to: self._turn(row, to), classes="kind-of")
            self._tools(row)
        leaf_form.form(self._edits.place(row.inner), kind)

    def _turn(self, row: Row, to: str) -> None:
        if to in KINDS:
            self._edits.edit(tree.change(self._edits.definition, row.pointer, to), opens=True)

    def _group(self, row: Row) -> None:
        item = Tag("li", "", f"group {row.kind}", data_row=row.pointer)
        parts = self._parts[row.pointer] = _Parts(item)
        word = "and" if row.kind == "all" else "or"
        with item:
            with Tag("div", "", "line"):
                if row.pointer:
                    _grip()
                self._which(row)
                parts.tally = Tag("div", "", "tally")
                parts.more = Tag(
                    "button", "", "button quiet", type="button", aria_expanded="false",
                    aria_label="What can be done with this group", data_step="open",
                )  # fmt: skip
                with parts.more:
                    icon("more_horiz")
            parts.notes = Tag("div", "", "notes", role="status")
            parts.tools = Tag("div", "", "kinds-line")
            self._turn_group(row, parts)
            with Tag("ul", "", "rows"):
                for index, each in enumerate(row.rows):
                    if index:
                        Tag("li", word, "word", aria_hidden="true")
                    self._row(each)
            self._adder(row)

    def _turn_group(self, row: Row, parts: _Parts) -> None:
        is_open = self._edits.opened == row.pointer
        if parts.tools is not None and parts.more is not None:
            parts.more.set(aria_expanded=str(is_open).lower())
            parts.tools.clear()
            if is_open:
                with parts.tools:
                    self._tools(row)

    def _which(self, row: Row) -> None:
        now = f"{'not ' * min(row.nots, 2)}{row.kind}"

        def turn(to: str) -> None:
            document = self._edits.definition
            made = tree.change(document, row.pointer, to.removeprefix("not "))
            if to.startswith("not ") != (row.nots % 2 == 1):
                made = tree.deny(made.document, row.pointer)
            self._edits.edit(made)

        options = GROUPS if now in GROUPS else {now: f"not not {GROUPS[row.kind]}", **GROUPS}
        inputs.select("Which of the group must hold", now, options, turn, labelled=False, classes="which")

    def _adder(self, row: Row) -> None:
        with (
            Tag("div", "", "adders"),
            inputs.more("Add a condition", not row.rows, "adder"),
            Tag("div", "", "choices"),
        ):
            for kind in KINDS.values():
                if kind.is_leaf or row.pointer.count("/of/") < 8:
                    self._choice(row, kind.type)

    def _choice(self, row: Row, kind: str) -> None:
        def add() -> None:
            made = tree.add(self._edits.definition, row.pointer, len(row.rows), new(kind))
            self._edits.edit(made, opens=KINDS[kind].is_leaf)

        made = Tag("button", "", "choice-of", type="button")
        with made:
            icon(KINDS[kind].icon)
            Tag("strong", KINDS[kind].label)
            Tag("span", KINDS[kind].hint, "muted small")
        made.on("click", lambda _: add(), args=[])

    def _tools(self, row: Row) -> None:
        with Tag("div", "", "tools", role="group", aria_label="What can be done with it"):
            for step, picture, text in _TOOLS:
                if step == "unwrap" and row.form != "group":
                    continue
                if step in ("up", "down", "enter", "leave") and not row.pointer:
                    continue
                self._tool(step, picture, text, row)

    def _tool(self, step: str, picture: str, text: str, row: Row) -> None:
        label = f"{text}: {_phrase(row, self._edits)}" if row.form != "group" else f"{text}: group"
        with Tag("button", "", "button quiet", type="button", aria_label=label, title=text, data_step=step):
            icon(picture)

    def _step(self, step: str, pointer: str) -> None:
        opened = self._edits.opened
        keeps = opened is not None and within(opened, pointer)
        self._edits.edit(STEPS[step](self._edits.definition, pointer), opens=keeps and step != "remove")

    def _pressed(self, event: Any) -> None:
        step, pointer = event.args
        if not self._is_row(pointer):
            return
        if step == "open":
            self._edits.open(None if self._edits.opened == pointer else pointer)
        elif step in STEPS:
            self._step(step, pointer)

    def _dropped(self, event: Any) -> None:
        """A row was dropped in front of, behind, or onto another one."""
        source, onto, where = event.args
        if not self._is_row(source) or not self._is_row(onto):
            return
        document = self._edits.definition
        if where == "onto":
            row = next(each for each in walk(rows(document)) if each.pointer == onto)
            if row.form == "group":
                made = tree.move(document, source, onto, len(row.rows))
            else:
                made = tree.combine(document, source, onto)
        else:
            made = tree.beside(document, source, onto, where == "behind")
        self._edits.edit(made)

    def _is_row(self, pointer: Any) -> bool:
        return isinstance(pointer, str) and pointer in self._parts


def tally(count: int, profiles: int) -> None:
    """A number with a small bar: its share of all profiles."""
    said = f"holds for {counted(count, 'profile')} of {number(profiles)}"
    Tag("progress", max=max(profiles, 1), value=count, aria_label=said)
    Tag("span", number(count), "number small", title=said)


def _grip() -> None:
    with Tag("span", "", "grip", draggable="true", title="Drag it, or press Alt and an arrow key"):
        icon("drag_indicator")


def _phrase(row: Row, edits: Edits) -> str:
    node = row.node
    for _ in range(row.nots):
        node = {"type": "not", "of": node}
    if row.form == "raw":
        return "Something that is edited as JSON"
    said = phrase(node, edits.names)
    return f"{said[:1].upper()}{said[1:]}" if said.split(" ", 1)[0].isalpha() else said


def _concerns(note: Note, row: Row) -> bool:
    """A note of one of the `not` around a row, too."""
    return within(note.node, row.pointer) and within(row.inner, note.node)


def _note(note: Note, definition: Any) -> None:
    is_open = note.is_open(definition)
    kind = "todo" if is_open else "bad" if note.bad else "warn"
    with Tag("p", "", f"note {kind}"):
        icon("edit" if is_open else "error_outline" if note.bad else "info")
        Tag("span", note.words, "break")
