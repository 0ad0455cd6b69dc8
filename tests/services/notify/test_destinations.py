"""The forms that other systems understand, against receivers that refuse what their documentation doesn't allow.

The schemas are ours, written from the documentation:
- Segment, "HTTP API" and "Spec: Common Fields", "Spec: Track", "Spec: Identify"
  (https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/, …/spec/common, …/spec/track,
  …/spec/identify): `userId` or `anonymousId`, `event` of a track, objects `properties` and `traits`, `messageId` of up
  to 100 characters, `timestamp` in ISO 8601, at most 32 KB a call, 500 KB and 2,500 calls a batch.
- Slack, "Sending messages using incoming webhooks" and "Formatting text for app surfaces"
  (https://api.slack.com/messaging/webhooks, https://api.slack.com/reference/surfaces/formatting): an object with `text`;
  `&`, `<` and `>` are escaped; a text of more than 40,000 characters is cut.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from livesegments.core.event import Transition
from livesegments.notify.body import body
from livesegments.notify.queue import Message
from livesegments.notify.templates import TEMPLATES
from livesegments.wire.subscription import Subscription, Webhook

WHO: dict[str, Any] = {
    "type": "object",
    "required": ["type", "messageId", "timestamp"],
    "properties": {
        "type": {"enum": ["track", "identify"]},
        "messageId": {"type": "string", "minLength": 1, "maxLength": 100},
        "timestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
        "userId": {"type": "string", "minLength": 1},
        "anonymousId": {"type": "string", "minLength": 1},
        "event": {"type": "string", "minLength": 1},
        "properties": {"type": "object"},
        "traits": {"type": "object"},
        "context": {"type": "object"},
        "integrations": {"type": "object"},
        "sentAt": {"type": "string"},
    },
    "additionalProperties": False,
    "anyOf": [{"required": ["userId"]}, {"required": ["anonymousId"]}],
    "allOf": [
        {"if": {"properties": {"type": {"const": "track"}}}, "then": {"required": ["event", "properties"]}},
        {"if": {"properties": {"type": {"const": "identify"}}}, "then": {"required": ["traits"]}},
    ],
}
BATCH = {
    "type": "object",
    "required": ["batch"],
    "properties": {"batch": {"type": "array", "items": WHO, "minItems": 1, "maxItems": 2_500}},
    "additionalProperties": False,
}
SLACK = {
    "type": "object",
    "required": ["text"],
    "properties": {
        "text": {
            "type": "string",
            "minLength": 1,
            "maxLength": 40_000,
            "pattern": r"^([^<>&]|&(amp|lt|gt);)*$",
        }
    },
    "additionalProperties": False,
}
LONG = "é" * 256
STORY = [
    Transition("i1", "w", "vip", "ann", "entered", 1_700_000_000_123, 1, "event", "e1", 2, {"spent": 42.5}),
    Transition("i2", "w", "vip", "anonymous:<!channel> & co", "exited", 1, 2, "clock", None, 2),
    Transition(
        "i" * 64, "w", "s" * 64, LONG, "entered", 1_700_000_000_000, 3, "backfill", LONG, 9, {"x": LONG}
    ),
]
MANY = [
    Transition(f"{number:064x}", "w", "s" * 64, f"{number:0256d}", "entered", 1, 1, "event", None, 1)
    for number in range(500)
]
"""As many as a batch may have, with the longest ids."""


def sent(template: str, found: list[Transition], batch: int) -> bytes:
    webhook = Webhook("https://a.com/", (), template)
    rule = Subscription("w", "s", "S", 1, 0, 0, (), batch=batch, webhook=webhook)
    return body(rule, Message(0, 0, found))


def answers(schema: Any, data: bytes) -> list[str]:
    """What the receiver finds wrong."""
    checker = Draft202012Validator(schema, format_checker=FormatChecker())
    return [each.message for each in checker.iter_errors(json.loads(data))]


@pytest.mark.parametrize("template", ["track", "identify"])
def test_calls_are_those_of_the_segment_spec(template: str) -> None:
    for each in STORY:
        data = sent(template, [each], 1)
        assert answers(WHO, data) == [] and len(data) <= 32_000
        assert json.loads(data)["type"] == template
    for found in (STORY, STORY[:1]):
        assert answers(BATCH, sent(template, found, 100)) == []
    whole = sent(template, MANY, 500)
    assert answers(BATCH, whole) == [] and len(whole) <= 500_000


def test_messages_are_those_of_an_incoming_webhook() -> None:
    assert answers(SLACK, sent("slack", STORY[:1], 1)) == []
    assert answers(SLACK, sent("slack", STORY, 100)) == []
    many = sent("slack", MANY, 500)
    assert answers(SLACK, many) == []
    *told, last = json.loads(many)["text"].splitlines()
    assert last == f"and {500 - len(told)} more"


def test_the_receivers_refuse_what_is_not_allowed() -> None:
    call = json.loads(sent("track", STORY[:1], 1))
    for wrong in (
        {**call, "event": ""},
        {**call, "extra": 1},
        {**call, "messageId": "x" * 101},
        {key: value for key, value in call.items() if key != "userId"},
        {key: value for key, value in call.items() if key != "properties"},
    ):
        assert answers(WHO, json.dumps(wrong).encode())
    assert answers(SLACK, b'{"text": "<!channel>"}') and answers(SLACK, b'{"text": "a & b"}')
    assert {"track", "identify", "slack"} <= TEMPLATES.keys()
