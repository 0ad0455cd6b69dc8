"""Tests of definitions: a profile lives through a timeline by the core's own steps."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from livesegments.core import trial
from livesegments.core.definition import Node
from livesegments.core.plan import Segment, compile
from livesegments.core.trial import Cut, Expected, Happening, Trial, outcomes

DAY_MS = 86_400_000
ORDERED = {"type": "event", "name": "order", "window": {"last": "1d"}}
PRO = {"type": "attribute", "name": "plan", "op": "eq", "value": "pro"}


def run(
    definition: Any, events: list[Happening], at_ms: list[int], others: dict[str, Any] | None = None
) -> list[bool]:
    named = {"s": definition, **(others or {})}
    made = [
        Segment(id_, 1, 0, None if each is None else msgspec.convert(each, Node))
        for id_, each in named.items()
    ]
    expect = tuple(Expected(each, True) for each in at_ms)
    return outcomes(compile("w", "Europe/Berlin", made, 0), "s", Trial("t", tuple(events), expect))


def test_due_times_fire_at_their_own_instants() -> None:
    events = [Happening(DAY_MS, "order"), Happening(5 * DAY_MS, "order"), Happening(0, "seen")]
    asked = [5 * DAY_MS, DAY_MS - 1, DAY_MS, 2 * DAY_MS - 1, 2 * DAY_MS, 9 * DAY_MS]
    assert run(ORDERED, events, asked) == [True, False, True, True, False, False]


def test_who_was_never_there_is_in_nothing() -> None:
    never = {"type": "not", "of": ORDERED}
    assert run(never, [Happening(10, "seen")], [9, 10]) == [False, True]


def test_changes_of_the_profile_and_other_segments_count() -> None:
    both = {"type": "all", "of": [{"type": "segment", "id": "pros"}, {"type": "segment", "id": "list"}]}
    events = [
        Happening(1, properties={"attributes": {"plan": "pro"}}),
        Happening(2, properties={"lists_add": ["list"]}),
        Happening(3, properties={"attributes": {"plan": None}}),
    ]
    assert run(both, events, [1, 2, 3], {"pros": PRO, "list": None}) == [False, True, False]


def test_of_two_writes_at_one_instant_the_later_holds() -> None:
    plans = [Happening(1, properties={"attributes": {"plan": each}}) for each in ("pro", "free")]
    assert (run(PRO, plans, [1]), run(PRO, plans[::-1], [1])) == ([False], [True])


def test_what_can_not_be_carried_out_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    many = Happening(1, properties={"attributes": {f"a{number}": 1 for number in range(10_000)}})
    with pytest.raises(Cut, match="event 0 is more than a profile may have"):
        run(ORDERED, [many], [1])
    monkeypatch.setattr(trial, "MAX_STEPS", 2)
    with pytest.raises(Cut, match="more than 2 steps"):
        run(ORDERED, [Happening(each * 5 * DAY_MS, "order") for each in range(3)], [20 * DAY_MS])
