"""Bytes in, verdicts out: every call of the Segment specification, our own form, CloudEvents; every fault."""

import json
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesegments.core.event import MERGE, Event, ProfileChange
from livesegments.core.fault import Fault
from livesegments.core.ids import MAX_ID
from livesegments.ingest import accept, segment_spec
from livesegments.ingest.accept import MAX_ITEMS
from livesegments.ingest.broker import MAX_RECORD_BYTES
from livesegments.ingest.log_time import LogTime
from livesegments.ingest.packer import packed
from livesegments.ingest.reading import MAX_DEPTH
from livesegments.ingest.receipt import (
    MAX_AHEAD_MS,
    MAX_EVENT_BYTES,
    MAX_FAULTS,
    MAX_TOLD,
    Accepted,
    Receipt,
)  # fmt: skip
from livesegments.wire import pack
from livesegments.wire.rejected import Rejected, encode

NOW = 1_700_000_000_000
RECEIPT = Receipt("shop", NOW, "http", "given")
LOG = Receipt("shop", NOW, "http", "given", LogTime(10**15))


def event_of(verdict: object) -> Event:
    assert isinstance(verdict, Accepted), verdict
    event = msgspec.msgpack.decode(verdict.data, type=Event)
    assert (verdict.workspace, verdict.profile) == (
        event.workspace,
        event.profile,
    ) and event.workspace == "shop"
    return event


def call(kind: str, receipt: Receipt = RECEIPT, **fields: Any) -> Event:
    return event_of(accept.call(kind, json.dumps({"userId": "u"} | fields).encode(), receipt))


def faults(verdict: object) -> list[tuple[str, str]]:
    assert isinstance(verdict, Rejected), verdict
    return [(fault.pointer, fault.code) for fault in verdict.faults]


def call_of(kind: str, **item: Any) -> object:
    return accept.call(kind, json.dumps(item).encode(), RECEIPT)


def own(receipt: Receipt = RECEIPT, **item: Any) -> object:
    found = accept.events(json.dumps({"profile": "u"} | item).encode(), receipt)
    assert not isinstance(found, Fault)
    return [*found.accepted, *found.rejected][0]


def change(verdict: Event) -> ProfileChange:
    assert verdict.name == "$profile"
    return msgspec.convert(verdict.properties, ProfileChange)


def test_track() -> None:
    event = call(
        "track", event="order", properties={"total": 5}, messageId="m", timestamp="2023-01-01T00:00:00Z"
    )
    assert event == Event("m", "shop", "u", "order", 1_672_531_200_000, {"total": 5})


def test_page_and_screen_carry_their_name_and_category() -> None:
    event = call("page", name="Home", category="shop", properties={"url": "/"})
    assert (event.name, event.properties) == ("page", {"url": "/", "name": "Home", "category": "shop"})
    assert call("screen", name="Cart").name == "screen"


def test_identify_sorts_the_reserved_traits_out() -> None:
    found = change(
        call(
            "identify",
            traits={
                "age": 7, "gone": None, "tags": ["vip"], "score": {"increment": 2},
                "consent": {"channel": "email", "state": "opted_in"}, "created_at": "2020-01-01",
                "location": {"lat": 1, "lon": 2},
            },
        )
    )  # fmt: skip
    assert found.attributes == {
        "age": 7,
        "gone": None,
        "created_at": "2020-01-01",
        "location": {"lat": 1, "lon": 2},
    }
    assert found.tags_add == ("vip",)
    assert found.score is not None and found.score.increment == 2
    assert found.consent[0].channel == "email"


def test_group_alias_and_the_anonymous() -> None:
    assert change(call("group", groupId="g")).groups == ("g",)
    event = call("alias", previousId="old")
    assert (event.name, event.properties) == ("$alias", {"previous_id": "old"})
    assert call("track", userId=None, anonymousId="x", event="a").profile == "anonymous:x"


