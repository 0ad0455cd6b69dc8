"""When: the window of a condition on events."""

from __future__ import annotations

from livesegments.console.builder import values, windows
from livesegments.console.builder.view import compare_form, inputs, json_form
from livesegments.console.builder.view.context import Place


def form(place: Place, text: str = "When") -> None:
    """`place`: of the node that has the window."""
    window = place.node.get("window")
    kind = windows.kind(window)

    def turn(to: str) -> None:
        for each in windows.KINDS:
            if each == to:
                made = windows.turned(place.node.get("window"), each)
                place.become(windows.with_window(place.node, made), reshaped=True)

    options: dict[str, str] = dict(windows.KINDS.items())
    if kind == "json":
        options["json"] = "otherwise (JSON)"
    inputs.select(text, kind, options, turn)
    at = place.at("window")
    match kind:
        case "last":
            compare_form.duration(at.at("last"), "How long")
        case "between":
            compare_form.duration(at.at("skip"), "At least so long ago")
            compare_form.duration(at.at("last"), "At most so long ago")
        case "period":
            compare_form.period(at, ahead=False)
        case "dates":
            _dates(at)
        case "json":
            json_form.form(at, "Window")


def _dates(place: Place) -> None:
    for name, text, hint in (
        ("from", "From", "Empty: from the beginning"),
        ("to", "Until before", "This day is not in it any more. Empty: no end"),
    ):

        def change(to: str, name: str = name) -> None:
            place.become(windows.with_field(place.node, name, to))

        value = values.shown(place.node.get(name))
        is_day = not value or (len(value) == 10 and value[4] == value[7] == "-")
        inputs.line(text, value, change, kind="date" if is_day else "text", hint=hint)
