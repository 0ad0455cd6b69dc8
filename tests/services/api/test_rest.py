"""The segment of a rule, and what a rule decides: every value once, whoever decides it how often."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from livesegments.api.rules import keeping
from livesegments.api.rules.rest import has_room, known, named, rest
from livesegments.core.check import check
from livesegments.core.definition import All, AnyOf, Attribute, Node
from livesegments.core.value import test as compared
from livesegments.core.value import when_missing
from livesegments.core.value_list import shown
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import Quotas, Rule, Segment, Workspace

VALUES: list[Any] = ["", "Kyiv", "kyiv", "1", 1, -0.5, True, False, None, ["Kyiv"], {"lat": 1.0, "lon": 2.0}]
SCALARS = VALUES[:8]


def holds(node: Node, value: Any) -> bool:
    if isinstance(node, Attribute):
        found = compared(node, UTC)(value)
        return when_missing(node) if found is None else found
    assert isinstance(node, All | AnyOf)
    return (all if isinstance(node, All) else any)(holds(each, value) for each in node.of)


@pytest.mark.parametrize(
    "values", [[], ["Kyiv"], [1], [True], [True, False], ["Kyiv", 1, False], [f"c{n}" for n in range(950)]]
)
def test_in_it_is_who_has_another_value(values: list[Any]) -> None:
    node = rest("city", values)
    assert sorted(map(str, known(node))) == sorted(map(str, values))
    for value in (*VALUES, *values[:3], *values[-3:]):
        same = any(each == value and type(each) is type(value) for each in values)
        assert holds(node, value) == (value in SCALARS + values and named(value) and not same), value
    again, faults = check(shown(node), timezone="UTC")
    assert (again, faults) == (node, [])


def shop(rule: Rule, *known_: Any) -> Snapshot:
    own = Segment("w", "r", "city: others", 1, 1, 0, 0, rest("city", known_), rule=rule)
    return Snapshot("1", [own])


def decided(snapshot: Snapshot, *values: Any, segments: int = 100) -> tuple[Snapshot, list[str]]:
    workspace = Workspace("w", "w", "UTC", 0, quotas=Quotas(segments=segments))
    found = list(keeping._decided(snapshot, workspace, "r", values, 5))
    after = snapshot.draft("2")
    for each in found:
        after.put(each)
    return after, [each.name for each in found if each.made_by == "r"]


def test_a_value_gets_its_segment_once() -> None:
    after, made = decided(shop(Rule("city", 10), "Lviv"), "Kyiv", 7, "Lviv", True)
    assert made == ["city: Kyiv", "city: 7", "city: true"]
    assert after.segments["r"].definition_version == 2
    assert decided(after, "Kyiv", 7.0, "Lviv", True)[1] == []
    assert decided(after, "Odesa")[1] == ["city: Odesa"]


def test_a_deleted_segment_does_not_come_back() -> None:
    after, _ = decided(shop(Rule("city", 10)), "Kyiv")
    (gone,) = (each.id for each in after.segments.values() if each.made_by)
    after.drop(gone, 1)
    assert decided(after, "Kyiv")[1] == []


def test_as_many_as_there_is_room_for() -> None:
    after, made = decided(shop(Rule("city", 3), "Lviv"), "a", "b", "c")
    assert made == ["city: a", "city: b"]
    assert decided(after, "c")[1] == []
    assert decided(shop(Rule("city", 10)), "a", "b", "c", segments=3)[1] == ["city: a", "city: b"]
    assert decided(shop(Rule("city", 10, paused=True)), "a")[1] == []
    large = [f"{n:04}" + "x" * 1_000 for n in range(100)]
    after, made = decided(shop(Rule("city", 1_000)), *large)
    assert 40 < len(made) < 64 and not has_room(after.segments["r"].definition)
    node = after.segments["r"].definition
    assert check(shown(node), timezone="UTC")[1] == []
