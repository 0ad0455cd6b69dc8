"""The most frequent value is counted right where the uses lie in chunks, in order and late."""

from __future__ import annotations

from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from livesegments.core.count import packed
from livesegments.core.definition import Measure, Window
from livesegments.core.event import Event
from livesegments.core.fold import Bagged
from livesegments.core.frame import frame
from livesegments.core.measure import measure_kind
from livesegments.core.value import key
from tests.properties.restless import small_chunks

UTC = ZoneInfo("UTC")
LAST_MS = 30_000


@pytest.mark.parametrize("seed", range(6))
def test_the_most_frequent_value_of_many(seed: int) -> None:
    random = Random(seed)
    kind = measure_kind(Measure("mode", "x"), frame(Window(last="30s"), UTC), 0, UTC)
    state: Any = None
    happened, now, chunked = list[Event](), 1_700_000_000_000, 0
    with small_chunks():
        for number in range(400):
            now += random.choice((0, 300, 1_000, 9_000 if number % 50 == 0 else 2_000))
            time_ms = now - random.choice((0, 0, 0, 700, 20_000, 29_999))
            value = random.choice((1, 1.0, "1", "tea", "milk", True, 0.5, number % 7))
            event = Event(f"e{number}", "w", "p", "a", time_ms, {"x": value})
            happened.append(event)
            state = kind.add(state, event, now)
            inside = [each for each in happened if each.time_ms + LAST_MS > now]
            assert kind.value(state, now) == most_frequent(inside), f"at {number}"
            chunked += isinstance(state, Bagged) and state.total is not None
            state = kind.decode(msgspec.msgpack.encode(state, enc_hook=packed))
            assert kind.value(state, now) == most_frequent(inside), f"read back at {number}"
    assert chunked > 100


def most_frequent(events: list[Event]) -> Any:
    uses: dict[Any, list[tuple[int, str]]] = {}
    for event in events:
        uses.setdefault(key(event.properties["x"]), []).append((event.time_ms, event.id))
    return max(uses, key=lambda value: (len(uses[value]), max(uses[value])), default=None)
