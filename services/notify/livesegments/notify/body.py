"""The body of a message: what the receiver reads. Pure, and the same at every attempt."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from livesegments.core.event import Transition
from livesegments.notify.queue import Message
from livesegments.wire.subscription import Subscription

_EPOCH = datetime(1970, 1, 1)
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999


def body(rule: Subscription, message: Message) -> bytes:
    """JSON in UTF-8, in the form that the subscription names."""
    return msgspec.json.encode(transitions(rule, message))


def transitions(rule: Subscription, message: Message) -> Any:
    """As the Standard Webhooks specification proposes: what happened, when, and the data."""
    if rule.batch == 1 and len(message.transitions) == 1:
        (only,) = message.transitions
        return {"type": f"segment.{only.kind}", "timestamp": iso(only.at_ms), "data": shown(only)}
    return {
        "type": "segment.transitions",
        "timestamp": iso(max(each.at_ms for each in message.transitions)),
        "data": {"transitions": [shown(each) for each in message.transitions]},
    }


def shown(transition: Transition) -> dict[str, Any]:
    """As the api's stream has it: `at` is an instant in ISO 8601."""
    fields: dict[str, Any] = msgspec.to_builtins(transition)
    fields["at"] = iso(fields.pop("at_ms"))
    return fields


def iso(ms: int) -> str:
    """Instants beyond the calendar become its ends."""
    whole = timedelta(milliseconds=max(_FIRST_MS, min(ms, _LAST_MS)))
    return (_EPOCH + whole).isoformat(timespec="milliseconds") + "Z"
