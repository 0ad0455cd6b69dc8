"""The bodies that receivers get, in every form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from livesegments.core.event import Transition
from livesegments.notify.body import body
from livesegments.notify.queue import Message
from livesegments.wire.mapping import applied, faults_of
from livesegments.wire.subscription import Subscription, Webhook

ENTERED = Transition(
    "i1", "w", "vip", "ann", "entered", 1_700_000_000_123, 1, "event", "e1", 2, {"spent": 42.5}
)
EXITED = Transition(
    "i2", "w", "vip", "anonymous:<!channel>", "exited", 1_700_000_000_123, 2, "clock", None, 2
)
AT = "2023-11-14T22:13:20.123Z"


def rendered(template: str, *found: Transition, batch: int = 1, mapping: Any = None) -> Any:
    webhook = Webhook("https://a.com/", (), template, mapping)
    rule = Subscription("w", "s", "S", 1, 0, 0, (), batch=batch, webhook=webhook)
    return json.loads(body(rule, Message(0, 0, list(found))))


@pytest.mark.parametrize("template", ["transitions", "a form of a later release"])
def test_our_own(template: str) -> None:
    one = rendered(template, ENTERED)
    assert (one["type"], one["timestamp"], one["data"]["at"]) == ("segment.entered", AT, AT)
    assert one["data"]["computed"] == {"spent": 42.5} and "at_ms" not in one["data"]
    many = rendered(template, ENTERED, batch=10)
    assert many["type"] == "segment.transitions" and len(many["data"]["transitions"]) == 1


def test_calls_of_the_segment_spec() -> None:
    call = rendered("track", ENTERED)
    assert (call["type"], call["event"], call["userId"], call["messageId"]) == (
        "track",
        "Segment Entered",
        "ann",
        "i1",
    )
    assert call["properties"]["segment"] == "vip" and call["timestamp"] == AT
    batch = rendered("identify", ENTERED, EXITED, batch=2)["batch"]
    assert [each["traits"] for each in batch] == [{"segment_vip": True}, {"segment_vip": False}]
    assert batch[1]["anonymousId"] == "<!channel>" and "userId" not in batch[1]


def test_a_message_of_slack_can_mention_nobody() -> None:
    text = rendered("slack", ENTERED, EXITED, batch=2)["text"]
    assert text.splitlines()[0] == f"ann entered vip (event), {AT}"
    assert "&lt;!channel&gt;" in text and "<" not in text


def test_a_mapping_names_fields_and_computes_nothing() -> None:
    mapping = {"who": "$profile", "more": ["$computed.spent", "$$5", "plain", 7], "since": {"at": "$at"}}
    assert faults_of(mapping, "") == []
    assert rendered("json", ENTERED, mapping=mapping) == {
        "who": "ann", "more": [42.5, "$5", "plain", 7], "since": {"at": AT},
    }  # fmt: skip
    assert rendered("json", EXITED, batch=3, mapping={"x": "$computed.spent"}) == [{"x": None}]
    assert applied({"a": "$profile"}, {"profile": "$kind"}) == {"a": "$kind"}
    assert [each.pointer for each in faults_of({"a/b": "$nobody"}, "/m")] == ["/m/a~1b"]
    assert faults_of({"a": [[[[["x"]]]]]}, "") and faults_of(["x"] * 200, "")
