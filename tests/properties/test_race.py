"""The heart of the project: core and oracle agree on everything, whatever happens."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from tests.properties.histories import History, histories
from tests.properties.race import Race

quick = settings(deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))


@given(histories())
@settings(quick, max_examples=2_000)
def test_core_and_oracle_agree(history: History) -> None:
    Race(history).run()
