"""A fact's key: exactly what its state depends on, no less and no more."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from livesegments.core.definition import Node
from livesegments.core.fact import FactKey, key_of, trail_key

ORDER: dict[str, Any] = {
    "type": "event",
    "name": "order",
    "where": [{"property": "total", "op": "gte", "value": 5}, {"property": "shop", "op": "eq", "value": "x"}],
    "window": {"last": "30d"},
}
CART: dict[str, Any] = {
    "type": "sequence",
    "steps": [{"name": "cart"}, {"name": "order", "absent": True}],
    "within": "1h",
    "window": {"last": "7d"},
}


def key(document: dict[str, Any], zone: str = "UTC", segment: str = "s") -> FactKey:
    leaf: Any = msgspec.convert(document, Node)
    return key_of(leaf, zone, segment)


def test_the_digest_is_what_stored_state_lies_under() -> None:
    """A change of these numbers orphans the state of every profile: only ever with a migration."""
    trail: Any = msgspec.convert(CART, Node)
    assert key(ORDER).digest() == 7_181_653_880_712_436_734
    assert key(CART).digest() == 892_532_846_747_915_549
    assert trail_key(trail, 1, "UTC").digest() == 9_086_973_640_728_797_483


def test_every_field_of_a_key_changes_the_digest() -> None:
    base = FactKey("sum", ("a",), ((),), ("ever",), "UTC")
    others = FactKey("avg", ("b",), ((b"x",),), ("last", 1), "Asia/Kolkata", "p", 4, (0, 1), True, "s")
    digests = {base.digest()}
    for field in FactKey.__struct_fields__:
        digests.add(msgspec.structs.replace(base, **{field: getattr(others, field)}).digest())
    assert len(digests) == 1 + len(FactKey.__struct_fields__)


@pytest.mark.parametrize(
    "same",
    [
        {"window": {"last": "720h"}},
        {"where": [*reversed(ORDER["where"]), ORDER["where"][0]]},
        {"where": [ORDER["where"][0] | {"value": 5.0}, ORDER["where"][1]]},
        {"value": 4},
        {"op": "between", "value": [2, 3]},
        {"measure": {"of": "count"}},
    ],
    ids=str,
)
def test_what_keeps_the_same_is_one_fact(same: dict[str, Any]) -> None:
    assert key(ORDER | same) == key(ORDER)


@pytest.mark.parametrize(
    "other",
    [
        {"name": "page"},
        {"window": {"last": "1mo"}},
        {"window": {"last": "30d", "skip": "1d"}},
        {"window": {"from": "2024-01-01"}},
        {"window": None},
        {"where": ORDER["where"][:1]},
        {"where": [ORDER["where"][0], ORDER["where"][1] | {"ignore_case": True}]},
        {"where": [ORDER["where"][0], ORDER["where"][1] | {"when_missing": True}]},
        {"where": [ORDER["where"][0], ORDER["where"][1] | {"value": "X"}]},
        {"where": [ORDER["where"][0] | {"value": True}, ORDER["where"][1]]},
        {"measure": {"of": "days"}},
        {"measure": {"of": "sum", "property": "total"}},
        {"value": 5},  # it needs more than the newest four
        {"op": "gt", "value": 4},
    ],
    ids=str,
)
def test_what_keeps_something_else_is_another_fact(other: dict[str, Any]) -> None:
    assert key(ORDER | other) != key(ORDER)
    assert key(ORDER, zone="Europe/Berlin") != key(ORDER)


def test_only_facts_of_segments_transitions_belong_to_a_segment() -> None:
    entered = {"type": "event", "name": "$segment_entered", "window": {"last": "1d"}}
    assert key(entered, segment="a") != key(entered, segment="b")
    assert key(ORDER, segment="a") == key(ORDER, segment="b")


def test_a_sequences_later_step_is_shared_by_step_window_and_within() -> None:
    def trail(**more: Any) -> FactKey:
        leaf: Any = msgspec.convert(CART | more, Node)
        return trail_key(leaf, 1, "UTC")

    present = [{"name": "page"}, {"name": "order"}]
    assert trail(steps=present) == trail()
    assert trail(window={"last": "8d"}) != trail()
