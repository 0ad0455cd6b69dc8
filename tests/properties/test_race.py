"""The heart of the project: core and oracle agree on everything, whatever happens."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from tests.properties.histories import History, histories
from tests.properties.race import Race


@given(histories())
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_core_and_oracle_agree(history: History) -> None:
    Race(history).run()
