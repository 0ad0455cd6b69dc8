"""The incremental core, step by step, on cases small enough to work out by hand."""

from typing import Any

import msgspec

from livesegments.core import explain
from livesegments.core.definition import Node
from livesegments.core.event import PROFILE, Event, Transition
from livesegments.core.plan import Plan, Segment, compile
from livesegments.core.profile import Profile
from livesegments.core.step import Step, on_clock, on_event, on_plan

DAY = 86_400_000


def plan_of(revision: int = 1, **definitions: dict[str, Any] | None) -> Plan:
    segments = [
        Segment(name, 1, revision, None if item is None else msgspec.convert(item, Node))
        for name, item in definitions.items()
    ]
    return compile("w", "UTC", segments, revision)


def happen(plan: Plan, profile: Profile | None, name: str, at: int, id: str = "", **properties: Any) -> Step:
    event = Event(id or f"{name}@{at}", "w", "p", name, at, properties)
    return on_event(plan, profile, event, at)


def told(step: Step) -> list[tuple[str, str, int]]:
    return [(item.segment, item.kind, item.at_ms) for item in step.transitions]


ORDERED = {"type": "event", "name": "order", "window": {"last": "30d"}}


def test_an_event_enters_and_the_clock_alone_lets_go() -> None:
    plan = plan_of(buyers=ORDERED)
    step = happen(plan, None, "order", 0)
    assert told(step) == [("buyers", "entered", 0)]
    assert step.wake_at == 30 * DAY
    assert explain.valid_until(plan, "p", step.profile, "buyers", 0) == 30 * DAY
    step = on_clock(plan, "p", step.profile, 30 * DAY)
    assert told(step) == [("buyers", "exited", 30 * DAY)]
    assert step.wake_at is None


def test_a_threshold_wakes_only_when_it_is_crossed() -> None:
    plan = plan_of(thrice=ORDERED | {"value": 3})
    profile = None
    for day in range(5):
        step = happen(plan, profile, "order", day * DAY)
        profile = step.profile
    assert step.wake_at == 32 * DAY
    assert told(on_clock(plan, "p", step.profile, 32 * DAY)) == [("thrice", "exited", 32 * DAY)]


def test_a_new_profile_enters_what_holds_for_it_and_not_what_its_event_denies() -> None:
    never = {"type": "not", "of": ORDERED}
    plan = plan_of(never=never, other={"type": "not", "of": {"type": "tag", "name": "vip"}})
    assert told(happen(plan, None, "order", 5)) == [("other", "entered", 5)]
    assert told(happen(plan, None, "page", 5)) == [("never", "entered", 5), ("other", "entered", 5)]


def test_a_duplicate_changes_nothing() -> None:
    plan = plan_of(twice=ORDERED | {"value": 2})
    step = happen(plan, None, "order", 0, id="a")
    again = happen(plan, step.profile, "order", 1, id="a")
    assert again.duplicate and not again.changed and told(again) == []


def test_segments_in_segments_flip_in_one_step() -> None:
    plan = plan_of(
        lapsed={"type": "not", "of": {"type": "segment", "id": "buyers"}},
        buyers=ORDERED,
        fresh={"type": "event", "name": "$segment_entered", "window": {"last": "1d"},
               "where": [{"property": "segment", "op": "eq", "value": "buyers"}]},
    )  # fmt: skip
    step = happen(plan, None, "page", 0)
    assert told(step) == [("lapsed", "entered", 0)]
    step = happen(plan, step.profile, "order", 10)
    assert sorted(told(step)) == [
        ("buyers", "entered", 10),
        ("fresh", "entered", 10),
        ("lapsed", "exited", 10),
    ]


def test_attributes_flip_by_hash_and_by_bisect() -> None:
    plan = plan_of(
        german={"type": "attribute", "name": "country", "op": "eq", "value": "DE"},
        abroad={"type": "attribute", "name": "country", "op": "neq", "value": "DE"},
        adult={"type": "attribute", "name": "age", "op": "gte", "value": 18},
        minor={"type": "attribute", "name": "age", "op": "lt", "value": 18, "when_missing": True},
    )
    step = happen(plan, None, PROFILE, 0, "a", attributes={"country": "DE", "age": 17})
    assert told(step) == [("german", "entered", 0), ("minor", "entered", 0)]
    step = happen(plan, step.profile, PROFILE, 1, "b", attributes={"country": "FR", "age": 18})
    assert sorted(told(step)) == [
        ("abroad", "entered", 1),
        ("adult", "entered", 1),
        ("german", "exited", 1),
        ("minor", "exited", 1),
    ]
    late = Event("c", "w", "p", PROFILE, 0, {"attributes": {"age": 3}})
    assert told(on_event(plan, step.profile, late, 1)) == []


def test_an_abandoned_cart_enters_by_the_clock_and_a_late_order_undoes_it() -> None:
    hour = 3_600_000
    plan = plan_of(
        abandoned={
            "type": "sequence", "within": "1h", "window": {"last": "7d"},
            "steps": [{"name": "cart"}, {"name": "order", "absent": True}],
        }
    )  # fmt: skip
    step = happen(plan, None, "cart", 0)
    assert told(step) == [] and step.wake_at == hour
    step = on_clock(plan, "p", step.profile, hour)
    assert told(step) == [("abandoned", "entered", hour)] and step.wake_at == 7 * DAY
    late = Event("late", "w", "p", "order", hour // 2)
    assert told(on_event(plan, step.profile, late, 2 * hour)) == [("abandoned", "exited", 2 * hour)]


def test_a_new_plan_judges_stored_profiles_and_drops_what_is_gone() -> None:
    vip = {"type": "tag", "name": "vip"}
    old = plan_of(1, buyers=ORDERED)
    profile = happen(old, None, PROFILE, 0, "a", tags_add=["vip"]).profile
    profile = happen(old, profile, "order", 1).profile
    new = plan_of(2, vips=vip)
    step = on_plan(new, "p", profile, 5, {})
    assert told(step) == [("buyers", "exited", 5), ("vips", "entered", 5)]
    assert step.profile.facts == {} and step.wake_at is None and step.changed
    assert not on_plan(plan_of(3, vips=vip), "p", step.profile, 6, {}).transitions


def test_a_segment_deleted_and_made_anew_goes_on_counting() -> None:
    """Otherwise the exit of its second deletion, at the same instant, would have the id of the first one."""
    vip = {"type": "tag", "name": "vip"}
    profile = happen(plan_of(1, vips=vip), None, PROFILE, 0, "a", tags_add=["vip"]).profile
    transitions: list[Transition] = []
    for plan in (plan_of(2), plan_of(3, vips=vip), plan_of(4), plan_of(5), plan_of(6, vips=vip)):
        step = on_plan(plan, "p", profile, 5, {})
        profile, transitions = step.profile, transitions + step.transitions
    assert [each.sequence for each in transitions] == [2, 3, 4, 5]
    assert len({each.id for each in transitions}) == 4


def test_a_new_profile_enters_what_refers_to_a_segment_that_its_first_event_denies() -> None:
    quiet = {"type": "not", "of": {"type": "event", "name": "order"}}
    loud = {"type": "not", "of": {"type": "segment", "id": "quiet"}}
    plan = plan_of(quiet=quiet, loud=loud)
    assert told(happen(plan, None, "order", 1)) == [("loud", "entered", 1)]
    assert told(happen(plan, None, "other", 1)) == [("quiet", "entered", 1)]
