"""Whatever lies in a topic, a decoder returns a record or raises `Unreadable`; and a record can be applied.

The seed is fixed; `make fuzz` draws others. FUZZ_SEED=n repeats one of them.
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from livesegments.core.declared import Declared
from livesegments.core.definition import Computed, Node
from livesegments.core.event import PROFILE, Event, Transition
from livesegments.core.fault import Fault
from livesegments.core.handed import Handed
from livesegments.core.profile import Profile
from livesegments.core.registers import apply_change
from livesegments.wire import catalog, memberships, pack, rejected
from livesegments.wire.subscription import Secret, Subscription, Webhook
from livesegments.wire.unreadable import Unreadable

SEED = int(os.environ.get("FUZZ_SEED", "1"))
MUTATIONS = 10_000

T = 1_700_000_000_000
CHANGE: dict[str, Any] = {
    "attributes": {
        "plan": "pro",
        "location": {"lat": 52.5, "lon": 13.4},
        "langs": ["de", "en"],
        "gone": None,
    },
    "tags_add": ["vip"],
    "consent": [{"state": "opted_in", "channel": "email"}],
    "score": {"increment": 1.5},
    "groups": ["g"],
    "lists_add": ["l"],
}
EVENTS = [
    Event("1", "w", "ann", "bought", T, {"amount": 12.5, "items": [{"sku": "a", "tags": ["x", 1]}]}),
    Event("2", "w", "bob", PROFILE, T + 1, CHANGE),
    Event("3", "w", "zoé", "seen", T + 2),
]
NODE = msgspec.json.decode(
    b'{"type":"all","of":[{"type":"event","name":"bought","window":{"last":"1h"},"value":2}]}',
    type=Node,
)
SUBSCRIPTION = Subscription(
    "w",
    "s",
    "S",
    1,
    T,
    T,
    (0, 5),
    ("a",),
    backfill=True,
    webhook=Webhook("https://a.com/", (Secret("whsec_YQ==", T),)),
)
GOOD: dict[str, tuple[Callable[[bytes], Any], list[bytes]]] = {
    "events": (
        pack.decode,
        [
            pack.encode(pack.Packed(EVENTS)),
            pack.encode(pack.Clock(T)),
            pack.encode(Handed("w", "p", [("a", "m")], 1, 0, EVENTS, True, b"seen")),
        ],
    ),
    "definitions": (
        catalog.decode,
        [
            catalog.encode(catalog.Workspace("w", "W", "Europe/Berlin", T)),
            catalog.encode(catalog.Key("ab" * 32, "w", "k", ("read", "ingest"), T)),
            catalog.encode(catalog.Segment("w", "s", "S", 1, 1, T, T, NODE)),
            catalog.encode(catalog.ComputedAttribute("w", "c", 1, T, T, Computed(name="a"), "text")),
            catalog.encode(SUBSCRIPTION),
            catalog.encode(catalog.DeclaredField("w", "c", 1, T, T, Declared("text", ("a", 2)), "label")),
            catalog.encode(catalog.ValueList("w", "l", 1, "ab", 1, 5, T, T, (catalog.Former("cd", T),))),
            catalog.encode(catalog.ValuePart("w", "ab", 0, 1, ["a", 1])),
        ],
    ),
    "keys of definitions": (
        lambda key: catalog.read(key, None),
        [b"workspace/w", b"key/ab", b"segment/w/s", b"values/w/ab/0"],
    ),
    "memberships": (
        memberships.decode,
        [memberships.encode(Transition("i", "w", "s", "ann", "entered", T, 1, "event", "1", 1))],
    ),
    "rejected": (
        rejected.decode,
        [rejected.encode(rejected.Rejected("w", "http", T, [Fault("/a", "b", "c")], b"raw \xff"))],
    ),
}
NASTY = [
    b"\xff", b"\x00", b"\xc1", b"\xc0", b"\x80", b"{", b"[", b'"', b"}", b"-", b"\\ud800", b"\xed\xa0\x80",
    b"\x91" * 3_000, b"[" * 3_000, b'{"a":' * 3_000, b"9" * 5_000, b"1e999", b"NaN", b"\xca\x7f\xc0\x00\x00",
    b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", b"\xcb\xff\xf0\x00\x00\x00\x00\x00\x00", b"\xd6\xff\x00\x00\x00\x00",
    b"\xc4\x02ab", b"\xcf" + b"\xff" * 8, b"\xd3\x80" + b"\x00" * 7, b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff",
]  # fmt: skip


def mutated(draw: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(changed) + 1)
        match draw.randrange(5):
            case 0 if changed:
                changed[at % len(changed)] ^= 1 << draw.randrange(8)
            case 1:
                del changed[at : at + draw.randint(1, 8)]
            case 2:
                changed[at:at] = draw.choice(NASTY)
            case 3:
                nasty = draw.choice(NASTY)
                changed[at : at + len(nasty)] = nasty
            case _:
                start = draw.randrange(len(changed) + 1)
                changed[at:at] = changed[start : start + draw.randint(1, 40)]
    return bytes(changed)


@pytest.mark.parametrize("name", GOOD)
def test_a_mutated_record_is_read_or_unreadable(name: str) -> None:
    decode, records = GOOD[name]
    for data in records:
        decode(data)
    draw = random.Random(f"{SEED} {name}")
    read = 0
    for number in range(MUTATIONS):
        data = mutated(draw, draw.choice(records))
        try:
            found = decode(data)
        except Unreadable as error:
            assert str(error), data
        except BaseException as error:
            raise AssertionError(f"seed {SEED}, mutation {number}: {data!r}") from error
        else:
            read += 1
            if isinstance(found, pack.Packed | Handed):
                applied(found)
    assert 0 < read < MUTATIONS


def applied(packed: pack.Packed | Handed) -> None:
    """A record that was read can be written down again, and its profile changes can be applied."""
    assert pack.decode(pack.encode(packed)).events == packed.events  # type: ignore[union-attr]
    for event in packed.events:
        if event.name == PROFILE:
            list(apply_change(Profile(), event))


def record(properties: object, name: str = "n", time_ms: int = T) -> bytes:
    return msgspec.msgpack.encode(["e", [["1", "w", "ann", name, time_ms, properties]]])


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        record({"x": math.nan}),
        record({"x": math.inf}),
        record({"x": [[[[-math.inf]]]]}),
        record({"x": {"a": {"b": {"c": {"d": math.nan}}}}}),
        record({"x": b"bytes"}),
        record({"x": [[[[b"bytes"]]]]}),
        record({"x": msgspec.msgpack.Ext(5, b"")}),
        record({"x": [[[[{7: 7}]]]]}),
        record({"x": nested(100)}),
        b"\x92\xa1e\x91\x96" + b"\xa11" * 4 + b"\x01\x81\xa1x" + b"\x91" * 5_000,
        record({}).replace(b"ann", b"a\xffn"),
        record({}, time_ms=2**62),
        record({}, time_ms=-(2**62)),
        record({"tags_add": 5}, PROFILE),
        record({"tags_add": [5]}, PROFILE),
        record({"attributes": ["x"]}, PROFILE),
        record({"score": {"increment": "1"}}, PROFILE),
        record({"score": {"increment": math.inf}}, PROFILE),
        record({"consent": [{"state": "maybe"}]}, PROFILE),
        msgspec.msgpack.encode(["c", 2**62]),
    ],
)  # fmt: skip
def test_events_that_nothing_may_be_done_with_are_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        pack.decode(data)


@pytest.mark.parametrize("levels", [0, 1, 3, 4, 31])
def test_events_as_deep_as_ingest_takes_them_are_read(levels: int) -> None:
    packed = pack.decode(record({"x": nested(levels), "big": 2**64 - 1}))
    assert isinstance(packed, pack.Packed)
    assert packed.events[0].properties["x"] == nested(levels)


def test_a_decoded_event_is_an_event_and_written_as_it_came() -> None:
    data = pack.encode(pack.Packed(EVENTS))
    assert pack.encode(pack.decode(data)) == data


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (None, b"{}"),
        (b"", None),
        (b"\xff", None),
        (b"workspace", None),
        (b"workspace/", None),
        (b"segment/w", None),
        (b"segment/w/s/t", None),
        (b"other/w", None),
        (b"workspace/w", b"not JSON"),
        (b"workspace/w", catalog.encode(catalog.Workspace("v", "V", "UTC", 0))),
        (b"segment/w/s", catalog.encode(catalog.Workspace("w", "W", "UTC", 0))),
    ],
)
def test_a_definition_under_no_key_or_another_is_unreadable(key: bytes | None, value: bytes | None) -> None:
    with pytest.raises(Unreadable):
        catalog.read(key, value)
