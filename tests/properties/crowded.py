"""Histories in which many events of few names crowd a window, in order and late, and only facts with states ask.

Random histories seldom have two first events of one sequence open at once; here they have dozens.
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.properties.catalogue import Put
from tests.properties.definitions import Draw, Json
from tests.properties.histories import (
    DAY,
    HOUR,
    STARTS,
    ZONES,
    Command,
    Forget,
    Happen,
    History,
    Look,
    Tick,
    When,
)

NAMES = ("a", "b", "c")
WINDOWS: tuple[Json, ...] = (
    {"last": "1h"},
    {"last": "1d"},
    {"last": "7d"},
    {"last": "1mo"},
    {"last": "1d", "skip": "1h"},
    {"last": "7d", "skip": "2d"},
    {"last": "2mo", "skip": "1mo"},
    {"from": "2024-01-01", "to": "2024-12-01"},
)
WITHIN = ("1s", "10m", "1h", "1h", "1d", "3d", "1mo")
GAPS = (0, 0, 1, 500, 1_000, 60_000, 300_000, HOUR)
LATE = (1, 700, 1_000, 90_000, HOUR, 3 * HOUR, DAY)
MEASURES = ("days", "distinct", "min", "max", "sum", "avg", "count")


@st.composite
def asked(draw: Draw) -> Json:
    window = draw(st.none() | st.sampled_from(WINDOWS) | st.sampled_from(WINDOWS))
    framed: Json = {} if window is None else {"window": window}
    if draw(st.integers(0, 4)) == 0:
        of = draw(st.sampled_from(MEASURES))
        measure = {"of": of} if of in ("days", "count") else {"of": of, "property": "x"}
        bound = draw(st.integers(0, 6))
        op = draw(st.sampled_from(("gte", "eq", "lt")))
        name = draw(st.sampled_from(NAMES))
        return {"type": "event", "name": name, "measure": measure, "op": op, "value": bound, **framed}
    steps: list[Json] = [
        {"name": name} for name in draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=4))
    ]
    if draw(st.integers(0, 2)):
        steps[-1] = {**steps[-1], "absent": True}
    return {"type": "sequence", "steps": steps, "within": draw(st.sampled_from(WITHIN)), **framed}


@st.composite
def crowded(draw: Draw) -> History:
    commands: list[Command] = [Put(f"s{index}", draw(asked())) for index in range(draw(st.integers(2, 5)))]
    gaps = draw(st.lists(st.sampled_from(GAPS), min_size=1, max_size=3))
    late = draw(st.sampled_from((0, 1, 4)))
    for index in range(draw(st.integers(20, 60))):
        match draw(st.integers(0, 15)):
            case 0:
                commands.append(Tick(When(draw(st.sampled_from((1_000, HOUR, DAY, 7 * DAY, 30 * DAY))))))
            case 1:
                commands.append(Tick(When(draw(st.sampled_from((-1, 0, 1))), wake=True)))
            case 2:
                commands += [Forget(), Look()]
            case _:
                when = When(draw(st.sampled_from(gaps)))
                if draw(st.integers(0, 9)) < late:
                    when = When(-draw(st.sampled_from(LATE)))
                properties = {"x": draw(st.sampled_from((1, 2, 3, 4.5, -1, 0.1)))}
                id_ = f"{draw(st.sampled_from('abc'))}{index}"
                commands.append(Happen(id_, draw(st.sampled_from(NAMES)), when, properties))
    zone, start = draw(st.sampled_from(ZONES)), draw(st.sampled_from(STARTS))
    return History(zone, start, 7 * DAY, 1_000, commands)
