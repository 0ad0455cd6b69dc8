"""Every definition that the strategies draw passes the check."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings

from livesegments.core.check import check
from livesegments.core.check_computed import FIELDS, check_computed
from livesegments.core.definition import Computed
from tests.properties.definitions import IDS, LISTS, STATIC, Json, definitions


@given(definitions((*STATIC, *IDS[:-1]), all_others=True))
@settings(
    max_examples=500, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
def test_random_definitions_pass_the_check(document: Json) -> None:
    known: dict[str, Any] = {
        "timezone": "Europe/Berlin",
        "others": dict.fromkeys((*STATIC, *IDS[:-1])),
        "lists": dict.fromkeys(LISTS, ""),
    }
    computed: dict[str, Computed] = {}

    def authored(node: Any) -> Any:
        if node["type"] == "computed":
            found, faults = check_computed({name: node[name] for name in FIELDS if name in node}, **known)
            assert found is not None, faults
            computed[node["asked"]["name"].removeprefix("computed:")] = found
            return node["asked"]
        below = node.get("of")
        if below is None:
            return node
        return {
            **node,
            "of": [authored(each) for each in below] if isinstance(below, list) else authored(below),
        }

    _, faults = check(authored(document), segment_id=IDS[-1], computed=computed, **known)
    assert faults == []
