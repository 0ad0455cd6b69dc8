"""At the bounds of what is kept, and just beyond them; without the oracle, which keeps everything."""

from __future__ import annotations

from typing import Any

import pytest

from livesegments.core.event import PROFILE, Event
from livesegments.core.kind import MAX_COUNT
from livesegments.core.profile import Profile
from livesegments.core.registers import MAX_INCREMENTS
from livesegments.core.step import on_event
from tests.core.test_step import plan_of

DAY = 86_400_000


def members(profile: Profile | None) -> set[str]:
    assert profile is not None
    return {name for name, each in profile.memberships.items() if each.entered_ms is not None}


@pytest.mark.parametrize("measure", [{"of": "count"}, {"of": "distinct", "property": "x"}])
@pytest.mark.parametrize("window", [{"last": "30d"}, {"last": "30d", "skip": "1s"}])
def test_the_highest_count_is_told_from_one_more(measure: dict[str, Any], window: dict[str, str]) -> None:
    def counted(op: str) -> dict[str, Any]:
        return {
            "type": "event", "name": "a", "window": window, "measure": measure, "op": op, "value": MAX_COUNT
        }  # fmt: skip

    plan = plan_of(reached=counted("gte"), exactly=counted("eq"), beyond=counted("gt"))
    profile = None
    last = MAX_COUNT + 1
    for number in range(1, last + 1):
        event = Event(f"e{number}", "w", "p", "a", number, {"x": number})
        profile = on_event(plan, profile, event, number * 2_000).profile
        if number == MAX_COUNT:
            assert members(profile) == {"reached", "exactly"}
    assert members(profile) == {"reached", "beyond"}
    again = Event("again", "w", "p", "a", last * 2_000, {"x": 2})
    profile = on_event(plan, profile, again, last * 4_000).profile
    assert members(profile) == {"reached", "beyond"}


def test_scores_add_up_beyond_the_increments_that_are_kept() -> None:
    plan = plan_of(high={"type": "attribute", "name": "score", "op": "eq", "value": 2 * MAX_INCREMENTS + 105})
    profile = None

    def change(at: int, **score: int) -> None:
        nonlocal profile
        event = Event(f"e{at}", "w", "p", PROFILE, at, {"score": score})
        profile = on_event(plan, profile, event, DAY).profile

    change(10, set=100)
    for number in range(2 * MAX_INCREMENTS):
        change(1_000 + number, increment=1)
    change(20, increment=5)  # it arrives late, after the increments that became one
    change(5, increment=7)  # before the score was set
    assert members(profile) == {"high"}
