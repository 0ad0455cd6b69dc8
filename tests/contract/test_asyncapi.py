"""docs/asyncapi.yaml: whole in itself, and true of the records that are really written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator

from livesegments.api.members import transitions
from livesegments.api.members.announcements import Heard
from livesegments.core import event
from livesegments.core.declared import Declared
from livesegments.core.definition import Computed, Not, SegmentRef
from livesegments.core.event import Transition
from livesegments.core.fault import Fault
from livesegments.core.handed import Handed
from livesegments.wire import catalog, identities, memberships, pack, rejected, topics
from livesegments.wire.identities import Identity
from livesegments.wire.rejected import Rejected
from livesegments.wire.subscription import Replay, Secret, Subscription, Webhook

DOCUMENT: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "docs" / "asyncapi.yaml").read_text())
TRANSITION = Transition("i", "w", "s", "p", "exited", 1_700_000_000_123, 2, "clock", None, 3)
SEGMENT = catalog.Segment("w", "s", "S", 1, 1, 0, 0, Not(SegmentRef("t")), "text", ("a",))
VALUED = msgspec.structs.replace(TRANSITION, computed={"spent": 312.5, "favourite": "tea", "new": True})
RECORDS = {
    "transition": msgspec.json.encode(TRANSITION),
    "rejection": rejected.encode(Rejected(None, "http", 5, [Fault("/x", "code", "text")], b"{")),
    "identity": identities.encode(Identity("w", "p", "q", "m")) or b"",
    "workspace": catalog.encode(catalog.Workspace("w", "W", "UTC", 0)),
    "key": catalog.encode(catalog.Key("0" * 64, "w", "k", ("read", "ingest"), 0)),
    "segment": catalog.encode(SEGMENT),
    "field": catalog.encode(
        catalog.DeclaredField(
            "w", "age", 1, 0, 0, Declared("text", ("a", 2), "DD/MM/YYYY", "UTC"), "Age", "text"
        )
    ),
    "computed": catalog.encode(catalog.ComputedAttribute("w", "c", 1, 0, 0, Computed(name="a"), "text")),
    "subscription": catalog.encode(
        Subscription(
            "w",
            "s",
            "S",
            1,
            0,
            5,
            (0, 3),
            ("vip",),
            ("entered",),
            ("clock",),
            True,
            1_000,
            1_000,
            10,
            1_000,
            Webhook("https://a.com/", (Secret("whsec_YQ==", 5), Secret("whsec_YQ==")), "json", {"a": "b"}),
            True,
            1,
            Replay(1, (0, 1), (5, 7)),
        )
    ),
    "version": catalog.encode(catalog.Version("w", "s", 1, 0, 5, "k", SEGMENT.definition)),
}


def of(pointer: str) -> Any:
    found: Any = DOCUMENT
    for part in pointer.removeprefix("#/").split("/"):
        found = found[part]
    return found


def references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [each for item in part for each in references(item)]
    if isinstance(part, dict):
        here = [part["$ref"]] if "$ref" in part else []
        return here + [each for item in part.values() for each in references(item)]
    return []


def faults(schema: str, value: Any) -> list[str]:
    wanted = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    return [error.message for error in Draft202012Validator(wanted).iter_errors(value)]


def test_it_is_asyncapi_3_and_every_reference_leads_somewhere() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    assert len(references(DOCUMENT)) > 50
    for pointer in references(DOCUMENT):
        of(pointer)


def test_it_names_our_topics_and_each_has_an_operation() -> None:
    kafka = {
        channel["address"]
        for channel in DOCUMENT["channels"].values()
        if channel["servers"] == [{"$ref": "#/servers/kafka"}]
    }
    named = {topics.INBOUND, topics.EVENTS, topics.REJECTED, topics.MEMBERSHIPS, topics.DEFINITIONS}
    named.add(topics.IDENTITIES)
    assert kafka == named
    used = {operation["channel"]["$ref"] for operation in DOCUMENT["operations"].values()}
    assert used == {f"#/channels/{name}" for name in DOCUMENT["channels"]}
    assert {operation["action"] for operation in DOCUMENT["operations"].values()} == {"send", "receive"}


def test_every_schema_is_a_schema_and_every_message_has_one() -> None:
    Draft202012Validator.check_schema({"$defs": DOCUMENT["components"]["schemas"]})
    for message in DOCUMENT["components"]["messages"].values():
        assert of(message["payload"]["$ref"])


@pytest.mark.parametrize("name", RECORDS)
def test_what_is_written_is_as_declared(name: str) -> None:
    record = msgspec.json.decode(RECORDS[name])
    assert faults(name, record) == []
    assert faults(name, record | {"surplus": 1}) != []
    for field in of(f"#/components/schemas/{name}")["required"]:
        assert faults(name, {key: value for key, value in record.items() if key != field}) != [], field


def test_a_transition_carries_computed_attributes_only_where_there_are_some() -> None:
    assert b"computed" not in memberships.encode(TRANSITION)
    written = memberships.encode(VALUED)
    assert memberships.decode(written) == VALUED
    assert faults("transition", msgspec.json.decode(written)) == []
    lines = transitions.message(Heard(VALUED, (3, 0))).decode().splitlines()
    heard = msgspec.json.decode(lines[1].removeprefix("data: "))
    assert heard["computed"] == VALUED.computed and faults("heard", heard) == []


def test_packed_records_are_as_declared() -> None:
    packed = pack.Packed([event.Event("i", "w", "p", "viewed", 5, {"a": 1})])
    assert faults("packed", msgspec.msgpack.decode(pack.encode(packed))) == []
    handed = Handed("w", "p", [("a", "m")], 1, 0, packed.events, True, b"seen")
    assert faults("handed", msgspec.msgpack.decode(pack.encode(handed))) == []
    assert faults("clock", msgspec.msgpack.decode(pack.encode(pack.Clock(7)))) == []
    assert faults("clock", ["e", 7]) != []


def test_the_stream_is_as_declared() -> None:
    lines = transitions.message(Heard(TRANSITION, (3, 0))).decode().splitlines()
    assert (lines[0], lines[2]) == ("event: exited", "id: 3.0")
    heard = msgspec.json.decode(lines[1].removeprefix("data: "))
    assert heard["at"] == "2023-11-14T22:13:20.123Z"
    assert faults("heard", heard) == []


@pytest.mark.parametrize("kind", ["Kind", "Cause"])
def test_the_words_are_the_same(kind: str) -> None:
    declared = of(f"#/components/schemas/{kind.lower()}")["enum"]
    assert set(declared) == set(getattr(event, kind).__args__)
