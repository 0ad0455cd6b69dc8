"""Two events with one time and one id, as two profiles that were merged may have: what they come to doesn't depend on
which came first, nor on which of the two profiles went into the other."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from livesegments.core.value import from_ordered, ordered
from tests.properties.catalogue import Put
from tests.properties.family import Family
from tests.properties.family_stories import Command, Merge, Story, Take, To
from tests.properties.histories import DAY, Happen, Tick, When

VALUES = (1, 2, 10, "1", "b", True, 0.5, ["b", 2])


def computed(of: str, value: Any) -> dict[str, Any]:
    asked = {"type": "attribute", "name": "computed:c", "op": "eq", "value": value}
    return {"type": "computed", "name": "a", "measure": {"of": of, "property": "x"}, "asked": asked}


def segments() -> list[Put]:
    found = [
        Put(f"{of} {value}", computed(of, value)) for of in ("first", "last", "mode") for value in VALUES[:7]
    ]
    for which in ("first", "last"):
        for value in VALUES[:7]:
            has = [{"property": "x", "op": "eq", "value": value}]
            found.append(
                Put(f"{which} has {value}", {"type": "occurrence", "which": which, "name": "a", "has": has})
            )
    return found


def merged(first: Any, second: Any, old: str, into: str) -> set[str]:
    """The segments of the profile that is left, of two that had an event with one time and one id."""
    commands: list[Command] = [
        To("a", Happen("i", "a", When(0), {"x": first})),
        To("b", Happen("i", "a", When(0, of="i"), {"x": second})),
        *(To(each, Tick(When(8 * DAY))) for each in "ab"),
        Merge(old, into),
        Take(into),
    ]
    family = Family(Story("UTC", "2024-01-30T11:00:00Z", 7 * DAY, 1_000, segments(), commands))
    family.run()
    assert len(family.members[into].history) == 2
    return family.members[into].oracle.members()


@pytest.mark.parametrize("first", VALUES)
def test_it_does_not_matter_who_went_into_whom(first: Any) -> None:
    for second in VALUES:
        found = {
            frozenset(merged(*values, *who))
            for values in permutations((first, second))
            for who in ("ab", "ba")
        }
        assert len(found) == 1, f"{first!r} and {second!r}: {found}"


def test_within_a_week_the_second_is_a_repeat() -> None:
    commands: list[Command] = [
        To("a", Happen("i", "a", When(0), {"x": 1})),
        To("b", Happen("i", "a", When(0, of="i"), {"x": 2})),
        Merge("a", "b"),
        Take("b"),
    ]
    family = Family(Story("UTC", "2024-01-30T11:00:00Z", 7 * DAY, 1_000, segments(), commands))
    family.run()
    assert {"first 2", "last 2", "mode 2"} <= family.members["b"].oracle.members()


@pytest.mark.parametrize("value", ["", "s", True, False, 0, -3, 2**63, 0.5, 1e-7, 1e300, -1.5])
def test_a_text_of_a_value_stands_for_it(value: Any) -> None:
    found = from_ordered(ordered(value))
    assert found == value and type(found) is type(value)


def test_equal_values_have_one_text() -> None:
    assert ordered(2.0) == ordered(2) != ordered("2")
    assert ordered(1.152921504606847e18) == ordered(1_152_921_504_606_847_000)
    assert len({ordered(each) for each in (True, 1, "True", "1", "btrue")}) == 5
