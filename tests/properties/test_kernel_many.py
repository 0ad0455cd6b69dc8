"""Facts of many entries, which lie in chunks: the native kernel keeps the same bytes as the interpreted core, and
mutated ones do it no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any

import msgspec
import pytest

from livesegments.core.definition import Node
from livesegments.core.event import Event
from livesegments.core.plan import Plan, Segment, compile
from livesegments.core.profile import Profile, encode
from livesegments.core.step import on_clock, on_event
from livesegments.evaluator.kernel import native
from tests.properties.kernel_race import plain
from tests.properties.mutants import answers, mutated

pytestmark = pytest.mark.skipif(
    not native.BUILT, reason="no kernel: make setup builds it where cargo is on PATH"
)
DAY, HOUR = 86_400_000, 3_600_000
START = 1_706_612_400_000
WINDOWS: tuple[dict[str, str], ...] = ({"last": "30d"}, {"last": "30d", "skip": "3d"}, {"last": "1mo"})
EVENTS = 900
MUTATED_EVERY, MUTANTS = 20, 10
CHUNKS = b"\x83\xa1h"
"""As they begin."""
SEEDS = 3


def definitions(window: dict[str, str]) -> dict[str, dict[str, Any]]:
    event: dict[str, Any] = {"type": "event", "name": "a", "window": window}
    there: dict[str, Any] = {"type": "sequence", "within": "7d", "window": window}
    away = {"name": "b", "absent": True}
    found = {
        of: {**event, "measure": {"of": of, "property": "x"}, "op": "gte", "value": 5}
        for of in ("sum", "avg", "min", "max")
    }
    return found | {
        "count": {**event, "op": "gte", "value": 200},
        "distinct": {**event, "measure": {"of": "distinct", "property": "y"}, "op": "gte", "value": 140},
        "ever": {"type": "event", "name": "a", "measure": {"of": "distinct", "property": "y"}, "value": 180},
        "then": {**there, "steps": [{"name": "a"}, {"name": "b"}]},
        "twice": {**there, "steps": [{"name": "a"}, {"name": "b"}, {"name": "b"}]},
        "away": {**there, "steps": [{"name": "a"}, away]},
        "between": {**there, "steps": [{"name": "a"}, {"name": "c"}, away]},
    }


def plan_of(window: dict[str, str]) -> Plan:
    nodes = definitions(window)
    segments = [Segment(id_, 1, 1, msgspec.convert(node, Node)) for id_, node in nodes.items()]
    return compile("w", "Europe/Berlin", segments, 1)


def events(random: Random, count: int) -> Iterator[tuple[Event, int]]:
    """Of one profile, each with the clock at it."""
    now, names = START, random.choice(("aab", "aaaaac", "abc", "aaaaaaaaaaaaaaab"))
    for index in range(count):
        now += random.choice((0, 1_000, HOUR // 2, HOUR, *([5 * DAY] if index % 300 == 299 else [])))
        late = random.choice((0, 0, 0, 0, HOUR, DAY, 20 * DAY))
        parts: dict[str, Any] = {"x": random.choice((1, 2, 0.5, 7))} if random.random() < 0.9 else {}
        parts |= {"y": random.choice((random.randrange(300), f"y{random.randrange(40)}"))}
        yield Event(f"e{index}", "w", "p", random.choice(names), now - late, parts), now


@pytest.mark.parametrize("seed", range(SEEDS))
def test_many_entries_are_kept_in_the_same_bytes(seed: int) -> None:
    print(f"seed {seed}")
    random = Random(seed)
    plan = plan_of(WINDOWS[seed % len(WINDOWS)])
    kernel, profile, state = native.Kernels().of(plan), Profile(plan=1), b""
    natively, chunked = 0, False
    for index, (event, now) in enumerate(events(random, EVENTS)):
        while (due := profile.wake_at) is not None and due <= now:
            made = kernel.clock("p", encode(profile), due)
            step = on_clock(plan, "p", profile, due)
            natively += same(made, step.profile, step.transitions, step.wake_at)
        made = kernel.event(state and encode(profile), event, now)
        step = on_event(plan, profile if state else None, event, now)
        profile, state = step.profile, b"there"
        natively += same(made, step.profile, step.transitions, step.wake_at)
        chunked |= CHUNKS in encode(profile)
        if index % MUTATED_EVERY == 0:
            for _ in range(MUTANTS):
                other = mutated(encode(profile), random)
                answers(
                    partial(kernel.plan.event, kernel.revision, other, msgspec.msgpack.encode(event), now)
                )
                answers(partial(kernel.plan.clock, kernel.revision, "p", other, now))
    assert natively > EVENTS * 0.9
    assert chunked, "so few entries are a list"


def same(made: native.Stepped | str, profile: Profile, transitions: Any, wake_at: int | None) -> bool:
    """Whether the kernel did the step; then it is the same."""
    if isinstance(made, str):
        print(made)
        return False
    assert made.state is not None
    assert (made.transitions, made.wake_at) == (transitions, wake_at)
    assert plain(made.state) == plain(encode(profile))
    return True