def test_a_wrong_senders_clock_is_corrected_by_sent_at() -> None:
    event = call("track", event="a", timestamp=NOW - 90_000, sentAt=NOW - 60_000)
    assert event.time_ms == NOW - 30_000


@pytest.mark.parametrize("field", ["receivedAt", "originalTimestamp"])
def test_what_segment_handed_on_was_corrected_there(field: str) -> None:
    """An export of last year stays last year's, whenever it is sent to us."""
    corrected: dict[str, Any] = {field: NOW - 60_000}
    event = call("track", event="a", timestamp=NOW - 90_000, sentAt=NOW - 60_000, **corrected)
    assert event.time_ms == NOW - 90_000


def test_ids_may_be_numbers_as_some_libraries_send_them() -> None:
    event = call("track", userId=7, event="a", messageId=9)
    assert (event.profile, event.id) == ("7", "9")
    assert call("track", userId=0, event="a").profile == "0"
    assert call("track", userId=None, anonymousId=7, event="a").profile == "anonymous:7"
    assert change(call("group", groupId=8)).groups == ("8",)
    assert call("alias", previousId=8).properties == {"previous_id": "8"}


def test_an_empty_string_is_nothing_as_some_libraries_send_it() -> None:
    assert call("track", userId="", anonymousId="x", event="a").profile == "anonymous:x"
    assert call("screen", name="Cart", category="").properties == {"name": "Cart"}


def test_an_object_among_the_traits_is_several_attributes() -> None:
    traits = {"address": {"city": "Berlin", "geo": {"lat": 1, "lon": 2}, "at": {"floor": 3}}, "none": {}}
    found = change(call("identify", traits=traits))
    assert found == ProfileChange(
        attributes={"address.city": "Berlin", "address.geo": {"lat": 1, "lon": 2}, "address.at.floor": 3}
    )


def test_stamps_ahead_are_set_back_or_refused_unless_the_log_is_replayed() -> None:
    assert event_of(own(name="a", time=NOW + MAX_AHEAD_MS)).time_ms == NOW
    assert faults(own(name="a", time=NOW + MAX_AHEAD_MS + 1)) == [("/time", "in_future")]
    assert event_of(own(LOG, name="a", time=NOW + 10**9)).time_ms == NOW + 10**9


def test_our_own_events_and_changes() -> None:
    assert event_of(own(name="order", id="1", properties={"n": 1})).properties == {"n": 1}
    found = change(
        event_of(
            own(
                attributes={"age": 3}, tags={"remove": ["a"]}, score={"reset": True, "reason": "asked"},
                groups=["g"], lists={"add": ["news"]},
            )
        )
    )  # fmt: skip
    assert (found.attributes, found.tags_remove, found.groups, found.lists_add) == (
        {"age": 3}, ("a",), ("g",), ("news",),
    )  # fmt: skip
    assert found.score is not None and (found.score.set, found.score.reason) == (0, "asked")


def test_an_event_without_an_id_gets_one_of_its_receipt() -> None:
    found = accept.events(b'[{"profile":"a","name":"x"},{"profile":"b","name":"x"}]', RECEIPT)
    assert not isinstance(found, Fault)
    assert [event_of(item).id for item in found.accepted] == ["given:000000", "given:000001"]


def test_events_of_one_time_keep_their_order_by_the_ids_that_they_are_given() -> None:
    """What has the same time is ordered by id: in a batch without stamps the last change has to win."""
    lines = b"\n".join(b'{"profile":"a","attributes":{"n":%d}}' % number for number in range(12))
    found = accept.events(lines, RECEIPT)
    assert not isinstance(found, Fault)
    events = [event_of(item) for item in found.accepted]
    assert {event.time_ms for event in events} == {NOW}
    assert [event.properties["attributes"]["n"] for event in sorted(events, key=lambda e: e.id)] == [
        *range(12)
    ]


