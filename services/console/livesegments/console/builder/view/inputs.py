"""Fields of a form, as the browser has them.

A field is given its first value and then belongs to whoever types: the server never writes into it, so a slow
connection takes no letter back. Whatever changes its value from elsewhere, undo for example, makes it anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from livesegments.console.builder.later import Later
from livesegments.console.parts.button import button
from livesegments.console.parts.tag import Tag, icon

TYPED_S = 0.12
"""At most so often is said what is typed; the last state always is."""
MOST_OFFERED = 200
MOST_CHIPS = 60
_VALUE = "(e) => emit(e.target.value)"
_CHECKED = "(e) => emit(e.target.checked)"
_ENTERED = (
    "(e) => { if (e.key === 'Enter' && e.target.value) { e.preventDefault();"
    " emit(e.target.value); e.target.value = ''; } }"
)
_LEFT = "(e) => { if (e.target.value) { emit(e.target.value); e.target.value = ''; } }"

Changed = Callable[[str], None]
Offers = Mapping[str, Any] | Iterable[str] | Later
"""Values to choose among; or value → a text that is said beside it."""


def label(text: str, classes: str = "") -> Tag:
    """What is put into it is the field."""
    made = Tag("label", "", f"field {classes}")
    with made:
        Tag("span", text)
    return made


def line(
    text: str,
    value: str,
    changed: Changed,
    offers: Offers = (),
    kind: str = "text",
    hint: str = "",
    classes: str = "",
    **attributes: Any,
) -> Tag:
    """A line of text. The tag that comes back is the field itself."""
    with label(text, classes):
        field = bare(text, value, changed, offers, kind, labelled=True, **attributes)
        if hint:
            Tag("span", hint, "hint")
    return field


def bare(
    text: str,
    value: str,
    changed: Changed,
    offers: Offers = (),
    kind: str = "text",
    labelled: bool = False,
    when_left: bool = False,
    **attributes: Any,
) -> Tag:
    """A line of text without its label, which screen readers hear. `when_left`: it is not said letter
    by letter."""
    field = Tag("input", type=kind, autocomplete="off", spellcheck="false", **attributes)
    field.set(**{"^value": value, "aria_label": None if labelled else text})
    throttle, event = (0.0, "change") if when_left else (TYPED_S, "input")
    field.on(event, lambda event: changed(str(event.args)), js_handler=_VALUE, throttle=throttle)
    _offer(field, offers)
    return field


def area(text: str, value: str, changed: Changed, classes: str = "", **attributes: Any) -> Tag:
    with label(text, classes):
        field = Tag("textarea", value, spellcheck="false", **attributes)
    field.on("input", lambda event: changed(str(event.args)), js_handler=_VALUE, throttle=TYPED_S)
    return field


def select(
    text: str,
    value: str,
    options: Mapping[str, str],
    changed: Changed,
    labelled: bool = True,
    classes: str = "",
) -> Tag:
    """One of some. A value that is none of the options stands as one, so that nothing is lost by looking."""
    if value not in options:
        options = {value: value or "Choose…", **options}
    if labelled:
        with label(text, classes):
            field = Tag("select")
    else:
        field = Tag("select", "", classes, aria_label=text)
    with field:
        for each, said in options.items():
            Tag("option", said, value=each, selected=each == value)
    field.on("change", lambda event: changed(str(event.args)), js_handler=_VALUE)
    return field


def check(text: str, value: bool, changed: Callable[[bool], None]) -> Tag:
    with Tag("label", "", "choice"):
        field = Tag("input", type="checkbox", checked=value)
        Tag("span", text)
    field.on("change", lambda event: changed(bool(event.args)), js_handler=_CHECKED)
    return field


def chips(
    text: str,
    values: Sequence[str],
    changed: Callable[[list[str]], None],
    offers: Offers = (),
    hint: str = "Enter adds it",
    classes: str = "",
) -> Tag:
    """Several texts: each with a button that takes it away, and a line that adds one."""

    def without(index: int) -> Callable[[], None]:
        return lambda: changed([*values[:index], *values[index + 1 :]])

    box = Tag("div", "", f"field {classes}", role="group", aria_label=text)
    with box:
        Tag("span", text)
        with Tag("div", "", "chips"):
            for index, each in enumerate(values[:MOST_CHIPS]):
                with Tag("span", "", "chip"):
                    Tag("span", each or "“”", "break")
                    button("", without(index), "quiet", "close", f"Take {each} away")
            if len(values) > MOST_CHIPS:
                Tag("span", f"and {len(values) - MOST_CHIPS:,} more", "muted small")
            field = Tag(
                "input", autocomplete="off", placeholder=hint, aria_label=f"Add to {text.lower()}", size=14
            )
            field.on("keydown", lambda event: changed([*values, str(event.args)]), js_handler=_ENTERED)
            field.on("change", lambda event: changed([*values, str(event.args)]), js_handler=_LEFT)
            _offer(field, offers)
    return field


def _offer(field: Tag, offers: Offers) -> None:
    if isinstance(offers, Later):
        later = offers
    else:
        later = Later({each: _said(offers, each) for each in offers})
        if not offers:
            return
    offered = Tag("datalist", id=f"offers-{field.id}")
    field.set(list=f"offers-{field.id}")
    known: dict[str, str] = {}

    def fill(text: str = "") -> None:
        if offered.is_deleted:
            return
        offered.clear()
        wanted = text.casefold()
        fit = (each for each in known.items() if wanted in each[0].casefold() or wanted in each[1].casefold())
        with offered:
            for value, more in islice(fit, MOST_OFFERED):
                Tag("option", value=value, label=more or None)

    typed_now = ""

    def come(them: dict[str, str]) -> bool:
        if them != known:
            known.clear()
            known.update(them)
            fill(typed_now if len(known) > MOST_OFFERED else "")
        return not offered.is_deleted

    def typed(event: Any) -> None:
        nonlocal typed_now
        typed_now = str(event.args)
        if len(known) > MOST_OFFERED:
            fill(typed_now)

    later.then(come)
    if isinstance(offers, Later) or len(known) > MOST_OFFERED:
        field.on("input", typed, js_handler=_VALUE, throttle=TYPED_S)


def _said(offers: Mapping[str, Any] | Iterable[str], value: str) -> str:
    said = offers[value] if isinstance(offers, Mapping) else ""
    return said if isinstance(said, str) else ""


def more(text: str, is_open: bool = False, classes: str = "") -> Tag:
    """What is put into it is hidden until somebody wants it."""
    made = Tag("details", "", f"more {classes}", open=is_open)
    with made, Tag("summary"):
        icon("chevron_right")
        Tag("span", text)
    return made
