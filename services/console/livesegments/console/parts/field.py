"""Fields of forms: a label, the control, a hint, and the fault that was noticed. Example:

    name = text_field("Name", value="Buyers", hint="As marketers know it.", longest=200)
    …
    name.fault("Another segment has this name.")

Controls are HTML's own. `changed` is called with the new value: while somebody types (`eager`), or when
they are done.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

from livesegments.console.parts.tag import Tag, Value

V = TypeVar("V", str, bool)
Changed = Callable[[V], Awaitable[None] | None]

VALUE = "(e) => emit(e.target.value)"
CHECKED = "(e) => emit(e.target.checked)"
TYPING_S = 0.25
"""While somebody types, `changed` is called at most this often, and with the last value."""


class Field(Generic[V]):
    """`value`: as the browser said it last. `control`: the element itself."""

    def __init__(self, box: Tag, control: Tag, value: V, fault_id: str) -> None:
        self.box, self.control = box, control
        self.value: V = value
        with box:
            self._fault = Tag("span", "", "fault", id=fault_id, role="alert")
        self._fault_id = fault_id

    def choose(self, value: V) -> None:
        """Another value, from elsewhere; `changed` isn't called."""
        self.value = value
        self.control.client.run_javascript(f"getHtmlElement({self.control.id}).value = {json.dumps(value)}")

    def fault(self, message: str) -> None:
        """Says what is wrong with the value; an empty message takes that back."""
        self._fault.text = message
        self.control.set(aria_invalid="true" if message else None, aria_describedby=self._fault_id)


def text_field(
    label: str,
    value: str = "",
    *,
    changed: Changed[str] | None = None,
    eager: bool = False,
    hint: str = "",
    longest: int = 1_000,
    lines: int = 1,
    kind: str = "text",
    classes: str = "",
    hidden_label: bool = False,
    **attributes: Value,
) -> Field[str]:
    """One line, or several. `kind`: `text`, `search`, `number`, `date`, `email`."""
    box = _box(label, hint, classes, hidden_label)
    with box:
        if lines > 1:
            control = Tag("textarea", value, rows=lines, maxlength=longest)
        else:
            control = Tag("input", type=kind, maxlength=longest)
            control.set(**{"^value": value})  # the first one: no answer writes over what is typed
    control.set(**attributes)
    return _hears(Field(box, control, value, f"f{box.id}"), changed, VALUE, eager)


def choice_field(
    label: str,
    options: Mapping[str, str],
    value: str = "",
    *,
    changed: Changed[str] | None = None,
    hint: str = "",
    classes: str = "",
    hidden_label: bool = False,
) -> Field[str]:
    """One of `options`: value → what is read."""
    box = _box(label, hint, classes, hidden_label)
    with box, Tag("select") as control:
        for each, text in options.items():
            Tag("option", text, value=each, selected=each == value)
    return _hears(Field(box, control, value, f"f{box.id}"), changed, VALUE, False)


def check_field(
    label: str, value: bool = False, *, changed: Changed[bool] | None = None, hint: str = ""
) -> Field[bool]:
    with Tag("div", "", "field") as box:
        with Tag("label", "", "choice"):
            control = Tag("input", type="checkbox", checked=value)
            Tag("span", label)
        if hint:
            Tag("span", hint, "hint")
    return _hears(Field(box, control, value, f"f{box.id}"), changed, CHECKED, False)


def _box(label: str, hint: str, classes: str, hidden_label: bool) -> Tag:
    with Tag("label", "", f"field {classes}") as box:
        Tag("span", label, "visually-hidden" if hidden_label else "")
        if hint:
            Tag("span", hint, "hint")
    return box


def _hears(field: Field[V], changed: Changed[V] | None, what: str, eager: bool) -> Field[V]:
    def heard(event: Any) -> Awaitable[None] | None:
        field.value = event.args
        return changed(field.value) if changed is not None else None

    if eager:
        field.control.on("input", heard, js_handler=what, throttle=TYPING_S, leading_events=False)
    else:
        field.control.on("input" if changed is None else "change", heard, js_handler=what)
    return field