def test_one_bad_item_loses_only_itself() -> None:
    body = b'{"batch":[{"type":"track","userId":"a","event":"x"},{"type":"track"},7,{"type":"page","userId":"b"}]}'
    found = accept.batch(body, RECEIPT)
    assert not isinstance(found, Fault)
    assert [item.profile for item in found.accepted] == ["a", "b"]
    assert [item.index for item in found.rejected] == [1, 2]
    assert [item.raw for item in found.rejected] == [b'{"type":"track"}', b"7"]


def test_cloudevents_binary_and_structured() -> None:
    headers = {
        "ce_specversion": "1.0",
        "ce_id": "1",
        "ce_source": "/s",
        "ce_type": "order",
        "ce_subject": "u",
    }
    event = event_of(accept.inbound(headers, b'{"total":1}', RECEIPT))
    assert event == Event("/s#1", "shop", "u", "order", NOW, {"total": 1})
    item = {
        "specversion": "1.0",
        "id": "1",
        "source": "/s",
        "type": "order",
        "subject": "u",
        "data": {"total": 1},
    }
    headers = {"content-type": "application/cloudevents+json; charset=utf-8"}
    assert event_of(accept.inbound(headers, json.dumps(item).encode(), RECEIPT)) == event


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


def test_an_anonymous_id_is_as_long_as_a_profiles_id_may_be_with_its_prefix() -> None:
    longest = MAX_ID - len("anonymous:")
    assert call("track", userId=None, anonymousId="x" * longest, event="a").profile.endswith("x" * longest)
    body = json.dumps({"anonymousId": "x" * (longest + 1), "event": "a"}).encode()
    assert faults(accept.call("track", body, RECEIPT)) == [("/anonymousId", "too_long")]


def test_the_title_of_a_page_is_a_value_and_no_name() -> None:
    title = "Shoes\nfor everyone " + "x" * 300
    assert call("page", name=title).properties == {"name": title}


def test_a_cloud_events_source_and_id_make_an_id_that_is_never_too_long() -> None:
    def of(source: str) -> str:
        item = {"specversion": "1.0", "id": "i" * 200, "source": source, "type": "x", "subject": "u"}
        return event_of(accept.inbound({}, json.dumps(item).encode(), RECEIPT)).id

    assert len(of("s" * 200)) == 64 and of("s" * 200) != of("t" * 200)


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


@given(st.binary() | st.text().map(str.encode), st.sampled_from(["track", "identify", "page", "group"]))
def test_whatever_the_bytes_it_answers(body: bytes, kind: str) -> None:
    for verdict in (accept.call(kind, body, RECEIPT), accept.inbound({}, body, RECEIPT)):
        if isinstance(verdict, Rejected):
            assert verdict.raw == body and verdict.faults
            encode(verdict)
    accept.batch(body, RECEIPT)
    accept.events(body, RECEIPT)
    accept.workspace_in(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["type", "userId", "event", "traits", "timestamp", "profile", "name", "properties", "score", "tags",
          "consent", "attributes", "lists", "time", "specversion", "groups", "anonymousId", "sentAt"]  # fmt: skip


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.sampled_from(["identify", "track", "page"]))
def test_whatever_the_object_it_answers(item: dict[str, Any], kind: str) -> None:
    body = json.dumps(item).encode()
    for verdict in (accept.call(kind, body, RECEIPT), accept.inbound({}, body, RECEIPT), own(**item)):
        if isinstance(verdict, Accepted):
            assert isinstance(pack.decode(packed([verdict.data])), pack.Packed), "what is kept can be read"
            if verdict.left_out is not None:
                encode(verdict.left_out)


PIECES = [b"1e400", b"-1e999", b"NaN", b"Infinity", rb'"\ud800"', rb'"\udc00\ud800"', b'"\xff"', b"\xed\xa0\x80", b"9" * 30,
          b"[" * 40, b"{" * 3, b"]" * 40, b'"tags":', b'{"lat":1,"lon":2}', b"null", b",", b":", b'"', b"\\"]  # fmt: skip


