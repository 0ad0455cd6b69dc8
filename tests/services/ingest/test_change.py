"""One odd part of a profile's change never loses the others: it is named, and kept by itself."""

import json
import math
from typing import Any

import msgspec
import pytest
from msgspec import structs

from livesegments.core.declared import Declared
from livesegments.core.event import Event, ProfileChange
from livesegments.core.fault import Fault
from livesegments.ingest import accept
from livesegments.ingest.receipt import Accepted, Receipt, Verdict
from livesegments.ingest.traits import MAX_ATTRIBUTES
from livesegments.wire.rejected import Rejected

RECEIPT = Receipt("shop", 1_800_000_000_000, "http", "given")


def identify(traits: Any, **fields: Any) -> Verdict:
    return identified(json.dumps({"userId": "u", "traits": traits} | fields))


def identified(text: str) -> Verdict:
    return accept.call("identify", text.encode(), RECEIPT)


def own(**parts: Any) -> Verdict:
    found = accept.events(json.dumps({"profile": "u"} | parts).encode(), RECEIPT)
    assert not isinstance(found, Fault)
    return found.accepted[0] if found.accepted else found.rejected[0]


def change(verdict: Verdict) -> ProfileChange:
    assert isinstance(verdict, Accepted), verdict
    event = msgspec.msgpack.decode(verdict.data, type=Event)
    return msgspec.convert(event.properties, ProfileChange)


def left_out(verdict: Verdict) -> tuple[list[tuple[str, str]], Any]:
    """(pointer and code of each fault, what is kept of it)."""
    assert isinstance(verdict, Accepted) and verdict.left_out is not None, verdict
    assert verdict.left_out.partial
    faults = [(fault.pointer, fault.code) for fault in verdict.left_out.faults]
    return faults, json.loads(verdict.left_out.raw)


ODD = [
    ("companies", [{"id": "c1"}], "/companies/0", "wrong_type"),
    ("langs", ["de", None], "/langs/1", "wrong_type"),
    ("big", 2**63, "/big", "out_of_range"),
    ("bigger", 2**70, "/bigger", "out_of_range"),
    ("bigs", [1, -(2**64)], "/bigs/1", "out_of_range"),
    ("", 1, "/", "empty"),
    ("a\nb", 1, "/a\nb", "bad_character"),
    ("consent", True, "/consent", "wrong_type"),
    ("tags", 7, "/tags", "wrong_type"),
    ("tags", None, "/tags", "no_meaning"),
    ("score", None, "/score", "no_meaning"),
    ("score", "7", "/score", "wrong_type"),
    ("score", {"set": 2**70}, "/score/set", "out_of_range"),
    ("groups", ["a"], "/groups", "reserved_name"),
    ("created_at", "soon", "/created_at", "bad_date"),
    ("created_at", -1, "/created_at", "out_of_range"),
    ("created_at", True, "/created_at", "wrong_type"),
    ("location", {"lat": 91, "lon": 1}, "/location/lat", "out_of_range"),
]


@pytest.mark.parametrize(("name", "value", "at", "code"), ODD, ids=[repr(odd[:2]) for odd in ODD])
def test_an_odd_trait_is_left_out_by_itself(name: str, value: Any, at: str, code: str) -> None:
    verdict = identify({"email": "u@example.org", name: value}, messageId="m")
    assert change(verdict) == ProfileChange(attributes={"email": "u@example.org"})
    faults, raw = left_out(verdict)
    assert faults == [(f"/traits{at}", code)]
    if code != "out_of_range":
        assert raw == {"type": "identify", "userId": "u", "messageId": "m", "traits": {name: value}}
    alone = identify({name: value})
    assert isinstance(alone, Rejected) and not alone.partial, "nothing is left of it"


OWN = [
    ({"attributes": {"odd": {"b": 1}}}, {"attributes": {"odd": {"b": 1}}}, "/attributes/odd/b"),
    ({"attributes": {"tags": ["x"]}}, {"attributes": {"tags": ["x"]}}, "/attributes/tags"),
    ({"attributes": 7}, {"attributes": 7}, "/attributes"),
    ({"score": None}, {"score": None}, "/score"),
    ({"consent": {"email": True}}, {"consent": {"email": True}}, "/consent/email"),
    ({"lists": {"append": []}}, {"lists": {"append": []}}, "/lists/append"),
]


