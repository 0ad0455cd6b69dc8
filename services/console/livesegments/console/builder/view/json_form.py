"""A part of a definition as JSON: whatever has no form is edited so, and nothing of it is lost."""

from __future__ import annotations

import json
from typing import Any

from livesegments.console.builder.view import inputs
from livesegments.console.builder.view.context import Place
from livesegments.console.parts.tag import Tag

MOST = 65_536


def pretty(value: Any) -> str:
    """Objects that fit a line stand on one."""
    return _written(value, "")


def _written(value: Any, indent: str) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + len(indent) <= 76 or not isinstance(value, dict | list) or not value:
        return flat
    below = indent + "  "
    if isinstance(value, dict):
        inner = [
            f"{json.dumps(name, ensure_ascii=False)}: {_written(each, below)}" for name, each in value.items()
        ]
        begin, end = "{}"
    else:
        inner = [_written(each, below) for each in value]
        begin, end = "[]"
    lines = f",\n{below}".join(inner)
    return f"{begin}\n{below}{lines}\n{indent}{end}"


def read(text: str) -> tuple[Any, str]:
    """What it says, and what is wrong with it; one of them is empty."""
    if len(text) > MOST:
        return None, f"It has more than {MOST:,} characters."
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refused), ""
    except json.JSONDecodeError as error:
        return None, f"Line {error.lineno}, column {error.colno}: {error.msg}."
    except (ValueError, RecursionError) as error:
        return None, str(error) if isinstance(error, ValueError) else "It is nested too deeply."


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"The key {twice!r} stands twice in an object.")
    return made


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON.")


def form(place: Place, text: str) -> None:
    """Changes what stands there whenever the text can be read."""

    def change(to: str) -> None:
        value, fault = read(to)
        wrong.text = fault
        if not fault:
            place.become(value)

    inputs.area(f"{text} as JSON", pretty(place.value), change, "wide json", rows=6)
    wrong = Tag("p", "", "fault small wide", role="status")
