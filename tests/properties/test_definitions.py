"""Every definition that the strategies draw passes the check."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from livesegments.core.check import check
from tests.properties.definitions import IDS, LISTS, STATIC, Json, definitions


@given(definitions((*STATIC, *IDS[:-1]), all_others=True))
@settings(
    max_examples=500, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
def test_random_definitions_pass_the_check(document: Json) -> None:
    others = dict.fromkeys((*STATIC, *IDS[:-1]))
    _, faults = check(
        document, timezone="Europe/Berlin", others=others, segment_id=IDS[-1], lists=dict.fromkeys(LISTS, "")
    )
    assert faults == []
