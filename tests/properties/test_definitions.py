"""Every definition that the strategies draw passes the check."""

from __future__ import annotations

import ast
import inspect
from typing import Any, get_args

from hypothesis import HealthCheck, given, settings

from livesegments.core import words
from livesegments.core.check import check
from livesegments.core.check_computed import FIELDS, check_computed
from livesegments.core.definition import (
    Computed,
    ConsentState,
    Filter,
    Measure,
    MeasureName,
    Node,
    PeriodName,
    SequenceStep,
    Window,
)
from tests.effort import effort
from tests.properties import definitions as strategies
from tests.properties.definitions import IDS, LISTS, STATIC, Json, definitions


@given(definitions((*STATIC, *IDS[:-1]), all_others=True))
@settings(
    max_examples=effort(100, 500),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
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


def test_the_strategies_know_every_word() -> None:
    """What is added to the language is added to the race, which holds core, oracle and SQL to each other."""
    tree = ast.walk(ast.parse(inspect.getsource(strategies)))
    said = {each.value for each in tree if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    shapes: list[Any] = [*get_args(Node), Window, Filter, Measure, SequenceStep]
    language = {
        *words.OPS,
        *get_args(MeasureName),  # computed attributes draw from `words` itself
        *get_args(PeriodName),
        *get_args(ConsentState),
        *(kind.__struct_config__.tag for kind in get_args(Node)),
        *(name for each in shapes for name in each.__struct_encode_fields__),
    }
    assert language - said == set()
