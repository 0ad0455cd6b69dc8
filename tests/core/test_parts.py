"""An attribute that is removed takes its parts with it, whatever the order of arrival."""

from __future__ import annotations

from itertools import permutations
from random import Random
from typing import Any

import pytest

from livesegments.core.event import PROFILE, Event
from livesegments.core.oracle.registers import Registers, derived, registers
from livesegments.core.profile import Profile, decode, encode
from livesegments.core.registers import apply_change


def change(id_: str, time_ms: int, **attributes: Any) -> Event:
    named = {name.replace("_", "."): value for name, value in attributes.items()}
    return Event(id_, "w", "p", PROFILE, time_ms, {"attributes": named})


def values(profile: Profile) -> dict[str, Any]:
    kept = profile.attributes.items()
    return {name: register.value for name, register in kept if register.value is not None}


def applied(*events: Event) -> Profile:
    """Applies each change to the oracle as well; both agree on what it altered and on what is there then."""
    profile, before, so_far = Profile(), registers([]), []
    for event in events:
        told = [each.event for each in apply_change(profile, event)]
        so_far.append(event)
        after: Registers = registers(so_far)
        assert sorted(map(repr, told)) == sorted(map(repr, derived(before, after, event)))
        profile, before = decode(encode(profile)), after
        assert values(profile) == after.attributes
    return profile


WRITTEN = change("a", 1, address_city="Berlin", address_geo_lat=52, addressed=True, other=1)
REMOVED = change("b", 2, address=None)


@pytest.mark.parametrize("order", list(permutations([0, 1])))
def test_what_was_taken_apart_is_removed_as_one(order: tuple[int, ...]) -> None:
    events = [WRITTEN, REMOVED]
    assert values(applied(*(events[index] for index in order))) == {"addressed": True, "other": 1}


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_later_value_does_not_bring_earlier_parts_back(order: tuple[int, ...]) -> None:
    events = [WRITTEN, REMOVED, change("c", 3, address="Main Street"), change("d", 4, address_zip="10115")]
    kept = {"addressed": True, "other": 1, "address": "Main Street", "address.zip": "10115"}
    assert values(applied(*(events[index] for index in order))) == kept


def test_a_value_in_the_place_of_an_object_leaves_its_parts() -> None:
    """A sender's own names may have dots; only the removal of an attribute takes others along."""
    assert values(applied(change("a", 1, plan_name="x"), change("b", 2, plan=7))) == {
        "plan.name": "x",
        "plan": 7,
    }


@pytest.mark.parametrize("names", [("address", "address_city"), ("address_city", "address")])
def test_what_one_change_removes_and_writes_it_writes(names: tuple[str, str]) -> None:
    both = {"address": None, "address_city": "Bonn"}
    one = change("b", 2, **{name: both[name] for name in names})
    assert values(applied(WRITTEN, one)) == {"addressed": True, "other": 1, "address.city": "Bonn"}


@pytest.mark.parametrize("seed", range(150))
def test_random_removals_in_any_order(seed: int) -> None:
    rng = Random(seed)
    names = ["a", "a.b", "a.b.c", "a.d", "a.", "a..b", "ab"]
    events = [
        Event(
            f"e{rng.randrange(6)}-{number}",
            "w",
            "p",
            PROFILE,
            rng.randrange(4),
            {
                "attributes": {
                    rng.choice(names): rng.choice([None, None, 1, 2]) for _ in range(rng.randint(1, 3))
                }
            },
        )
        for number in range(rng.randint(2, 9))
    ]
    applied(*events)
