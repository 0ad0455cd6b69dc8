"""Sequences whose steps share a value: for every value one of their own."""

from __future__ import annotations

from contextlib import nullcontext
from heapq import heapify
from random import Random
from typing import Any

import pytest

from livesegments.core import chunks, same
from livesegments.core.apart import Apart, Many, Shape
from livesegments.core.event import Event
from livesegments.core.explanation import explain
from livesegments.core.kind import held
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile, decode, encode
from livesegments.core.step import on_clock, on_event
from livesegments.core.wanted import wanted
from tests.core.story import Story
from tests.core.test_buckets import plan_of
from tests.core.test_fact import key
from tests.effort import effort
from tests.properties.catalogue import Put
from tests.properties.histories import Fill, Forget, Happen, History, Recount, Tick, When
from tests.properties.race import Race
from tests.properties.restless import Restless, small_chunks

Json = dict[str, Any]
HOUR = 3_600_000
CART: Json = {
    "type": "sequence",
    "steps": [{"name": "cart"}, {"name": "order", "absent": True}],
    "within": "1h",
    "window": {"last": "7d"},
    "same": "cart_id",
}
TICKET: Json = {
    "type": "sequence",
    "steps": [{"name": "opened"}, {"name": "answered"}, {"name": "closed"}],
    "within": "2d",
    "same": "ticket",
}


def test_the_order_of_another_cart_is_nothing_to_this_one() -> None:
    story = Story("2024-01-01", s=CART, any={name: part for name, part in CART.items() if name != "same"})
    story.happens("cart", "2024-01-01T10:00", cart_id="c1")
    story.happens("cart", "2024-01-01T10:10", cart_id="c2")
    story.happens("order", "2024-01-01T10:20", cart_id="c2")
    story.clock("2024-01-01T11:00")
    assert story.members == {"s"} and story.valid_until("s") == "2024-01-08T10:00"
    story.happens("order", "2024-01-01T10:30", cart_id="c1")
    assert not story.members


def test_events_without_the_value_are_left_out_and_nothing_is_coerced() -> None:
    story = Story("2024-01-01", s=TICKET)
    story.happens("opened", "2024-01-01T10:00", ticket=1)
    story.happens("answered", "2024-01-01T11:00")
    story.happens("answered", "2024-01-01T11:00", ticket="1")
    story.happens("closed", "2024-01-01T12:00", ticket=True)
    story.happens("closed", "2024-01-01T12:00", ticket=1.0)
    assert not story.members
    story.happens("answered", "2024-01-01T11:30", ticket=[{"no": 2}, None, [1.0, 2]])
    assert story.members == {"s"}


def test_a_value_within_a_list_is_shared_too() -> None:
    back = {"type": "sequence", "steps": [{"name": "order"}, {"name": "returned"}], "within": "30d"}
    story = Story("2024-01-01", s={**back, "same": "products.sku"})
    story.happens("order", "2024-01-01", products=[{"sku": "a"}, {"sku": "b"}])
    story.happens("returned", "2024-01-02", products=[{"sku": "c"}])
    assert not story.members
    story.happens("returned", "2024-01-03", products=[{"sku": "b"}, {"sku": "c"}])
    assert story.members == {"s"}


def test_a_retraction_takes_a_step_of_one_value_back() -> None:
    story = Story("2024-01-01", s=CART)
    story.happens("cart", "2024-01-01T10:00", cart_id=1)
    story.happens("order", "2024-01-01T10:20", "o", cart_id=1)
    story.clock("2024-01-01T11:00")
    assert not story.members
    story.takes_back("o", "2024-01-01T12:00")
    assert story.members == {"s"}


