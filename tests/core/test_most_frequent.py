"""The most frequent value is counted right where the uses lie in chunks, in order and late."""

from __future__ import annotations

from contextlib import nullcontext
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from livesegments.core import mode, ranks
from livesegments.core.count import packed
from livesegments.core.definition import Measure, Window
from livesegments.core.event import Event
from livesegments.core.fold import Bagged
from livesegments.core.frame import EVER, frame
from livesegments.core.measure import measure_kind
from livesegments.core.ranks import Ranks
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


@pytest.mark.parametrize("seed", range(4))
def test_the_most_frequent_value_of_many_in_a_window_that_does_not_move(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mode, "MAX_ENTRIES", 30)
    random = Random(seed)
    kind = measure_kind(Measure("mode", "x"), EVER, 0, UTC)
    state: Any = None
    counted = list[Event]()
    with small_chunks():
        for number in range(300):
            time_ms = 1_700_000_000_000 + random.choice((number, number, number // 2, 0))
            value = random.choice((1, 1.0, "1", True, random.randrange(60)))
            event = Event(f"e{number:03}", "w", "p", "a", time_ms, {"x": value})
            known = {key(each.properties["x"]) for each in counted}
            if key(value) in known or len(known) < 30:
                counted.append(event)
            state = kind.add(state, event, time_ms)
            assert kind.value(state, time_ms) == most_frequent(counted), f"at {number}"
            state = kind.decode(msgspec.msgpack.encode(state, enc_hook=packed))
    assert isinstance(state, Ranks) and len(state) == 30


def test_a_long_tally_that_an_earlier_version_stored_goes_on() -> None:
    kind = measure_kind(Measure("mode", "x"), EVER, 0, UTC)
    uses = [(number, f"e{number}", 0, number % 700) for number in range(1_000)]
    stored = mode.Tally([])
    for use in uses:
        stored.add(use)
    state = kind.decode(msgspec.msgpack.encode(stored))
    assert kind.value(state, 1_000) == 299
    state = kind.add(state, Event("f", "w", "p", "a", 1_000, {"x": 5}), 1_000)
    assert isinstance(state, Ranks) and kind.value(state, 1_000) == 5


@pytest.mark.parametrize("many", [False, True])
def test_uses_that_leave_at_one_instant_in_any_order(many: bool) -> None:
    """All of a day leave at its end; those that came late lie behind those that happened after them."""
    random = Random(5)
    kind = measure_kind(Measure("mode", "x"), frame(Window(period="day"), UTC), 0, UTC)
    state: Any = None
    happened, now = list[Event](), 1_700_000_000_000
    with small_chunks() if many else nullcontext():
        for number in range(200):
            now += random.choice((0, 1_000_000, 5_000_000, 30_000_000 if number % 9 == 0 else 0))
            time_ms = now - random.choice((0, 0, 10_000_000, 40_000_000))
            event = Event(f"e{number}", "w", "p", "a", time_ms, {"x": random.randrange(3)})
            happened.append(event)
            state = kind.add(state, event, now)
            inside = [each for each in happened if each.time_ms // 86_400_000 == now // 86_400_000]
            assert kind.value(state, now) == most_frequent(inside), f"at {number}"


@pytest.mark.parametrize("time_ms", [-62_135_596_800_000, 0, 253_402_300_799_999])
def test_a_value_that_was_used_very_often_is_found(time_ms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its count is beyond what the place of a rank can say."""
    monkeypatch.setattr(ranks, "MOST_COUNTED", 7)
    found = Ranks.of([])
    for number in range(300):
        found.use((time_ms, f"e{number:03}", 0, number % 11), 10_000)
        found.use((time_ms, f"e{number:03}", 1, "often"), 10_000)
    assert [rank[0] for rank in found.by_rank] == [27] * 8 + [28] * 3 + [300]
    assert found.read() == "often"


@pytest.mark.parametrize("many", [False, True])
def test_an_event_that_came_twice_leaves_twice(many: bool) -> None:
    """With its time and its id, more than a week later, or for another profile that was merged since."""
    kind = measure_kind(Measure("mode", "x"), frame(Window(last="30d"), UTC), 0, UTC)
    day, state = 86_400_000, None
    state = kind.add(state, Event("late", "w", "p", "a", 2 * day, {"x": "milk"}), 2 * day)
    event = Event("e", "w", "p", "a", day, {"x": "tea"})
    with small_chunks() if many else nullcontext():
        for number in range(20 if many else 0):
            state = kind.add(state, Event(f"{number}", "w", "p", "a", day, {"x": number}), 2 * day)
        for now in (2 * day, 9 * day):
            state = kind.add(state, event, now)
            assert kind.value(state, now) == ("tea" if now > 2 * day else "milk")
        assert kind.value(state, 31 * day) == "milk"


def most_frequent(events: list[Event]) -> Any:
    uses: dict[Any, list[tuple[int, str]]] = {}
    for event in events:
        uses.setdefault(key(event.properties["x"]), []).append((event.time_ms, event.id))
    return max(uses, key=lambda value: (len(uses[value]), max(uses[value])), default=None)
