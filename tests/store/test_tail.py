"""Entries of the tail, as they are stored now and as an earlier version stored them."""

import msgspec
import pytest

from livesegments.core.event import Event
from livesegments.store.tail import Entry, applied, decode_fields, encode
from livesegments.wire.pack import Packed
from livesegments.wire.pack import encode as packed

EVENTS = [Event(f"e{number}", "w", "p", "order", time_ms) for number, time_ms in enumerate((4, 2, 9, 6))]
RECORD = packed(Packed(EVENTS))


def read(fields: dict[bytes, bytes]) -> list[tuple[str, int]]:
    return [(each.event.id, each.at_ms) for each in applied(7, decode_fields(fields))]


@pytest.mark.parametrize(
    ("clock_ms", "instants"), [(0, [4, 4, 9, 9]), (5, [5, 5, 9, 9]), (30, [30, 30, 30, 30])]
)
def test_events_are_applied_at_the_latest_time_so_far(clock_ms: int, instants: list[int]) -> None:
    flat = encode(Entry(RECORD, clock_ms=clock_ms), None)
    fields = {
        str(name).encode(): value
        for name, value in zip(flat[::2], flat[1::2], strict=True)
        if isinstance(value, bytes)
    }
    assert read(fields) == list(zip(("e0", "e1", "e2", "e3"), instants, strict=True))


@pytest.mark.parametrize("instants", [8, [8, 8, 9, 9]])
def test_an_entry_of_an_earlier_version_is_read(instants: int | list[int]) -> None:
    fields = {b"r": RECORD, b"a": msgspec.msgpack.encode(instants), b"x": msgspec.msgpack.encode([1])}
    at_ms = [instants] * 4 if isinstance(instants, int) else instants
    assert read(fields) == [("e0", at_ms[0]), ("e2", at_ms[2]), ("e3", at_ms[3])]