@pytest.mark.parametrize(("odd", "kept", "at"), OWN, ids=[at for _, _, at in OWN])
def test_so_is_an_odd_part_in_our_own_form(odd: dict[str, Any], kept: dict[str, Any], at: str) -> None:
    attributes = odd.get("attributes")
    merged = {"attributes": {"ok": 1} | attributes} if isinstance(attributes, dict) else odd
    verdict = own(groups=["g"], **merged)
    expected = {"ok": 1} if isinstance(attributes, dict) else {}
    assert change(verdict) == ProfileChange(groups=("g",), attributes=expected)
    faults, raw = left_out(verdict)
    assert faults[0][0] == at and raw == {"profile": "u"} | kept


def test_the_good_items_of_a_list_of_names_are_applied() -> None:
    verdict = own(
        tags={"add": ["a", ""], "remove": [1]},
        groups=["g", None],
        consent=[{"channel": "email", "state": "opted_in"}, {"email": True}],
    )
    found = change(verdict)
    assert (found.tags_add, found.tags_remove, found.groups) == (("a",), (), ("g",))
    assert [item.channel for item in found.consent] == ["email"]
    assert [pointer for pointer, _ in left_out(verdict)[0]][:3] == [
        "/tags/add/1",
        "/tags/remove/0",
        "/consent/1/email",
    ]


def test_of_an_object_the_odd_attribute_alone_is_left_out() -> None:
    verdict = identify({"address": {"city": "Berlin", "rooms": [{}]}})
    assert change(verdict).attributes == {"address.city": "Berlin"}
    assert left_out(verdict)[0] == [("/traits/address/rooms/0", "wrong_type")]


def test_a_number_that_no_double_holds_is_left_out() -> None:
    for text in ("1e400", "-1e999", "9" * 400 + ".5", "NaN", "Infinity", "-Infinity"):
        verdict = identified(f'{{"userId":"u","traits":{{"n":{text},"ok":1,"l":[{text}]}}}}')
        assert change(verdict).attributes == {"ok": 1}
        assert isinstance(verdict, Accepted) and verdict.left_out is not None
        assert text.encode() in verdict.left_out.raw
        for body in (f'{{"userId":"u","event":"e","properties":{{"n":{text}}}}}', f"[{text}]"):
            refused = accept.call("track", body.encode(), RECEIPT)
            assert isinstance(refused, Rejected) and refused.faults[0].code == "bad_json"


def test_a_nan_of_python_loses_nothing_that_came_with_it() -> None:
    """Python's json writes it so, and Segment's library for Python sends what that writes."""
    traits = {"age": math.nan, "plan": "pro", "text": 'NaN, "Infinity'}
    items = [
        {"type": "identify", "userId": "u", "traits": traits},
        {"type": "track", "userId": "u", "event": "e", "properties": {"total": -math.inf}},
        {"type": "track", "userId": "u", "event": "e"},
    ]
    body = json.dumps({"writeKey": "secret", "batch": items}).encode()
    verdicts = accept.batch(body, RECEIPT)
    assert not isinstance(verdicts, Fault)
    whole, _ = verdicts.accepted
    assert change(whole).attributes == {"plan": "pro", "text": 'NaN, "Infinity'}
    assert left_out(whole)[0] == [("/traits/age", "out_of_range")]
    assert "is not finite: NaN" in verdicts.rejected[0].faults[0].message
    assert accept.write_key(body) == "secret"
    assert accept.workspace_in(b'{"workspace": "w", "profile": "u", "attributes": {"n": NaN}}') == "w"


def test_a_fault_of_the_event_refuses_all_of_it() -> None:
    verdict = identify({"email": "u@example.org", "odd": [{}]}, timestamp="soon")
    assert isinstance(verdict, Rejected) and not verdict.partial
    assert [fault.pointer for fault in verdict.faults] == ["/timestamp", "/traits/odd/0"]


