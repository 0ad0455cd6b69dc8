"""Scores at the ends of the numbers' range; the oracle has the same."""

from __future__ import annotations

import msgspec
import pytest

from livesegments.core.event import PROFILE, Event
from livesegments.core.profile import Profile, decode, encode
from livesegments.core.registers import MAX_INCREMENTS, MAX_SCORE, increments
from livesegments.core.step import on_event
from tests.core.story import Story, attribute
from tests.core.test_step import plan_of

HUGE = 1.7e308


def changed_scores(count: int) -> dict[str, object]:
    return {
        "type": "event", "name": "$attribute_changed", "measure": {"of": "distinct", "property": "to"},
        "op": "gte", "value": count,
    }  # fmt: skip


@pytest.mark.parametrize("sign", [1, -1])
def test_a_score_too_great_for_a_number_is_the_greatest(sign: int) -> None:
    end = attribute("score", "eq", sign * MAX_SCORE)
    story = Story("2024-01-01", end=end, twice=changed_scores(2), thrice=changed_scores(3))
    story.changes("2024-01-01", score={"increment": sign * HUGE})
    story.changes("2024-01-01", score={"increment": sign * HUGE})
    assert story.members == {"end", "twice"}
    story.changes("2024-01-01", score={"increment": sign * HUGE})
    assert story.members == {"end", "twice"}


def test_what_was_too_great_for_a_while_adds_up_all_the_same() -> None:
    story = Story("2024-01-01", back=attribute("score", "eq", 0.5), sums=changed_scores(2))
    for amount in (HUGE, HUGE, 0.5, -HUGE, -HUGE):
        story.changes("2024-01-01", score={"increment": amount})
    assert "back" in story.members


def test_a_whole_score_of_64_bits_is_exact_though_fractions_made_it() -> None:
    whole = 2**60 + 1
    story = Story("2024-01-01", there=attribute("score", "eq", whole))
    for amount in (0.5, 2**60, 0.5):
        story.changes("2024-01-01", score={"increment": amount})
    assert story.members == {"there"}


def test_increments_that_became_one_stay_exact() -> None:
    """This holds also where one of them has the stamp of the next: an id may come again after a week."""
    plan = plan_of(back=attribute("score", "eq", 0.25))
    profile = None
    amounts = [HUGE, HUGE, *[0] * MAX_INCREMENTS, -HUGE, -HUGE, 0.25]
    for number, amount in enumerate(amounts):
        event = Event(f"e{number}", "w", "p", PROFILE, 0, {"score": {"increment": amount}})
        profile = decode(encode(on_event(plan, profile, event, number).profile))
    assert profile is not None and profile.memberships["back"].entered_ms is not None
    first = increments(profile)[0]
    again = Event(first[1], "w", "p", PROFILE, first[0], {"score": {"increment": -0.25}})
    profile = on_event(plan, profile, again, 30 * 86_400_000).profile
    assert profile.attributes["score"].value == 0


def test_a_state_without_the_sum_of_its_increments_goes_on() -> None:
    """Earlier versions stored none."""
    plan = plan_of(back=attribute("score", "eq", 0.6))
    event = Event("e1", "w", "p", PROFILE, 1, {"score": {"increment": 0.1}})
    profile = on_event(plan, None, event, 1).profile
    stored = msgspec.msgpack.decode(encode(profile))
    earlier = stored[: Profile.__struct_fields__.index("increased")]
    again = decode(msgspec.msgpack.encode(earlier))
    assert again.increased is None
    for number, amount in enumerate((0.2, 0.3), 2):
        event = Event(f"e{number}", "w", "p", PROFILE, number, {"score": {"increment": amount}})
        again = on_event(plan, again, event, number).profile
    assert again.attributes["score"].value == 0.6
    late = Event("late", "w", "p", PROFILE, 2, {"score": {"set": 0.3}})
    again = on_event(plan, decode(encode(again)), late, 4).profile
    assert again.attributes["score"].value == 0.6 and again.increased == 0.3