def test_no_mutated_event_is_kept_that_the_evaluator_can_not_read() -> None:
    whole = [
        b'{"userId":"u","type":"identify","traits":{"a":1,"b":{"c":[1.5,"x"]},"tags":["t"],"score":{"set":1},'
        b'"consent":{"channel":"e","state":"none"}},"timestamp":"2023-01-01T00:00:00Z"}',
        b'{"userId":"u","type":"track","event":"e","properties":{"n":1.5,"l":[[1],{"a":"b"}]},"sentAt":1672531200000}',
        b'{"profile":"u","attributes":{"a":1,"p":{"lat":1,"lon":2}},"lists":{"add":["l"]},"groups":["g"]}',
        b'{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"u","data":{"n":1}}',
    ]
    rng, kept = Random(20_231_114), 0
    for _ in range(20_000):
        body = bytearray(rng.choice(whole))
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(body))
            body[at : at + rng.choice([0, 1, 1, 1, 3])] = rng.choice([*PIECES, bytes([rng.randrange(256)])])
        verdict = accept.inbound({}, bytes(body), RECEIPT)
        if isinstance(verdict, Rejected):
            encode(verdict)
            continue
        kept += 1
        read = pack.decode(packed([verdict.data]))
        assert isinstance(read, pack.Packed) and not set(repr(read).split()) & {"nan", "inf", "-inf"}
        if verdict.left_out is not None:
            encode(verdict.left_out)
    assert kept > 1_000


def test_a_retraction_is_an_event_of_ours_whatever_form_it_has() -> None:
    own = {"profile": "u", "name": "$retract", "id": "r", "properties": {"event_id": "7", "reason": "refund"}}
    (verdict,) = batch_of(own)
    track = {
        "userId": "u",
        "event": "$retract",
        "messageId": "r",
        "properties": {"event_id": 7, "reason": "refund"},
    }
    other = accept.call("track", json.dumps(track).encode(), RECEIPT)
    cloud = {"specversion": "1.0", "type": "$retract", "source": "s", "subject": "u", "id": "r",
             "data": {"event_id": "7", "reason": "refund"}}  # fmt: skip
    third = accept.inbound({}, json.dumps(cloud).encode(), RECEIPT)
    for each in (verdict, other, third):
        event = event_of(each)
        assert (event.name, event.profile) == ("$retract", "u")
        assert event.properties == {"event_id": "7", "reason": "refund"}


def batch_of(item: dict[str, Any]) -> list[Any]:
    found = accept.events(json.dumps(item).encode(), RECEIPT)
    assert isinstance(found, accept.Verdicts) and not found.rejected
    return [*found.accepted]


def merges_of(item: dict[str, Any], merge: bool = True) -> list[tuple[str, dict[str, Any], str]]:
    """(profile that goes, properties, id) of what follows from a call."""
    receipt = msgspec.structs.replace(RECEIPT, merge=merge)
    verdict = segment_spec.accept(item, b"{}", receipt)
    assert isinstance(verdict, Accepted)
    events = [msgspec.msgpack.decode(each.data, type=Event) for each in verdict.merges]
    assert all(each.name == MERGE for each in events)
    return [(each.profile, each.properties, each.id) for each in events]


def test_identify_with_both_ids_and_alias_merge_profiles() -> None:
    both = {"type": "identify", "userId": "ann", "anonymousId": "a-1", "messageId": "m"}
    assert merges_of(both) == [("anonymous:a-1", {"into": "ann"}, "m")]
    assert merges_of(both, merge=False) == []
    assert merges_of({"type": "identify", "anonymousId": "a-1"}) == []
    assert merges_of({"type": "track", "event": "x", "userId": "ann", "anonymousId": "a-1"}) == []
    alias = {"type": "alias", "userId": "ann", "previousId": "a-1", "messageId": "m"}
    assert merges_of(alias) == [("a-1", {"into": "ann"}, "m"), ("anonymous:a-1", {"into": "ann"}, "m")]
    assert merges_of({**alias, "previousId": "ann"}) == []
