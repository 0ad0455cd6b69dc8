"""A test of a definition, as somebody filled it in and as the api is asked: pure.

Example: an order of 12.50 on 1 March at 9:00 in Kyiv, after which the profile is in the segment:

    {"name": "an order counts", "events": [{"time": "2026-03-01T09:00:00+02:00", "name": "order",
     "properties": {"total": 12.5}}], "expect": [{"at": "2026-03-01T09:00:00+02:00", "in": true}]}
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from livesegments.client.segments import DefinitionTest
from livesegments.console import formats

KINDS = {"event": "the event", "attribute": "the attribute"}


class Wrong(ValueError):
    """A sentence about what is not filled in as it has to be."""


class Happens(Struct):
    """`at` as the browser's calendar says it. `value`: of an attribute its value, of an event its properties,
    `total: 12.5, city: Kyiv`."""

    at: str = ""
    kind: str = "event"
    name: str = ""
    value: str = ""


class Expects(Struct):
    at: str = ""
    is_in: bool = True


def made(name: str, happens: Sequence[Happens], expects: Sequence[Expects], zone: ZoneInfo) -> dict[str, Any]:
    """Rows with nothing in them are passed over. Raises Wrong."""
    if not name.strip():
        raise Wrong("Give the test a name: what it shows, in words.")
    events = [_event(each, zone) for each in happens if each.at or each.name.strip()]
    expect = [{"at": _instant(each.at, zone), "in": each.is_in} for each in expects if each.at]
    if not events:
        raise Wrong("Say at least one thing that happens.")
    if not expect:
        raise Wrong("Say for at least one instant whether the profile is in the segment.")
    return {"name": name.strip(), "events": events, "expect": expect}


def written(test: DefinitionTest) -> dict[str, Any]:
    """One that the api gave, as it takes it back: what is not there is left out."""
    it = msgspec.to_builtins(test)
    events = [
        {name: value for name, value in each.items() if value not in (None, {}, [])} for each in it["events"]
    ]
    profile = {} if it["profile"] is None else {"profile": it["profile"]}
    return {"name": it["name"], **profile, "events": events, "expect": it["expect"]}


def _event(row: Happens, zone: ZoneInfo) -> dict[str, Any]:
    name = row.name.strip()
    if not name:
        raise Wrong("Something happens that has no name.")
    made: dict[str, Any] = {"time": _instant(row.at, zone)}
    if row.kind == "attribute":
        return made | {"attributes": {name: _value(row.value)}}
    properties = {}
    for part in filter(None, (each.strip() for each in row.value.split(","))):
        field, colon, value = part.partition(":")
        if not colon or not field.strip():
            raise Wrong(f"{formats.short(part, 60)} is no property with its value, as total: 12.5 is.")
        properties[field.strip()] = _value(value)
    return made | {"name": name} | ({"properties": properties} if properties else {})


def _instant(text: str, zone: ZoneInfo) -> str:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).isoformat()
    except ValueError:
        raise Wrong("Say when: a day and a time.") from None


def _value(text: str) -> Any:
    """12.5 and true are what they look like; all else is a text."""
    text = text.strip()
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float | str) else text
