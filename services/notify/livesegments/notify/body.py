"""The body of a message: what the receiver reads. Pure, and the same at every attempt."""

from __future__ import annotations

import msgspec

from livesegments.notify.queue import Message
from livesegments.notify.templates import TEMPLATES
from livesegments.wire.subscription import Subscription


def body(rule: Subscription, message: Message) -> bytes:
    """JSON in UTF-8, in the form that the subscription names; one that we don't know is our own form."""
    assert rule.webhook is not None
    template = TEMPLATES.get(rule.webhook.template, TEMPLATES["transitions"])
    batched = rule.batch > 1 or len(message.transitions) > 1
    return msgspec.json.encode(template(rule.webhook, message.transitions, batched))
