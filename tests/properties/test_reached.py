"""Of many new segments a profile is judged by those that it leads to, and comes out as if by all."""

from __future__ import annotations

from graphlib import CycleError

import pytest
from hypothesis import HealthCheck, given, reject, seed, settings
from hypothesis import strategies as st

from livesegments.core.plan import Segment, compile
from livesegments.core.profile import decode, encode
from livesegments.core.references import references
from livesegments.core.step import on_plan
from tests.effort import effort
from tests.properties.crowded import crowded
from tests.properties.definitions import IDS, STATIC, Draw, Json, contents, definitions, node
from tests.properties.histories import History, histories
from tests.properties.race import Race

NEW = tuple(f"y{number}" for number in range(20))


@st.composite
def news(draw: Draw) -> list[Json | None]:
    """Definitions of twenty segments more; None: the one of a segment that is there, or a static one."""
    named = (*IDS[:-1], *STATIC)  # the last may look at all others
    return [draw(st.none() | definitions((*named, *NEW[:number]), False)) for number in range(len(NEW))]


def _led(history: History, new: list[Json | None]) -> None:
    race = Race(history)
    race.run()
    race._adopt()
    if race.profile is None:
        reject()
    before, revision = race.plan, race.plan.revision + 1
    served = [*before.segments.values()]
    segments = {each.id: each for each in served}
    for number, (id_, document) in enumerate(zip(NEW, new, strict=True)):
        root = node(document) if document is not None else None
        if document is None and served:
            root = served[number % len(served)].definition
            if root is not None and references(root).all_others:
                root = None
        segments[id_] = Segment(id_, 1, 1_000 + number, root)
    try:
        known = compile(
            "w", history.zone, segments.values(), revision, race.limits, before, contents=contents
        )
    except CycleError:  # an old one may look at all others
        reject()
    plan = known.at(revision, dict.fromkeys(NEW, revision) | {each.id: revision - 1 for each in served}, ())
    since = dict.fromkeys(known.fact_ids - race.since.keys(), revision) | race.since
    came_out = []
    for few in (0, len(NEW)):
        profile = decode(encode(race.profile))
        step = on_plan(plan, "p", profile, race.clock_ms, since, revision - 1, few)
        assert step.judged <= len(NEW)
        came_out.append((step.transitions, step.wake_at, encode(profile)))
    assert came_out[0] == came_out[1]


@pytest.mark.parametrize("number", range(effort(4, 10)))
def test_a_profile_is_judged_by_whom_it_leads_to(number: int) -> None:
    print(f"seed {number}")

    @seed(number)
    @settings(max_examples=9, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(crowded() if number % 2 else histories(), news())
    def led(history: History, new: list[Json | None]) -> None:
        _led(history, new)

    led()
