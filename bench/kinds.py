"""What an event costs by how much its fact keeps: `python -m bench kinds`.

One profile, one condition. Its fact is filled until it keeps n events, values or stamps; then events come in
order and leave as fast as they come, so that it goes on keeping n. Three things are timed: the step alone,
as for the events of one record; a step with reading and writing the whole state, as for a record of one
event; and reading and writing the state when an event of another kind touches the profile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, NamedTuple

import msgspec

from livesegments.core.definition import Node
from livesegments.core.event import PROFILE, Event
from livesegments.core.plan import Segment, compile
from livesegments.core.profile import Profile, decode, encode
from livesegments.core.step import on_clock, on_event

SIZES = (10, 1_000, 10_000)
GAP_MS = 1_000
START_MS = 1_700_000_000_000
ROUNDS = 5

Json = dict[str, Any]
Names = Callable[[int], str]


class Shape(NamedTuple):
    """`definition` gives one by the seconds that its window lasts; `names` are those of the events, by
    number. `again`: values come again after as many as are kept; `twice`: each comes twice."""

    definition: Callable[[int], Json]
    names: Names = lambda number: "a"
    gap_ms: int = GAP_MS
    again: bool = False
    twice: bool = False

    def event(self, number: int, kept: int, name: str | None = None, late_ms: int = 0) -> Event:
        name = name or self.names(number)
        value = (number // 2 if self.twice else number) % (kept if self.again else 1_000_003)
        properties: Json = {"score": {"increment": 0.1}} if name == PROFILE else {"x": value}
        return Event(f"e{number:09}", "w", "p", name, START_MS + number * self.gap_ms - late_ms, properties)


class Cost(NamedTuple):
    """Microseconds of an event, the fastest of `ROUNDS`; `state_bytes` of the whole profile at the end."""

    kind: str
    kept: int
    step_us: float
    stored_us: float
    untouched_us: float
    state_bytes: int


def measured(of: str, skip: str | None = None, value: int = 10_000) -> Callable[[int], Json]:
    # no profile reaches the highest value there is: a threshold that is crossed would cost transitions
    def definition(seconds: int) -> Json:
        total = seconds + 60 * bool(skip)
        window: Json = {"last": f"{total}s", **({"skip": skip} if skip else {})}
        measure = {"of": of, **({} if of in ("count", "days") else {"property": "x"})}
        return {
            "type": "event",
            "name": "a",
            "window": window,
            "measure": measure,
            "op": "gt",
            "value": value,
        }

    return definition


def sequence(*steps: str, within: int | None = None) -> Callable[[int], Json]:
    """`within` in seconds; None: as long as the window."""

    def definition(seconds: int) -> Json:
        parts: list[Json] = [{"name": step.removeprefix("no ")} for step in steps]
        if steps[-1].startswith("no "):
            parts[-1]["absent"] = True
        limit = max(1, seconds // 2) if within is None else within
        return {
            "type": "sequence", "steps": parts, "within": f"{limit}s", "window": {"last": f"{seconds}s"}
        }  # fmt: skip

    return definition


def same(*steps: str, within: int | None = None) -> Callable[[int], Json]:
    """Of steps that share `x`, which every event has a value of its own of."""
    of = sequence(*steps, within=within)
    return lambda seconds: {**of(seconds), "same": "x"}


def mode(seconds: int | None) -> Json:
    """The most frequent of values that come once each, read as a computed attribute is."""
    return {
        "type": "computed", "name": "a", "window": {"last": f"{seconds}s"} if seconds else None,
        "measure": {"of": "mode", "property": "x"}, "asked": {"type": "attribute", "name": "m", "op": "exists"},
    }  # fmt: skip


def turns(*names: str) -> Names:
    return lambda number: names[number % len(names)]


SCORE = Shape(
    lambda seconds: {"type": "attribute", "name": "score", "op": "gt", "value": -1}, lambda number: PROFILE
)
"""Increments; a thousand of them are kept."""

SHAPES = {
    "count": Shape(measured("count")),
    "count with skip": Shape(measured("count", skip="60s")),
    "distinct": Shape(measured("distinct")),
    "days": Shape(measured("days"), gap_ms=86_400_000),
    "distinct, ever": Shape(lambda seconds: {**measured("distinct")(seconds), "window": None}, again=True),
    "most frequent": Shape(mode),
    "most frequent, ever": Shape(lambda seconds: mode(None), again=True),
    "sum": Shape(measured("sum")),
    "avg": Shape(measured("avg")),
    "min": Shape(measured("min")),
    "max": Shape(measured("max")),
    "sequence, never complete": Shape(sequence("a", "b")),
    "sequence, complete each time": Shape(sequence("a", "b"), turns("a", "b")),
    "absent, nothing comes": Shape(sequence("a", "no b", within=5)),
    "absent, long within": Shape(sequence("a", "no b")),
    "absent, comes each time": Shape(sequence("a", "no b"), turns("a", "b")),
    "absent, three steps": Shape(sequence("a", "b", "no c"), turns("a", "b", "a", "c")),
    "absent, three steps, no second": Shape(sequence("a", "b", "no c", within=5), turns("a", "c")),
    "same, each value once": Shape(same("a", "b")),
    "same, complete each time": Shape(same("a", "b"), turns("a", "b"), twice=True),
    "same, absent, each value once": Shape(same("a", "no b", within=5)),
    "same, absent, comes each time": Shape(same("a", "no b"), turns("a", "b"), twice=True),
    "same, absent, values again": Shape(same("a", "no b", within=5), again=True),
    "score": SCORE,
    "last occurrence": Shape(
        lambda seconds: {
            "type": "occurrence", "which": "last", "name": "a", "window": {"last": f"{seconds}s"}
        }
    ),
}  # fmt: skip


def cost(kind: str, kept: int, timed: int) -> Cost:
    """`timed`: events a round."""
    shape = SHAPES[kind]
    life = Life(shape, kept)
    for _ in range(kept + min(kept, 200)):
        life.step()

    def stored() -> None:
        life.profile = decode(encode(life.profile))
        life.step()

    def untouched() -> None:
        life.profile = decode(state)
        life.step("other")
        encode(life.profile)

    few = max(1, timed // 10)
    step_us, stored_us = _fastest(life.step, timed), _fastest(stored, few)
    life.profile.seen = b""
    state = encode(life.profile)
    return Cost(kind, kept, step_us, stored_us, _fastest(untouched, few), len(state))


class Life:
    """A profile to which one event after the other happens."""

    def __init__(self, shape: Shape, kept: int) -> None:
        node = msgspec.convert(shape.definition(kept * shape.gap_ms // 1_000), Node)
        other = msgspec.convert({"type": "event", "name": "other"}, Node)
        self._plan = compile("w", "UTC", [Segment("s", 1, 1, node), Segment("t", 1, 1, other)], 1)
        self._shape, self._kept, self._numbers, self._last = shape, kept, count(), 0
        self.profile = Profile(plan=1)

    def step(self, name: str | None = None) -> None:
        """The next event; one of another name comes at the time of the last."""
        shape, profile = self._shape, self.profile
        if name is None:
            self._last = next(self._numbers)
        number = self._last
        now = START_MS + number * shape.gap_ms
        profile.seen = b""  # ids of repeats are kept beside facts, and would cost the same everywhere
        while (wake := profile.wake_at) is not None and wake <= now:
            on_clock(self._plan, "p", profile, wake)
        on_event(self._plan, profile, shape.event(number, self._kept, name), now)


def _fastest(work: Callable[[], None], times: int) -> float:
    """Microseconds of one call in the fastest round."""
    found = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(times):
            work()
        found.append((time.process_time() - started) / times * 1e6)
    return min(found)


def run(sizes: Sequence[int] = SIZES, timed: int = 400) -> list[Cost]:
    return [cost(kind, kept, timed) for kind in SHAPES for kept in sizes]


def table(costs: Sequence[Cost]) -> list[str]:
    """As lines of Markdown."""
    sizes = sorted({each.kept for each in costs})
    head = " | ".join(f"{size:,}" for size in sizes)
    lines = [
        f"| kind | step, µs at n = {head} | last ÷ first | with its state, µs | untouched, µs | state, bytes |",
        "|---" * (len(sizes) + 5) + "|",
    ]
    for kind in dict.fromkeys(each.kind for each in costs):
        found = {each.kept: each for each in costs if each.kind == kind}
        steps = " | ".join(f"{found[size].step_us:.1f}" for size in sizes)
        first, last = found[sizes[0]], found[sizes[-1]]
        lines.append(
            f"| {kind} | {steps} | {last.step_us / first.step_us:.1f} "
            f"| {first.stored_us:.0f} → {last.stored_us:.0f} | {first.untouched_us:.0f} → {last.untouched_us:.0f} "
            f"| {last.state_bytes:,} |"
        )
    return lines
