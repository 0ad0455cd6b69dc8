"""The definition as JSON, beside its boxes: both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from livesegments.console.builder.history import same
from livesegments.console.builder.view import inputs
from livesegments.console.builder.view.json_form import pretty, read
from livesegments.console.parts.tag import Tag


class JsonPane:
    """`typed` is called with what was typed, when it can be read."""

    def __init__(self, typed: Callable[[Any], None]) -> None:
        self._typed = typed
        self._value: Any = None
        with Tag("section", "", "card"), inputs.more("As JSON", classes="beside"):
            self._box = Tag("div")
            self._wrong = Tag("p", "", "fault small", role="status")

    def show(self, value: Any) -> None:
        """What was typed here is not written anew while it says the same."""
        if self._value is not None and same(self._value, value):
            return
        self._value = value
        self._wrong.text = ""
        self._box.clear()
        with self._box:
            inputs.area("Definition as JSON", pretty(value), self._change, "json", rows=16)

    def _change(self, text: str) -> None:
        value, fault = read(text)
        self._wrong.text = fault
        if not fault:
            self._value = value
            self._typed(value)
