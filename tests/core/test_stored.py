"""Profiles that earlier versions stored are read, and go on as if nothing had happened.

`stored/v1.msgpack` is the profile that the version before sequences followed each event left after `BEFORE`.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from livesegments.core import chunks
from livesegments.core.event import Event, Transition
from livesegments.core.profile import Profile, decode, encode
from livesegments.core.step import on_clock, on_event, on_plan
from tests.core.test_step import plan_of
from tests.properties.restless import small_chunks

HOUR, DAY = 3_600_000, 86_400_000
START = 1_700_000_000_000
STORED = Path(__file__).parent / "stored" / "v1.msgpack"


def sequence(*names: str, within: str = "2h", last: str | None = None, skip: str | None = None) -> Any:
    steps: list[dict[str, Any]] = [
        {"name": name.removeprefix("no "), **({"absent": True} if name.startswith("no ") else {})}
        for name in names
    ]
    window = {name: value for name, value in (("last", last), ("skip", skip)) if value}
    return {"type": "sequence", "steps": steps, "within": within, **({"window": window} if window else {})}


def measured(of: str, op: str, value: Any, last: str = "7d", skip: str | None = None) -> Any:
    window = {"last": last, **({"skip": skip} if skip else {})}
    measure = {"of": of, **({} if of in ("count", "days") else {"property": "x"})}
    return {"type": "event", "name": "a", "window": window, "measure": measure, "op": op, "value": value}


DEFINITIONS = {
    "abandoned": sequence("a", "no b", last="2d"),
    "abandoned-skip": sequence("a", "no b", last="2d", skip="1d"),
    "abandoned-ever": sequence("a", "no b"),
    "stuck": sequence("a", "b", "no c", last="12h"),
    "followed": sequence("a", "b", last="8h"),
    "followed-skip": sequence("a", "b", last="15h", skip="5h"),
    "followed-ever": sequence("b", "c", "a", within="1d"),
    "many": measured("count", "gte", 20, last="3d"),
    "packed": measured("count", "gte", 70, last="12d"),
    "many-skip": measured("count", "gte", 25, skip="1d"),
    "days": measured("days", "gte", 5),
    "distinct": measured("distinct", "gte", 5, last="1d"),
    "sum": measured("sum", "gte", 60.5, last="3d"),
    "avg": measured("avg", "lt", 2, last="1d"),
    "min": measured("min", "lt", 0.5, last="12h"),
    "max": measured("max", "gt", 5, last="1d"),
    "first": {"type": "occurrence", "which": "first", "name": "c", "window": {"last": "60d"}},
    "last": {"type": "occurrence", "which": "last", "name": "c", "window": {"last": "1d"}},
}


def happening(count: int) -> list[Event]:
    found, at, random = [], START, Random(7)
    for number in range(count):
        at += random.choice((HOUR // 6, HOUR // 2, 2 * HOUR, 30 * HOUR if number % 9 == 0 else HOUR))
        late = random.choice((0, 0, 3 * HOUR, HOUR))
        properties = {"x": random.choice((0, 0.5, 1, 2, 2.5, 4, 5.5))}
        found.append(Event(f"e{number}", "w", "p", random.choice("aaabbc"), at - late, properties))
    return found


HAPPENED = happening(400)
BEFORE, AFTER = HAPPENED[:150], HAPPENED[150:]


def lived(profile: Profile | None, events: list[Event]) -> tuple[Profile, list[Transition]]:
    plan, clock, told = plan_of(**DEFINITIONS), 0, list[Transition]()
    for event in events:
        clock = max(clock, START, event.time_ms)
        while profile is not None and profile.wake_at is not None and profile.wake_at <= clock:
            told += on_clock(plan, "p", profile, profile.wake_at).transitions
        step = on_event(plan, profile, event, clock)
        told += step.transitions
        profile = decode(encode(step.profile))
    assert profile is not None
    return profile, told


@pytest.mark.parametrize("replanned", [False, True])
def test_a_profile_stored_by_an_earlier_version_goes_on(replanned: bool) -> None:
    new, _ = lived(None, BEFORE)
    old = decode(STORED.read_bytes())
    if replanned:
        on_plan(plan_of(**DEFINITIONS), "p", old, BEFORE[-1].time_ms, {})
    assert old.memberships == new.memberships
    old, told_old = lived(old, AFTER)
    new, told_new = lived(new, AFTER)
    assert told_old == told_new
    assert len({each.segment for each in told_new}) > len(DEFINITIONS) * 2 / 3


def test_a_long_state_that_was_stored_as_a_list_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Earlier versions kept thousands of entries in one list."""
    with monkeypatch.context() as before:
        before.setattr(chunks, "LISTED", 1_000_000)
        listed, told_listed = lived(None, BEFORE)
    with small_chunks():
        new, told_new = lived(None, BEFORE)
        assert told_listed == told_new
        assert len(encode(new)) != len(encode(listed)), "nothing lies in chunks"
        assert lived(listed, AFTER)[1] == lived(new, AFTER)[1]
