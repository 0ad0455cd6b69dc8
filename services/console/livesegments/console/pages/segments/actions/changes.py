"""One thing that is done to all who are in a segment, as somebody filled it in and as the api is asked: pure.

Example: `city` set to the text `Kyiv`, `plan` taken away, the tag `win back` added:

    {"attributes": {"city": "Kyiv", "plan": None}, "tags": {"add": ["win back"], "remove": []}}
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from livesegments.client import mass_jobs
from livesegments.client.mass_jobs import Action, MassCount, MassJob
from livesegments.client.request import Request
from livesegments.console import formats

TYPES = {
    "text": "is the text",
    "number": "is the number",
    "boolean": "is true or false",
    "list": "is the list of texts",
    "gone": "is taken away",
}
TRUTHS = {"true": True, "yes": True, "false": False, "no": False}
SHOWN = 100


class Wrong(ValueError):
    """A sentence about what is not filled in as it has to be."""


class Row(Struct):
    """An attribute and its new value, as they were typed."""

    name: str = ""
    type: str = "text"
    value: str = ""


class Wanted(Struct, frozen=True):
    """`given`: the arguments of the action. The same is counted and begun."""

    action: Action
    segment: str
    given: dict[str, Any] = {}

    def count(self) -> Request[MassCount]:
        return mass_jobs.count(self.action, audience={"include": [self.segment]}, **self.given)

    def begin(self, confirm: str) -> Request[MassJob]:
        return mass_jobs.begin(self.action, confirm, audience={"include": [self.segment]}, **self.given)


def update(rows: Sequence[Row], add: Sequence[str], remove: Sequence[str]) -> dict[str, Any]:
    """Rows without a name are passed over. Raises Wrong."""
    attributes: dict[str, Any] = {}
    for row in rows:
        name = row.name.strip()
        if not name:
            continue
        if name in attributes:
            raise Wrong(f"The attribute {formats.short(name, 60)} stands there twice.")
        attributes[name] = _value(name, row)
    given: dict[str, Any] = {}
    if attributes:
        given["attributes"] = attributes
    if add or remove:
        given["tags"] = {"add": list(add), "remove": list(remove)}
    if not given:
        raise Wrong("Nothing would change: name an attribute, or a tag.")
    return given


def _value(name: str, row: Row) -> Any:
    text = row.value.strip()
    match row.type:
        case "gone":
            return None
        case "boolean":
            if text.casefold() not in TRUTHS:
                raise Wrong(f"{formats.short(name, 60)} has to be true or false.")
            return TRUTHS[text.casefold()]
        case "number":
            return _number(name, text)
        case "list":
            return [each.strip() for each in text.split(",") if each.strip()]
    if not text:
        raise Wrong(f"{formats.short(name, 60)} needs a value.")
    return text


def _number(name: str, text: str) -> int | float:
    try:
        read = json.loads(text)
    except ValueError:
        read = None
    if isinstance(read, bool) or not isinstance(read, int | float):
        raise Wrong(f"{formats.short(name, 60)} has to be a number, such as 12 or 0.5.")
    return read


def said(given: dict[str, Any]) -> list[str]:
    """What an update does, a line for every attribute and for tags."""
    lines = []
    for name, value in given.get("attributes", {}).items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        becomes = "is taken away" if value is None else f"becomes {formats.short(text)}"
        lines.append(f"{formats.short(name, SHOWN)} {becomes}")
    tags = given.get("tags", {})
    for what, does in (("add", "is added"), ("remove", "is taken off")):
        lines += [f"the tag {formats.short(tag, SHOWN)} {does}" for tag in tags.get(what, [])]
    return lines
