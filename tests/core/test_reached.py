"""Ten thousand new segments are judged only where a profile leads to them."""

from __future__ import annotations

from typing import Any

import msgspec

from livesegments.core.definition import Node
from livesegments.core.event import PROFILE, Event
from livesegments.core.plan import Plan, Segment, compile
from livesegments.core.profile import Profile
from livesegments.core.step import Step, on_event, on_plan

CITIES = {
    f"city{number}": {"type": "attribute", "name": "city", "op": "eq", "value": f"city{number}"}
    for number in range(100)
}
OLD = {"type": "tag", "name": "old"}


def plan_of(**definitions: dict[str, Any] | None) -> Plan:
    """`None` is a static segment. The segments come at the revisions 1, 2, … in turn."""
    segments = [
        Segment(id_, 1, at, None if item is None else msgspec.convert(item, Node))
        for at, (id_, item) in enumerate(definitions.items(), 1)
    ]
    return compile("w", "UTC", segments, len(segments))


def known(**change: Any) -> Profile:
    return on_event(plan_of(old=OLD), None, Event("e", "w", "p", PROFILE, 1, change), 1).profile


def adopted(profile: Profile, **definitions: dict[str, Any] | None) -> Step:
    plan = plan_of(old=OLD, **definitions, **CITIES)
    return on_plan(plan, "p", profile, 1, dict.fromkeys(plan.fact_ids, 1))


def entered(step: Step) -> list[str]:
    return [each.segment for each in step.transitions]


def test_an_attribute_leads_to_the_segments_on_its_value() -> None:
    step = adopted(known(attributes={"city": "city7", "name": "city8"}))
    assert (entered(step), step.judged) == (["city7"], 1)


def test_lists_and_tags_lead_to_their_segments() -> None:
    step = adopted(
        known(lists_add=["guests"], tags_add=["vip"]), guests=None, vips={"type": "tag", "name": "vip"}
    )
    assert (sorted(entered(step)), step.judged) == (["guests", "vips"], 2)


def test_what_holds_for_unknown_profiles_is_judged_for_all() -> None:
    elsewhere = {"type": "not", "of": CITIES["city7"]}
    step = adopted(known(attributes={"city": "city7"}), elsewhere=elsewhere)
    assert (entered(step), step.judged) == (["city7"], 2)
