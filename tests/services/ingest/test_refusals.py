"""Every fault of an event is named at its place, and one bad item loses only itself."""

import json
from typing import Any

import msgspec
import pytest

from livesegments.core.fault import Fault
from livesegments.ingest import accept
from livesegments.ingest.accept import MAX_ITEMS
from livesegments.ingest.broker import MAX_RECORD_BYTES
from livesegments.ingest.reading import MAX_DEPTH
from livesegments.ingest.receipt import (
    MAX_EVENT_BYTES,
    MAX_FAULTS,
    MAX_TOLD,
)  # fmt: skip
from livesegments.wire.rejected import Rejected, encode
from tests.services.ingest.verdicts import NOW, RECEIPT, call_of, event_of, faults, own


def test_one_bad_item_loses_only_itself() -> None:
    body = b'{"batch":[{"type":"track","userId":"a","event":"x"},{"type":"track"},7,{"type":"page","userId":"b"}]}'
    found = accept.batch(body, RECEIPT)
    assert not isinstance(found, Fault)
    assert [item.profile for item in found.accepted] == ["a", "b"]
    assert [item.index for item in found.rejected] == [1, 2]
    assert [item.raw for item in found.rejected] == [b'{"type":"track"}', b"7"]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"name": "$x"}, [("/name", "reserved_name")]),
        ({"name": ""}, [("/name", "empty")]),
        ({"name": "$retract"}, [("/properties/event_id", "missing_field")]),
        ({"name": "$retract", "properties": {"event_id": ""}}, [("/properties/event_id", "empty")]),
        ({"name": "$retract", "properties": {"event_id": ["a"]}}, [("/properties/event_id", "wrong_type")]),
        ({"name": "$retract", "properties": 7}, [("/properties", "wrong_type")]),
        ({"name": "a", "properties": []}, [("/properties", "wrong_type")]),
        ({"name": "a", "time": "now"}, [("/time", "bad_date")]),
        ({"name": "a", "time": True}, [("/time", "wrong_type")]),
        ({"name": "a", "time": NOW / 2}, [("/time", "wrong_type")]),
        ({"name": "a", "time": NOW // 1_000}, [("/time", "out_of_range")]),
        ({"name": "a", "time": -1}, [("/time", "out_of_range")]),
        ({"name": "a", "time": "1969-12-31T23:59:59Z"}, [("/time", "out_of_range")]),
        ({"attributes": {"lists": {}, "": 1}}, [("/attributes/lists", "reserved_name"), ("/attributes/", "empty")]),
        ({"score": {"reset": False}}, [("/score/reset", "wrong_type")]),
        ({"score": {"increment": "1"}}, [("/score/increment", "wrong_type")]),
        ({"score": {"reset": True, "reason": 1}}, [("/score/reason", "wrong_type")]),
        ({"score": {}}, [("/score", "conflict")]),
        ({"consent": [{"channel": "", "state": "none"}, {"topic": 1}]},
         [("/consent/0/channel", "empty"), ("/consent/1", "missing_field"), ("/consent/1/topic", "wrong_type")]),
        ({"tags": {"add": [""], "remove": [1]}}, [("/tags/add/0", "empty"), ("/tags/remove/0", "wrong_type")]),
        ({"score": None}, [("/score", "no_meaning")]),
        ({"tags": None, "lists": None}, [("/tags", "no_meaning"), ("/lists", "no_meaning")]),
        ({"attributes": 5}, [("/attributes", "wrong_type")]),
        ({"groups": "g"}, [("/groups", "wrong_type")]),
        ({"name": "a", "colour": 1}, [("/colour", "unknown_field")]),
        ({"profile": "", "name": "a"}, [("/profile", "empty")]),
        ({}, [("", "missing_field")]),
        ({"name": "a", "properties": {"n": 2**70}}, [("", "out_of_range")]),
        ({"attributes": {"a": {"b": 1}}}, [("/attributes/a/b", "unknown_field"), ("/attributes/a", "missing_field"),
                                           ("/attributes/a", "missing_field")]),
        ({"attributes": {"a": [[]]}}, [("/attributes/a/0", "wrong_type")]),
        ({"attributes": {"tags": ["x"]}}, [("/attributes/tags", "reserved_name")]),
        ({"attributes": {"created_at": "x"}}, [("/attributes/created_at", "bad_date")]),
        ({"attributes": {"location": {"lat": 91, "lon": "x"}}},
         [("/attributes/location/lat", "out_of_range"), ("/attributes/location/lon", "wrong_type")]),
        ({"consent": {"state": "maybe"}}, [("/consent/state", "unknown_value"), ("/consent", "missing_field")]),
        ({"score": {"set": 1, "increment": 1}}, [("/score", "conflict")]),
        ({"score": "7"}, [("/score", "wrong_type")]),
        ({"tags": 7}, [("/tags", "wrong_type")]),
        ({"lists": {"append": []}}, [("/lists/append", "unknown_field")]),
    ],
    ids=lambda item: json.dumps(item)[:50],
)  # fmt: skip
def test_each_fault_is_named_at_its_place(item: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert faults(own(**item)) == expected


@pytest.mark.parametrize(
    ("kind", "item", "expected"),
    [
        ("track", {"event": "x"}, [("", "missing_field")]),
        ("track", {"userId": "u"}, [("", "missing_field")]),
        ("track", {"userId": "u", "event": "$retract"}, [("/properties/event_id", "missing_field")]),
        ("track", {"userId": True, "event": "x", "messageId": 1.5}, [("/userId", "wrong_type"), ("/messageId", "wrong_type")]),
        ("track", {"userId": "", "event": "x"}, [("", "missing_field")]),
        ("track", {"anonymousId": "", "event": "x"}, [("", "missing_field")]),
        ("track", {"userId": "u", "event": "x", "timestamp": 1, "sentAt": "now"}, [("/timestamp", "out_of_range")]),
        ("track", {"userId": "u", "event": "x", "timestamp": NOW, "sentAt": "now"}, [("/sentAt", "bad_date")]),
        ("identify", {"userId": "u", "traits": {"a": {"b": [{}]}}}, [("/traits/a/b/0", "wrong_type")]),
        ("identify", {"userId": "u", "traits": {"location": {"lat": 1}}}, [("/traits/location", "missing_field")]),
        ("identify", {"userId": "u", "traits": 7, "context": {"traits": 7}},
         [("/traits", "wrong_type"), ("/context/traits", "wrong_type")]),
        ("identify", {"userId": "u", "traits": {"a" * 200: {"b" * 200: 1}}}, [(f"/traits/{'a' * 200}/{'b' * 200}"[:MAX_TOLD], "too_long")]),
        ("track", {"userId": "anonymous:1", "event": "x"}, [("/userId", "reserved_name")]),
        ("identify", {"userId": "u", "traits": {"groups": ["a"]}}, [("/traits/groups", "reserved_name")]),
        ("group", {"userId": "u"}, [("", "missing_field")]),
        ("alias", {"userId": "u"}, [("", "missing_field")]),
    ],
)  # fmt: skip
def test_each_fault_of_a_call(kind: str, item: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert faults(accept.call(kind, json.dumps(item).encode(), RECEIPT)) == expected


def test_a_misspelt_name_is_told_beside_the_name_that_there_is() -> None:
    verdict = own(nme="a", profile="p")
    assert isinstance(verdict, Rejected)
    assert [fault.pointer for fault in verdict.faults] == ["/nme"]
    assert "lists, name," in verdict.faults[0].message
    assert faults(own(properties={})) == [("", "missing_field")]
    assert faults(own(attributes={"a": 1}, properties={})) == [("/properties", "unknown_field")]


def test_too_large_an_event_is_refused() -> None:
    assert faults(own(name="a", properties={"x": "y" * 33_000})) == [("", "too_long")]
    assert faults(accept.inbound({"ce_specversion": "1.0"}, b'"' + b"y" * 33_000 + b'"', RECEIPT)) == [
        ("/data", "too_long")
    ]


def test_too_deep_an_event_is_refused() -> None:
    """Such a record would end every reader of the log whose stack is deeper than ours."""

    def nested(levels: int) -> dict[str, Any]:
        return {"x": json.loads("[" * levels + "]" * levels)}

    assert event_of(own(name="a", properties=nested(MAX_DEPTH - 2)))
    assert faults(own(name="a", properties=nested(MAX_DEPTH - 1))) == [("", "too_deep")]
    assert event_of(own(name="a", properties={"wide": [[]] * 1_000}))


@pytest.mark.parametrize("text", ["ann\n", "a\x00b", "\x01" * 250, "a\x1b[31m", "a\x85", "\x7f"])
def test_no_id_has_a_control_character(text: str) -> None:
    """Otherwise a path, a log line and a terminal would show another id than the one that was sent."""
    assert faults(own(profile=text, name="a")) == [("/profile", "bad_character")]
    assert faults(own(id=text, name="a")) == [("/id", "bad_character")]
    assert faults(own(name=text)) == [("/name", "bad_character")]
    said = accept.call("track", json.dumps({"anonymousId": text, "event": "a"}).encode(), RECEIPT)
    assert faults(said) == [("/anonymousId", "bad_character")]


@pytest.mark.parametrize("character", ["x", "\x01", "\U0001f600"])
def test_what_is_told_of_a_rejection_is_bounded(character: str) -> None:
    """However it is written: else the broker could not take it, and its sender would try for ever."""
    odd = {f"{character * 3}{number}": [None] for number in range(150)}
    item = {"userId": "u", "traits": {character * 900: odd}}
    told = accept.call("identify", json.dumps(item, ensure_ascii=False).encode(), RECEIPT)
    assert len(faults(told)) == 101 and faults(told)[-1] == ("", "more_faults")
    assert isinstance(told, Rejected)
    worst = [Fault("\x01" * MAX_TOLD, "code", "\x01" * MAX_TOLD)] * (MAX_FAULTS + 1)
    for rejection in (told, msgspec.structs.replace(told, faults=worst, raw=b"x" * MAX_EVENT_BYTES)):
        assert len(encode(rejection)) < MAX_RECORD_BYTES
    whole = Rejected("shop", "http", NOW, [Fault("", "bad_json", "text")], b"x" * 2_000_000)
    assert len(encode(whole)) < MAX_RECORD_BYTES


def test_a_body_has_a_bound_in_items() -> None:
    for found in (
        accept.batch(b'{"batch":[' + b",".join([b"1"] * (MAX_ITEMS + 1)) + b"]}", RECEIPT),
        accept.events(b"[" + b",".join([b"1"] * (MAX_ITEMS + 1)) + b"]", RECEIPT),
        accept.events(b"1\n" * (MAX_ITEMS + 1), RECEIPT),
    ):
        assert isinstance(found, Fault) and found.code == "too_long"


def test_one_object_may_stand_on_several_lines() -> None:
    found = accept.events(b'{\n  "profile": "a",\n  "name": "x"\n}\n', RECEIPT)
    assert not isinstance(found, Fault) and [item.profile for item in found.accepted] == ["a"]


def test_a_refusal_names_the_sent_at_that_moved_a_stamp() -> None:
    """A batch whose `sentAt` is local time without its offset, and so some hours off."""
    item = {"type": "track", "userId": "k9", "event": "sk", "timestamp": NOW - 600_000}
    off = "2023-11-14T17:13:20"  # five hours before NOW
    found = accept.batch(json.dumps({"batch": [item], "sentAt": off}).encode(), RECEIPT)
    assert not isinstance(found, Fault)
    ((fault,),) = [item.faults for item in found.rejected]
    assert (fault.pointer, fault.code) == ("/timestamp", "in_future")
    assert f"'sentAt' '{off}' differs from our clock by 18000 s" in fault.message
    assert faults(call_of("track", userId="u", event="a", timestamp=NOW + 10**9)) == [
        ("/timestamp", "in_future")
    ]


def test_a_key_that_stands_twice_is_refused() -> None:
    twice = [
        (b'{"profile":"u","name":"a","name":"b"}', "/name"),
        (b'{"profile":"u","name":"a","properties":{"total":1,"total":2}}', "/properties/total"),
    ]
    for body, at in twice:
        found = accept.events(body, RECEIPT)
        assert not isinstance(found, Fault) and faults(found.rejected[0]) == [(at, "repeated_key")]
        assert faults(accept.inbound({}, body, RECEIPT)) == [(at, "repeated_key")]
    body = b'{"userId":"u","event":"a","properties":{"x":[{"y":1,"y":1}]}}'
    assert faults(accept.call("track", body, RECEIPT)) == [("/properties/x/0/y", "repeated_key")]
    found = accept.batch(b'{"batch":[],"sentAt":1,"batch":[]}', RECEIPT)
    assert isinstance(found, Fault) and (found.pointer, found.code) == ("/batch", "repeated_key")
    assert faults(accept.inbound({"ce_specversion": "1.0"}, b'{"a":1,"a":2}', RECEIPT)) == [
        ("/data/a", "repeated_key")
    ]


def test_an_event_of_another_workspace_is_refused() -> None:
    assert faults(own(name="a", workspace="other")) == [("/workspace", "conflict")]
    assert event_of(own(name="a", workspace="shop"))


def test_binary_data_of_a_cloudevent_is_refused_not_dropped() -> None:
    item = {
        "specversion": "1.0",
        "id": "1",
        "source": "s",
        "type": "x",
        "subject": "u",
        "data_base64": "AA==",
    }
    assert faults(accept.inbound({}, json.dumps(item).encode(), RECEIPT)) == [
        ("/data_base64", "unknown_field")
    ]
