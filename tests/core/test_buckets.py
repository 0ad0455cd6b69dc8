"""Buckets: who is in one, that a share of profiles is, and how a plan knows whom a new one can concern."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from livesegments.core.bucket import holds, number
from livesegments.core.concern import concern
from livesegments.core.definition import Bucket, Node
from livesegments.core.event import Event
from livesegments.core.explanation import explain
from livesegments.core.plan import Plan, Segment, compile
from livesegments.core.profile import Profile, encode
from livesegments.core.reached import reached
from livesegments.core.step import on_event

Json = dict[str, Any]
LOW: Json = {"type": "bucket", "salt": "a", "from": 0, "to": 50}
ORDERED: Json = {"type": "event", "name": "order"}


def plan_of(**definitions: Json) -> Plan:
    segments = [
        Segment(id_, 1, at, msgspec.convert(each, Node))
        for at, (id_, each) in enumerate(definitions.items(), 1)
    ]
    return compile("w", "UTC", segments, len(segments))


def ref(id_: str) -> Json:
    return {"type": "segment", "id": id_}


def no(of: Json) -> Json:
    return {"type": "not", "of": of}


def every(*of: Json) -> Json:
    return {"type": "all", "of": list(of)}


def members(plan: Plan, profile_id: str, name: str = "visit") -> tuple[Profile, set[str]]:
    step = on_event(plan, None, Event("e", "w", profile_id, name, 1), 1)
    return step.profile, {each.segment for each in step.transitions}


def test_the_number_of_a_profile_is_as_the_page_says() -> None:
    assert number("spring", "ann") == 8_508
    assert holds(Bucket("spring", 85.08, 85.09), "ann")
    assert not holds(Bucket("spring", 85.09, 100), "ann") and not holds(Bucket("spring", 0, 85.08), "ann")


def test_each_profile_is_in_one_of_the_buckets_that_share_a_salt() -> None:
    shares = [Bucket("s", 0, 33.33), Bucket("s", 33.33, 66.66), Bucket("s", 66.66, 100)]
    counts = [0, 0, 0]
    for profile in range(3_000):
        found = [at for at, each in enumerate(shares) if holds(each, f"p{profile}")]
        assert len(found) == 1
        counts[found[0]] += 1
    assert all(900 < count < 1_100 for count in counts), counts


def test_a_bucket_decides_from_the_first_event_on() -> None:
    plan = plan_of(low=LOW, high=no(LOW), through=no(ref("high")), both=every(LOW, ORDERED))
    for name in ("ann", "bob", "eve", "joe", "max", "sue"):
        low = number("a", name) < 5_000
        assert members(plan, name)[1] == ({"low", "through"} if low else {"high"})
        assert ("both" in members(plan, name, "order")[1]) == low


@pytest.mark.parametrize(
    ("definition", "concerns_all"),
    [
        (LOW, True),
        (no(LOW), True),
        (every(LOW, no(ORDERED)), True),
        (every(LOW, ORDERED), False),
        (no(ref("first")), True),
        (every(ref("first"), ORDERED), False),
    ],
    ids=str,
)
def test_a_new_segment_concerns_all_only_where_a_bucket_alone_may_decide(
    definition: Json, concerns_all: bool
) -> None:
    plan = plan_of(first=LOW, new=definition)
    found = concern(plan, 1)
    assert (found is None) == concerns_all
    profile, _ = members(plan_of(first=LOW), "ann")
    assert (plan.positions["new"] in reached(plan, profile, 1)) >= concerns_all
    if found is not None and "first" not in str(definition):
        assert not found(encode(profile))


def test_edits_keep_what_is_known_of_the_others() -> None:
    before = plan_of(first=LOW, second=ORDERED, third=ORDERED, fourth=ORDERED, fifth=no(ref("first")))
    segments = [*before.segments.values()]
    edited = msgspec.structs.replace(segments[1], revision=6, definition=msgspec.convert(no(ORDERED), Node))
    after = compile("w", "UTC", [edited, segments[0], *segments[2:]], 6, previous=before)
    held = {after.order[at].segment.id for at in after.holding}
    assert held == {"first", "second", "fifth"}
    more = compile(
        "w",
        "UTC",
        [*after.segments.values(), Segment("sixth", 1, 7, after.segments["fifth"].definition)],
        7,
        previous=after,
    )
    assert more.positions["sixth"] in more.holding


def test_an_explanation_gives_the_number() -> None:
    plan = plan_of(low=LOW)
    profile, _ = members(plan, "ann")
    found = explain(plan, "ann", profile, "low", 1)
    assert found.root.evidence is not None
    assert found.root.evidence.value == number("a", "ann") / 100
    assert found.is_in == found.root.holds == (found.root.evidence.value < 50) and found.change is None