@pytest.mark.parametrize(
    ("trait", "kept"),
    [
        ({"location": "Berlin"}, {"location": "Berlin"}),
        ({"location": {"city": "Berlin"}}, {"location.city": "Berlin"}),
        ({"location": {"lat": 1, "lon": 2}}, {"location": {"lat": 1, "lon": 2}}),
        ({"created_at": "2025-11-30"}, {"created_at": "2025-11-30"}),
        ({"created_at": "2025-11-30 12:00"}, {"created_at": "2025-11-30 12:00"}),
        ({"created_at": 1_700_000_000}, {"created_at": "2023-11-14T22:13:20Z"}),
        ({"created_at": 1_700_000_000.5}, {"created_at": "2023-11-14T22:13:20.500Z"}),
        ({"created_at": 1_700_000_000_123}, {"created_at": "2023-11-14T22:13:20.123Z"}),
        ({"created_at": 0}, {"created_at": "1970-01-01T00:00:00Z"}),
        ({"address": None}, {"address": None}),
        ({"n": 2**63 - 1}, {"n": 2**63 - 1}),
    ],
    ids=str,
)
def test_what_is_no_odd_trait(trait: dict[str, Any], kept: dict[str, Any]) -> None:
    verdict = identify(trait)
    assert change(verdict).attributes == kept
    assert isinstance(verdict, Accepted) and verdict.left_out is None


def test_a_string_is_one_tag() -> None:
    assert change(identify({"tags": "vip"})).tags_add == ("vip",)
    found = change(own(tags={"add": "vip", "remove": "trial"}))
    assert (found.tags_add, found.tags_remove) == (("vip",), ("trial",))


def test_traits_in_the_context_are_traits_and_those_at_the_top_win() -> None:
    context = {"traits": {"email": "c@example.org", "plan": "pro", "odd": [{}]}, "ip": "127.0.0.1"}
    verdict = identify({"email": "u@example.org"}, context=context)
    assert change(verdict).attributes == {"email": "u@example.org", "plan": "pro"}
    assert left_out(verdict)[0] == [("/context/traits/odd/0", "wrong_type")]
    text = '{"userId":"r1","context":{"traits":{"email":"r1@ex.org"}}}'
    assert change(identified(text)).attributes == {"email": "r1@ex.org"}
    assert change(identify({"a": 1}, context={"traits": None})).attributes == {"a": 1}


def test_one_change_has_a_bound_in_attributes() -> None:
    most = {f"a{number}": number for number in range(MAX_ATTRIBUTES)}
    assert len(change(identify(most)).attributes) == MAX_ATTRIBUTES
    for verdict, at in (
        (identify(most | {"b": 1}), "/traits"),
        (own(attributes=most | {"b": 1}), "/attributes"),
    ):
        assert isinstance(verdict, Rejected)
        assert [(fault.pointer, fault.code) for fault in verdict.faults] == [(at, "too_long")]


def test_declared_attributes_are_read_as_their_type_and_an_odd_one_is_left_out_alone() -> None:
    declared = {
        "age": Declared("number"),
        "born": Declared("date", form="DD/MM/YYYY"),
        "address.zip": Declared("text"),
    }
    receipt = structs.replace(RECEIPT, declared=declared)
    traits = {"age": "42", "born": "30/11/2025", "address": {"zip": 10115}, "size": "42", "plan": "pro"}
    verdict = accept.call("identify", json.dumps({"userId": "u", "traits": traits}).encode(), receipt)
    assert change(verdict).attributes == {
        "age": 42, "born": "2025-11-30", "address.zip": "10115", "size": "42", "plan": "pro",
    }  # fmt: skip
    odd = json.dumps({"profile": "u", "attributes": {"age": "old", "born": None, "plan": "pro"}}).encode()
    found = accept.events(odd, receipt)
    assert not isinstance(found, Fault)
    assert change(found.accepted[0]).attributes == {"born": None, "plan": "pro"}
    assert left_out(found.accepted[0]) == (
        [("/attributes/age", "wrong_type")],
        {"profile": "u", "attributes": {"age": "old"}},
    )
    assert "declared a number" in found.left_out[0].faults[0].message
