"""A change of a profile as a value, and the membership that the core gives when it is applied to a copy.

Example: `Change("event", "order", count=2)` is two events named order that come now.
"""

from __future__ import annotations

import copy
from typing import Any, Literal

from msgspec import Struct

from livesegments.core.event import PROFILE, Event
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile, decode, encode
from livesegments.core.step import on_event

LATEST = "\U0010ffff"
"""Begins the ids of proposed events: of two writes at the same instant, that with the greater id holds."""


class Change(Struct, frozen=True, omit_defaults=True):
    """One change of a profile.

    type        what changes: an event comes `count` times, or an attribute, tag, consent, static list
    name        the event's, attribute's, tag's, or static segment's; of consent it is empty
    count       how many events
    properties  what makes an event count; others of its kind do as well
    varying     the property of which every event has another value
    value       the attribute's new value (None removes it); of a tag or list whether it is on it then; of
                consent its state
    """

    type: Literal["event", "attribute", "tag", "consent", "list"]
    name: str = ""
    count: int = 1
    properties: dict[str, Any] = {}
    varying: str | None = None
    value: Any = None
    channel: str | None = None
    topic: str | None = None


def events_of(change: Change, workspace: str, profile_id: str, at_ms: int) -> list[Event]:
    """The events that make a change at an instant (ms)."""
    name = change.name if change.type == "event" else PROFILE
    made = []
    for number in range(change.count):
        properties = _varied(change, number) if change.type == "event" else _written(change)
        made.append(Event(f"{LATEST}{number}", workspace, profile_id, name, at_ms, properties))
    return made


def applied(plan: Plan, profile_id: str, profile: Profile, change: Change, at_ms: int) -> Profile | None:
    """A copy of the profile after a change at an instant (ms); None if an event was refused."""
    after = decode(encode(profile))
    for event in events_of(change, plan.workspace, profile_id, at_ms):
        step = on_event(plan, after, event, at_ms)
        if step.refused is not None or step.duplicate:
            return None
    return after


def is_in(profile: Profile, segment: str) -> bool:
    membership = profile.memberships.get(segment)
    return membership is not None and membership.entered_ms is not None


def _varied(change: Change, number: int) -> dict[str, Any]:
    if change.varying is None:
        return change.properties
    made = copy.deepcopy(change.properties)
    *parents, last = change.varying.split(".")
    into = made
    for name in parents:
        into = into.setdefault(name, {})
    into[last] = f"another {number + 1}"
    return made


def _written(change: Change) -> dict[str, Any]:
    match change.type:
        case "tag":
            return {"tags_add" if change.value else "tags_remove": [change.name]}
        case "list":
            return {"lists_add" if change.value else "lists_remove": [change.name]}
        case "consent":
            pair = {"channel": change.channel, "topic": change.topic}
            return {"consent": [{"state": change.value, **pair}]}
    if change.name == "score":
        return {"score": {"set": change.value}}
    if change.name == "groups":
        return {"groups": change.value}
    return {"attributes": {change.name: change.value}}
