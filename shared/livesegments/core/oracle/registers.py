"""A profile's data, worked out anew from all its changes; and the registers that one more change altered."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from msgspec import Struct, convert
from msgspec.structs import replace

from livesegments.core.event import Event, ProfileChange
from livesegments.core.oracle.compare import number, same

Pair = tuple[str | None, str | None]
HIGHEST = 1.7976931348623157e308
"""The score is at most this, and at least its negative."""


class Registers(Struct):
    """`attributes` without removed ones, `tags` only of those present; `lists`: id → (version, present)."""

    attributes: dict[str, Any]
    tags: set[str]
    consent: dict[Pair, str]
    lists: dict[str, tuple[int, bool]]


def registers(changes: list[Event]) -> Registers:
    """The latest write of each register by time, then id (then arrival), wins."""
    now = Registers({}, set(), {}, {})
    score: Fraction | None = None
    groups: set[str] = set()
    for event in sorted(changes, key=lambda event: (event.time_ms, event.id)):
        change = convert(event.properties, ProfileChange)
        gone = tuple(f"{name}." for name, value in change.attributes.items() if value is None)
        stay = {name: value for name, value in now.attributes.items() if not name.startswith(gone)}
        now.attributes = stay | change.attributes
        now.tags = (now.tags | {*change.tags_add}) - {*change.tags_remove}
        for name in (*change.lists_add, *change.lists_remove):
            version = change.lists_versions.get(name, 0)
            if version >= now.lists.get(name, (0, False))[0]:
                now.lists[name] = version, name not in change.lists_remove
        now.consent |= {(item.channel, item.topic): item.state for item in change.consent}
        groups |= {*change.groups}
        if change.score is not None:
            if change.score.set is not None:
                score = Fraction(number(change.score.set))
            elif change.score.increment is not None:
                score = (score or 0) + Fraction(number(change.score.increment))
    if score is not None:
        now.attributes["score"] = _told(score)
    if groups:
        now.attributes["groups"] = sorted(groups)
    now.attributes = {name: value for name, value in now.attributes.items() if value is not None}
    return now


def _told(score: Fraction) -> int | float:
    """A whole number of 64 bits as it is; any other as the nearest number with a point."""
    if score.denominator == 1 and -(2**63) <= score < 2**63:
        return score.numerator
    return float(min(max(score, -Fraction(HIGHEST)), Fraction(HIGHEST)))


def versioned(event: Event, versions: Mapping[str, int]) -> Event:
    """The change with the version of each static segment that it means, where that is known by now."""
    change = convert(event.properties, ProfileChange)
    names = {*change.lists_add, *change.lists_remove} & versions.keys()
    meant = {name: versions[name] for name in names} | change.lists_versions
    return replace(event, properties=event.properties | {"lists_versions": meant}) if names else event


def derived(before: Registers, after: Registers, event: Event) -> list[Event]:
    """The events that follow from what a change altered."""

    def follows(label: str, name: str, properties: dict[str, Any]) -> Event:
        return Event(f"{event.id}~{label}", event.workspace, event.profile, name, event.time_ms, properties)

    found = []
    for name in before.attributes.keys() | after.attributes.keys():
        old, new = before.attributes.get(name), after.attributes.get(name)
        if not same(old, new):
            change = {"name": name, "from": old, "to": new}
            found.append(follows(f"attribute~{name}", "$attribute_changed", change))
    found += [follows(f"tag~{name}", "$tag_added", {"name": name}) for name in after.tags - before.tags]
    found += [follows(f"tag~{name}", "$tag_removed", {"name": name}) for name in before.tags - after.tags]
    for channel, topic in before.consent.keys() | after.consent.keys():
        was, is_ = (each.consent.get((channel, topic), "none") for each in (before, after))
        if was != is_:
            pair = {"channel": channel, "topic": topic, "from": was, "to": is_}
            found.append(follows(f"consent~{channel or ''}~{topic or ''}", "$consent_changed", pair))
    return found
