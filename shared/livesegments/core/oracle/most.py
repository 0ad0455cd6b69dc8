"""The bounds of a profile's own data; whether one more change would go beyond them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import convert

from livesegments.core.event import Event, ProfileChange
from livesegments.core.oracle.registers import Registers

MOST = {
    "attributes": 2_000,
    "attribute_bytes": 262_144,
    "tags": 2_000,
    "consents": 2_000,
    "groups": 1_000,
    "lists": 2_000,
}


def named(changes: list[Event]) -> dict[str, set[Any]]:
    """Every name that changes ever wrote or removed."""
    found: dict[str, set[Any]] = {what: set() for what in MOST}
    for event in changes:
        change = convert(event.properties, ProfileChange)
        found["attributes"] |= change.attributes.keys()
        found["tags"] |= {*change.tags_add, *change.tags_remove}
        found["consents"] |= {(item.channel or "", item.topic or "") for item in change.consent}
        found["groups"] |= {*change.groups}
        found["lists"] |= {*change.lists_add, *change.lists_remove}
    return found


def weight(value: Any) -> int:
    """A text counts its UTF-8 bytes and one, any other scalar eight, a list the sum of its items."""
    if value is None:
        return 0
    if isinstance(value, list | dict):
        return sum(weight(item) for item in (value if isinstance(value, list) else value.values()))
    return 1 + len(value.encode()) if isinstance(value, str) else 8


def too_much(changes: list[Event], now: Registers, event: Event, most: Mapping[str, int]) -> str | None:
    """Of what one more change would bring the profile more than it may have."""
    before, after = named(changes), named([*changes, event])
    written = convert(event.properties, ProfileChange).attributes
    for what in ("attributes", "attribute_bytes", "tags", "consents", "groups", "lists"):
        if what == "attribute_bytes":
            held = {name: now.attributes.get(name) for name in before["attributes"]}
            weights = [
                sum(weight(name) + weight(value) for name, value in values.items())
                for values in (held, held | written)
            ]
        else:
            weights = [len(before[what]), len(after[what])]
        if weights[1] > weights[0] and weights[1] > most[what]:
            return what
    return None