def _commands(random: Random) -> list[Happen | Tick | Fill | Forget | Recount]:
    commands: list[Happen | Tick | Fill | Forget | Recount] = []
    ids: list[str] = []
    for index in range(40):
        match random.randrange(12):
            case 0:
                commands.append(Tick(When(random.choice((0, HOUR, 40 * HOUR)))))
            case 1 | 2:
                commands.append(Tick(When(random.choice((-1, 0, 1)), wake=True)))
            case 3:
                commands.append(random.choice((Forget(), Recount(), Fill())))
            case 4 if ids:
                taken = {"event_id": random.choice(ids)}
                commands.append(Happen(f"r{index}", "$retract", When(0), taken))
            case _:
                ids.append(f"e{index}")
                plus = random.choice((0, 0, 1, HOUR // 2, HOUR, 20 * HOUR, -HOUR, -5 * HOUR, -48 * HOUR))
                value = random.choice((1, 1, 2, 2, 3, [1, 2], [3, "a"], None))
                name = random.choice("aab") if random.randrange(3) else random.choice("abcd")
                commands.append(Happen(ids[-1], name, When(plus), {"x": value, "k": random.randrange(2)}))
    return commands


def _sequence(random: Random) -> Json:
    steps: list[Json] = [{"name": name} for name in random.sample("abcd", random.choice((2, 2, 3, 4)))]
    for step in steps:
        if random.random() < 0.2:
            step["where"] = [{"property": "k", "op": "eq", "value": 1}]
    if random.random() < 0.6:
        steps[-1]["absent"] = True
    windows: list[Json] = [
        {}, {"window": {"last": "2d"}}, {"window": {"last": "1mo"}}, {"window": {"period": "day", "from": -1}},
        {"window": {"last": "3d", "skip": "12h"}}, {"window": {"from": "2024-03-29", "to": "2024-04-02"}},
    ]  # fmt: skip
    within = random.choice(("1h", "20h", "2d", "1mo"))
    return {"type": "sequence", "steps": steps, "within": within, "same": "x", **random.choice(windows)}


@pytest.mark.parametrize("race_of", [Race, Restless])
@pytest.mark.parametrize("seed", range(effort(8, 24)))
def test_whatever_order_events_come_in_it_is_as_the_oracle_says(seed: int, race_of: type[Race]) -> None:
    """Parts come apart from four stamps on with `Restless`."""
    random = Random(seed)
    with small_chunks() if race_of is Restless else nullcontext():
        _race(random, race_of)


def _race(random: Random, race_of: type[Race]) -> None:
    race = race_of(History("Europe/Berlin", "2024-03-30T01:30:00Z", 7 * 24 * HOUR, 1_000, []))
    for at in range(4):
        race.step(Put(f"s{at}", _sequence(random), False))
    for number, command in enumerate(_commands(random)):
        if number == 20:
            race.step(Put("s0", _sequence(random), False))
        race.step(command)


# -- what is kept


def _fed(plan: Plan, events: list[Event]) -> Profile:
    profile: Profile | None = None
    for event in events:
        while profile is not None and (wake := profile.wake_at) is not None and wake <= event.time_ms:
            profile = on_clock(plan, "p", profile, wake).profile
        profile = on_event(plan, profile, event, event.time_ms).profile
    assert profile is not None
    return profile


def _state(plan: Plan, profile: Profile) -> Any:
    (track,) = plan.tracks.values()
    return held(profile.facts, track.id, track.kind)


def _event(number: int, name: str, at_ms: int, value: Any) -> Event:
    return Event(f"e{number:05}", "w", "p", name, at_ms, {"cart_id": value})


def test_a_value_goes_once_its_newest_event_has_left_the_window() -> None:
    plan = plan_of(s=CART)
    events = [_event(at, "cart", at * HOUR, f"c{at}") for at in range(24 * 30)]
    state = _state(plan, _fed(plan, events))
    assert isinstance(state, Many)
    assert len(state) <= 24 * 7 + chunks.MOST and len(state.queue) <= len(state)
    assert state.total == sum(part.size for _, part in state)


def test_parts_that_an_earlier_version_stored_go_on() -> None:
    """They were one dictionary, and a part that holds was due when it ends."""
    plan = plan_of(s=CART)
    events = [_event(at, "cart", at * HOUR, f"c{at}") for at in range(24 * 12)]
    with pytest.MonkeyPatch.context() as before:
        before.setattr(chunks, "LISTED", 1_000_000)
        old = _fed(plan, events)
    (track,) = plan.tracks.values()
    state = _state(plan, old)
    assert isinstance(state, Apart)
    for value, part in state:
        if part.due_ms is None and part.chain is not None:
            part.due_ms = part.chain.until
            state.queue.append((part.chain.until, value))
    heapify(state.queue)
    old, new = decode(encode(old)), _fed(plan, events)
    for number in range(24 * 12, 24 * 30):
        event = _event(number, "order" if number % 3 else "cart", number * HOUR, f"c{number // 3}")
        for profile in (old, new):
            while (wake := profile.wake_at) is not None and wake <= event.time_ms:
                on_clock(plan, "p", profile, wake)
        steps = [on_event(plan, profile, event, event.time_ms) for profile in (old, new)]
        assert steps[0].transitions == steps[1].transitions
        assert old.memberships == new.memberships
    assert {*_values(plan, old)} == {*_values(plan, new)}
    assert isinstance(held(old.facts, track.id, track.kind), Many)


def _values(plan: Plan, profile: Profile) -> list[str]:
    return [value for value, _ in _state(plan, profile)]


def test_of_many_parts_an_event_in_order_decodes_few(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(s={**CART, "within": "1m"})
    profile = _fed(plan, [_event(at, "cart", at * 60_000, f"c{at}") for at in range(9_000)])
    read = list[str]()
    unstow = Shape.unstow

    def noted(shape: Shape[Any], time_ms: int, stowed: str | bytes) -> Any:
        read.append("a part")
        return unstow(shape, time_ms, stowed)

    monkeypatch.setattr(Shape, "unstow", noted)
    for at in range(9_000, 9_100):
        profile = decode(encode(profile))
        while (wake := profile.wake_at) is not None and wake <= at * 60_000:
            on_clock(plan, "p", profile, wake)
        on_event(plan, profile, _event(at, "cart", at * 60_000, f"c{at}"), at * 60_000)
    assert len(_state(plan, profile)) > 9_000 and len(read) < 300


def test_beyond_the_bound_the_values_without_an_event_for_the_longest_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(same, "MAX_ENTRIES", 80)
    plan = plan_of(s={**CART, "window": {"last": "3y"}})
    events = [_event(at, "cart", at, f"c{at % 100}") for at in range(250)]
    profile = decode(encode(_fed(plan, events)))
    state = _state(plan, profile)
    assert 50 <= state.total <= 80
    kept = {value for value, _ in state}
    assert {"sc49", "sc48", "sc0", "sc99"} <= kept and "sc50" not in kept


def test_of_one_event_a_hundred_values_count() -> None:
    story = Story("2024-01-01", s={**TICKET, "steps": TICKET["steps"][:2]})
    story.happens("opened", "2024-01-01T10:00", ticket=[*range(100), 100])
    story.happens("answered", "2024-01-01T11:00", ticket=100)
    assert not story.members
    story.happens("answered", "2024-01-01T11:00", ticket=99)
    assert story.members == {"s"}


def test_what_holds_for_ever_keeps_nothing() -> None:
    plan = plan_of(s=TICKET)
    events = [
        Event(f"{name}{at}", "w", "p", name, at, {"ticket": at // 3})
        for at, name in enumerate(("opened", "answered", "opened", "opened", "answered", "closed", "opened"))
    ]
    state = _state(plan, _fed(plan, events))
    assert not len(state) and state.total == 0


# -- the fact


def test_the_shared_property_is_part_of_the_key_and_is_read_from_history() -> None:
    assert key(CART) != key({**CART, "same": "id"})
    assert key(CART).digest() != key({name: part for name, part in CART.items() if name != "same"}).digest()
    plan = plan_of(s={**CART, "same": "cart.id"})
    names = wanted(plan, plan.fact_ids, 0).names
    assert names["cart"] == names["order"] == ("cart",)


def test_an_explanation_says_which_value_and_proposes_one() -> None:
    plan = plan_of(s=TICKET)
    events = [
        Event("a", "w", "p", "opened", 1, {"ticket": "t1"}),
        Event("b", "w", "p", "opened", 2, {"ticket": 2}),
        Event("c", "w", "p", "answered", 3, {"ticket": 2}),
    ]
    profile = _fed(plan, events)
    found = explain(plan, "p", profile, "s", 3)
    assert found.root.evidence is not None and found.change is not None
    assert (found.root.evidence.same, found.root.evidence.steps, found.root.evidence.event_id) == (2, 2, "b")
    assert (found.change.name, found.change.properties) == ("closed", {"ticket": 2})
