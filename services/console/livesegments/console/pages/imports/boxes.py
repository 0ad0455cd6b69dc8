"""Where the columns of a file go, as boxes: a column is dragged from one to another, by mouse or by touch, or
moved by the arrow keys. The fields of the table below do the same; both say the same at any moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from livesegments.console import formats
from livesegments.console.parts.tag import Tag, icon

_DRAGGED = "(e) => window.livesegments.columns.dragged(e)"
_OVER = "(e) => window.livesegments.columns.over(e)"
_PRESSED = "(e) => window.livesegments.columns.pressed(e, emit)"
_DROPPED = "(e) => window.livesegments.columns.dropped(e, emit)"

Moved = Callable[[int, str], None]
"""The number of a column, and where it goes now."""


class Boxes:
    """`goes`: what boxes there are, and their names. `names`: of the columns, in their order."""

    def __init__(self, goes: Mapping[str, str], names: Sequence[str], moved: Moved) -> None:
        self._goes, self._names, self._moved = goes, names, moved
        with Tag("div", "", "column-boxes", role="group", aria_label="Where the columns go") as box:
            self._places = {to: self._box(to, says) for to, says in goes.items()}
        box.on("dragstart", js_handler=_DRAGGED)
        box.on("dragover", js_handler=_OVER)
        box.on("drop", self._dropped, js_handler=_DROPPED)
        box.on("keydown", self._pressed, js_handler=_PRESSED)

    def _box(self, to: str, says: str) -> Tag:
        with Tag("div", "", "column-box", data_goes=to):
            Tag("h2", says.capitalize() if says.islower() else says)
            return Tag("div", "", "row")

    def show(self, chosen: Sequence[str]) -> None:
        """`chosen`: where every column goes."""
        self._chosen = [*chosen]
        for to, place in self._places.items():
            place.clear()
            with place:
                for number, name in enumerate(self._names):
                    if chosen[number] == to:
                        self._chip(number, name)

    def _chip(self, number: int, name: str) -> None:
        text = formats.short(name, 60)
        with Tag(
            "span", "", "column-chip", role="button", tabindex=0, draggable="true", data_column=number,
            title="Drag it to another box, or press an arrow key", aria_keyshortcuts="ArrowLeft ArrowRight",
            aria_label=f"{text}: {self._goes[self._chosen[number]]}; the arrow keys move it",
        ):  # fmt: skip
            icon("drag_indicator")
            Tag("span", text, "break")

    def _pressed(self, event: Any) -> None:
        number, step = event.args
        if isinstance(number, int) and 0 <= number < len(self._names) and step in (-1, 1):
            boxes = [*self._goes]
            at = boxes.index(self._chosen[number]) + step
            if 0 <= at < len(boxes):
                self._moved(number, boxes[at])

    def _dropped(self, event: Any) -> None:
        number, to = event.args
        if isinstance(number, int) and 0 <= number < len(self._names) and to in self._goes:
            self._moved(number, to)
