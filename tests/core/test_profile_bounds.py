"""A change that would bring a profile beyond a bound is refused as a whole; the oracle refuses the same."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from livesegments.core.bounds import Bounds, attribute_bytes
from livesegments.core.event import PROFILE, Event
from livesegments.core.oracle.most import MOST
from livesegments.core.plan import Limits, Segment, compile
from livesegments.core.profile import Profile, decode, encode
from livesegments.core.step import Step, on_event
from tests.properties.histories import Happen, History, When
from tests.properties.race import Race

PLAN = compile("w", "UTC", [Segment("listed", 1, 1, None)], 1, Limits(bounds=Bounds(3, 60, 2, 2, 2, 2)))


def step(profile: Profile | None, number: int, **parts: Any) -> Step:
    return on_event(PLAN, profile, Event(f"e{number}", "w", "p", PROFILE, number, parts), 100)


@pytest.mark.parametrize(
    ("bound", "first", "beyond"),
    [
        ("attributes", {"attributes": {"a": 1, "b": None, "c": 2}}, {"attributes": {"d": 1}}),
        ("attribute_bytes", {"attributes": {"a": "x" * 40}}, {"attributes": {"a": "ä" * 40}}),
        ("attribute_bytes", {"attributes": {"a": [1, 2, True]}}, {"attributes": {"b": ["", "y" * 40]}}),
        ("tags", {"tags_add": ["a"], "tags_remove": ["b"]}, {"tags_add": ["c"]}),
        ("consents", {"consent": [{"channel": c, "state": "none"} for c in "ab"]}, {"consent": [{"channel": "c", "state": "opted_in"}]}),
        ("groups", {"groups": ["a", "b"]}, {"groups": ["b", "c"]}),
        ("lists", {"lists_add": ["a"], "lists_remove": ["b"]}, {"lists_add": ["listed"]}),
    ],
)  # fmt: skip
def test_nothing_of_a_change_beyond_a_bound_is_applied(
    bound: str, first: dict[str, Any], beyond: dict[str, Any]
) -> None:
    profile = step(None, 1, **first).profile
    before = encode(profile)
    refused = step(profile, 2, **beyond, score={"set": 7})
    assert refused.refused is not None and refused.refused.bound == bound
    assert str(refused.refused.most) in refused.refused.message
    assert not refused.changed and not refused.duplicate and not refused.transitions
    assert encode(refused.profile) == before
    assert step(profile, 2, **first).refused is None  # its id was not taken


def test_the_first_change_of_a_profile_may_be_too_much() -> None:
    refused = step(None, 1, groups=["a", "b", "c"])
    assert refused.refused is not None and refused.refused.bound == "groups" and not refused.changed


def test_what_is_beyond_already_may_become_smaller() -> None:
    """Bounds may be lowered; and what was stored before there were any is measured when it is next changed."""
    wide = compile("w", "UTC", [], 1)
    change = Event("e1", "w", "p", PROFILE, 1, {"attributes": dict.fromkeys("abcde", "x" * 50)})
    profile = decode(encode(on_event(wide, None, change, 100).profile))
    old = msgspec.structs.replace(profile, attribute_bytes=-1)
    assert attribute_bytes(old) == profile.attribute_bytes == 5 * (2 + 51)
    assert step(old, 2, attributes={"a": "x"}).refused is None
    assert step(old, 3, attributes={"b": None}).refused is None
    assert step(old, 4, attributes={"a": "xy"}).refused is not None
    assert attribute_bytes(old) == 5 * 2 + 2 + 3 * 51


def test_parts_that_are_removed_with_their_whole_give_their_bytes_back() -> None:
    profile = step(None, 5, attributes={"o": None}).profile
    step(profile, 3, attributes={"o.x": "late"})  # it was removed before it came
    step(profile, 6, attributes={"o.y": "there"})
    assert profile.attribute_bytes == 2 + 4 + 4 + 6
    step(profile, 7, attributes={"o": None})
    assert profile.attribute_bytes == 2 + 4 + 4
    kept = decode(encode(profile))
    kept.attribute_bytes = -1
    assert attribute_bytes(kept) == profile.attribute_bytes


def test_core_and_oracle_have_the_same_bounds() -> None:
    assert msgspec.structs.asdict(Bounds()) == MOST


def test_a_full_profile_goes_on_with_everything_else() -> None:
    changes = [{"tags_add": [name]} for name in "abc"] + [{"tags_remove": ["a"]}, {"tags_add": ["a"]}]
    commands = [Happen(f"e{number}", PROFILE, When(1_000), parts) for number, parts in enumerate(changes)]
    race = Race(History("UTC", "2024-01-01T00:00:00Z", 1_000, 5, list(commands), most=2))
    race.run()
    assert race.refusals == 1 and race.profile is not None
    assert {name: each.value for name, each in race.profile.tags.items()} == {"a": True, "b": True}
