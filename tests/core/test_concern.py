"""Stored profiles that a change of definitions can't concern are passed over by their bytes."""

from __future__ import annotations

from typing import Any

import msgspec

from livesegments.core.concern import MOST, concern
from livesegments.core.definition import Node
from livesegments.core.event import PROFILE, Event
from livesegments.core.plan import Plan, Segment, compile
from livesegments.core.profile import encode
from livesegments.core.step import on_event

PRO = {"type": "attribute", "name": "plan", "op": "eq", "value": "pro"}
OLD = {"type": "tag", "name": "old"}


def plan_of(**definitions: Any) -> Plan:
    """The definitions come at the revisions 1, 2, … in turn."""
    return compile(
        "w",
        "UTC",
        [
            Segment(id_, 1, at, msgspec.convert(each, Node))
            for at, (id_, each) in enumerate(definitions.items(), 1)
        ],
        len(definitions),
    )


def state(**attributes: Any) -> bytes:
    event = Event("e", "w", "p", PROFILE, 1, {"attributes": attributes})
    return encode(on_event(plan_of(), None, event, 1).profile)


def test_only_who_has_the_value_is_looked_into() -> None:
    concerned = concern(plan_of(old=OLD, payers=PRO), 1)
    assert concerned is not None
    assert (
        concerned(state(plan="pro"))
        and not concerned(state(plan="free"))
        and not concerned(state(city="pro"))
    )


def test_a_condition_that_holds_for_unknown_profiles_concerns_all() -> None:
    assert concern(plan_of(old=OLD, free={"type": "not", "of": PRO}), 1) is None


def test_members_of_what_is_gone_are_looked_into() -> None:
    concerned = concern(plan_of(old=OLD), 1, gone_segments=["vip"], gone_facts=[2**40])
    assert concerned is not None
    assert concerned(b"..vip..") and concerned(msgspec.msgpack.encode({2**40: b""}))
    assert not concerned(state(plan="pro"))


def test_with_many_changes_all_are_looked_into() -> None:
    many = {f"s{number}": {**PRO, "value": str(number)} for number in range(MOST + 1)}
    assert concern(plan_of(old=OLD, **many), 1) is None
    assert concern(plan_of(old=OLD, **many), MOST) is not None
