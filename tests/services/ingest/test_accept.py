"""Bytes in, verdicts out: every call of the Segment specification, our own form, CloudEvents."""

import json
from typing import Any

import msgspec
import pytest

from livesegments.core.event import MERGE, Event, ProfileChange
from livesegments.core.fault import Fault
from livesegments.core.ids import MAX_ID
from livesegments.ingest import accept, segment_spec
from livesegments.ingest.receipt import (
    MAX_AHEAD_MS,
    Accepted,
)  # fmt: skip
from tests.services.ingest.verdicts import LOG, NOW, RECEIPT, call, change, event_of, faults, own


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
