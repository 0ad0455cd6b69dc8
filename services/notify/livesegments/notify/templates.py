"""The forms of a webhook's body: our own, and those that receivers already understand. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from livesegments.core.event import Transition
from livesegments.notify.instants import iso
from livesegments.wire.mapping import applied
from livesegments.wire.profilekey import ANONYMOUS
from livesegments.wire.subscription import Webhook

Template = Callable[[Webhook, Sequence[Transition], bool], Any]
"""The last argument: whether the subscription's messages are batches, also where one has a single
transition."""
VERBS = {"entered": "Segment Entered", "exited": "Segment Exited"}
SLACK_TEXT = 39_900
"""Slack cuts a text of more than 40,000 characters: what doesn't fit is counted."""
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def shown(transition: Transition) -> dict[str, Any]:
    """As the api's stream has it: `at` is an instant in ISO 8601."""
    fields: dict[str, Any] = msgspec.to_builtins(transition)
    fields["at"] = iso(fields.pop("at_ms"))
    return fields


def transitions(_: Webhook, found: Sequence[Transition], batched: bool) -> Any:
    """As the Standard Webhooks specification proposes: what happened, when, and the data."""
    if not batched:
        (only,) = found
        return {"type": f"segment.{only.kind}", "timestamp": iso(only.at_ms), "data": shown(only)}
    return {
        "type": "segment.transitions",
        "timestamp": iso(max(each.at_ms for each in found)),
        "data": {"transitions": [shown(each) for each in found]},
    }


def track(_: Webhook, found: Sequence[Transition], batched: bool) -> Any:
    """Calls of the Segment spec: the event "Segment Entered" or "Segment Exited"."""

    def call(each: Transition) -> dict[str, Any]:
        fields = shown(each)
        names = ("segment", "cause", "sequence", "version", "event_id", "computed")
        properties = {name: fields[name] for name in names if fields.get(name) is not None}
        return _call("track", each) | {"event": VERBS[each.kind], "properties": properties}

    return _batch([call(each) for each in found], batched)


def identify(_: Webhook, found: Sequence[Transition], batched: bool) -> Any:
    """Calls of the Segment spec: a trait that says whether the profile is in the segment."""

    def call(each: Transition) -> dict[str, Any]:
        traits = {f"segment_{each.segment}": each.kind == "entered"}
        return _call("identify", each) | {"traits": traits}

    return _batch([call(each) for each in found], batched)


def slack(_: Webhook, found: Sequence[Transition], __: bool) -> Any:
    """A message for an incoming webhook of Slack. Ids are shown as they are: they can't mention anybody."""
    lines = [f"{each.profile} {each.kind} {each.segment} ({each.cause}), {iso(each.at_ms)}" for each in found]
    told, room = list[str](), SLACK_TEXT
    for line in lines:
        escaped = line.translate(_ESCAPES)
        room -= len(escaped) + 1
        if room < 0:
            told.append(f"and {len(lines) - len(told):,} more")
            break
        told.append(escaped)
    return {"text": "\n".join(told)}


def mapped(webhook: Webhook, found: Sequence[Transition], batched: bool) -> Any:
    """The author's own document, once for every transition."""
    documents = [applied(webhook.mapping or {}, shown(each)) for each in found]
    return documents if batched else documents[0]


TEMPLATES: dict[str, Template] = {
    "transitions": transitions,
    "track": track,
    "identify": identify,
    "slack": slack,
    "json": mapped,
}


def _call(kind: str, each: Transition) -> dict[str, Any]:
    known = not each.profile.startswith(ANONYMOUS)
    who = {"userId": each.profile} if known else {"anonymousId": each.profile.removeprefix(ANONYMOUS)}
    return {"type": kind, "messageId": each.id, "timestamp": iso(each.at_ms)} | who


def _batch(calls: list[dict[str, Any]], batched: bool) -> Any:
    return {"batch": calls} if batched else calls[0]
