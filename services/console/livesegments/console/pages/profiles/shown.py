"""What is known of a profile, as rows of texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from livesegments.client.profiles import Computed, Consent, ProfileSegment
from livesegments.console import formats

NONE = "–"
STATES = {"opted_in": "Opted in", "opted_out": "Opted out", "none": "Said nothing"}
STATE_KINDS = {"opted_in": "good", "opted_out": "bad"}


class Row(Struct, frozen=True):
    """A name, a value, and what is said beside it."""

    name: str
    value: str
    note: str = ""
    kind: str = ""


class Stay(Struct, frozen=True):
    """A segment that the profile is in."""

    id: str
    name: str
    entered: str
    until: str


def value(given: Any) -> str:
    """A value that came in, for people: texts as they are, lists with commas, all else as JSON."""
    match given:
        case None:
            return NONE
        case bool():
            return "Yes" if given else "No"
        case int() | float():
            return formats.number(given)
        case str():
            return formats.short(given)
        case list() if all(isinstance(each, str | int | float | bool) for each in given):
            return formats.short(", ".join(map(value, given))) or "(empty list)"
        case _:
            return formats.short(msgspec.json.encode(given).decode())


def attributes(known: Mapping[str, Any], labels: Mapping[str, str]) -> list[Row]:
    """By name. `labels`: what people call declared attributes."""
    return [
        Row(
            formats.short(labels.get(name) or name),
            value(known[name]),
            f"as {formats.short(name)}" * (name in labels),
        )
        for name in sorted(known)
    ]


def computed(known: Mapping[str, Computed], zone: ZoneInfo) -> list[Row]:
    rows = []
    for id_ in sorted(known):
        each = known[id_]
        note = "" if each.changes_at is None else f"changes on {formats.moment(each.changes_at, zone)}"
        rows.append(Row(id_, measured(each.value, zone), note))
    return rows


def measured(given: Any, zone: ZoneInfo) -> str:
    """Of a computed attribute: an instant is shown in the workspace's zone."""
    if isinstance(given, str) and len(given) > 18 and given.endswith("Z"):
        try:
            return formats.moment(datetime.fromisoformat(given), zone)
        except ValueError:
            pass
    return value(given)


def consent(given: Iterable[Consent]) -> list[Row]:
    """By channel, then topic; what is of a whole channel comes first."""
    ordered = sorted(given, key=lambda each: (each.channel or "", each.topic or ""))
    return [
        Row(subject(each.channel, each.topic), STATES.get(each.state, each.state), "", kind(each.state))
        for each in ordered
    ]


def kind(state: str) -> str:
    """That of its badge."""
    return STATE_KINDS.get(state, "")


def subject(channel: str | None, topic: str | None) -> str:
    """What somebody consents to: `email, about news`."""
    if channel is None:
        return f"anything about {formats.short(topic or '')}"
    return (
        formats.short(channel) if topic is None else f"{formats.short(channel)}, about {formats.short(topic)}"
    )


def stays(segments: Iterable[ProfileSegment], zone: ZoneInfo) -> list[Stay]:
    """The latest entry first."""
    ordered = sorted(segments, key=lambda each: each.entered_at, reverse=True)
    return [
        Stay(
            each.id,
            formats.short(each.name),
            formats.moment(each.entered_at, zone),
            "" if each.valid_until is None else formats.moment(each.valid_until, zone),
        )
        for each in ordered
    ]
