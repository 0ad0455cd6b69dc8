"""Profiles that go into each other, in any order, in chains and rings: core and oracle agree, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.effort import effort
from tests.properties.family import Family
from tests.properties.family_stories import Story, stories

SEEDS = effort(4, 12)


@pytest.mark.parametrize("number", range(SEEDS))
@pytest.mark.timeout(600)
def test_core_and_oracle_agree_about_families(number: int) -> None:
    @seed(number)
    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(stories())
    def race(story: Story) -> None:
        Family(story).run()

    race()
