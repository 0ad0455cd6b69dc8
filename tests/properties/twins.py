"""Histories in which different events have the same time and the same id, as those of two profiles that were merged may:
ids are one profile's own, and a repeat is known for a week.

Here no id is remembered, so every event counts. What of two such events is told apart by nothing must not depend on
which of them came first: facts that are new are given their history after what came meanwhile.
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.properties.catalogue import Put
from tests.properties.crowded import WITHIN
from tests.properties.definitions import Draw, Json
from tests.properties.histories import (
    DAY,
    STARTS,
    ZONES,
    Command,
    Fill,
    Forget,
    Happen,
    History,
    Look,
    Recount,
    Tick,
    When,
)

NAMES = ("a", "b", "c")
IDS = ("i", "j")
VALUES = (1, 1.0, 2, 10, True, False, "1", "a", "b", 0.5, -3, 1e-7, 2.0**60, "ß")
WINDOWS: tuple[Json, ...] = (
    {},
    {},
    {"last": "1h"},
    {"last": "7d"},
    {"last": "7d", "skip": "1h"},
    {"last": "1mo"},
)


@st.composite
def asked(draw: Draw, index: int) -> Json:
    window = draw(st.sampled_from(WINDOWS))
    framed: Json = {"window": window} if window else {}
    name = {"name": draw(st.sampled_from(NAMES))}
    equal = {"op": "eq", "value": draw(st.sampled_from(VALUES))}
    match draw(st.integers(0, 5)):
        case 0:
            has = [{"property": "x", **equal}]
            return {
                "type": "occurrence",
                "which": draw(st.sampled_from(("first", "last"))),
                **name,
                **framed,
                "has": has,
            }
        case 1 | 2 | 3:
            measure = {"of": draw(st.sampled_from(("first", "last", "mode", "mode"))), "property": "x"}
            asks = {"type": "attribute", "name": f"computed:c{index}", **equal}
            return {"type": "computed", **name, **framed, "measure": measure, "asked": asks}
        case 4:
            steps: list[Json] = [
                {"name": each} for each in draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=3))
            ]
            if draw(st.booleans()):
                steps[-1] = {**steps[-1], "absent": True}
            shared = {"same": "x"} if draw(st.booleans()) else {}
            return {
                "type": "sequence",
                "steps": steps,
                "within": draw(st.sampled_from(WITHIN)),
                **framed,
                **shared,
            }
    bound = draw(st.integers(0, 3))
    return {"type": "event", **name, **framed, "op": "gte", "value": bound}


@st.composite
def happened(draw: Draw, ids: list[str]) -> Happen:
    """A twin, mostly."""
    x = draw(st.sampled_from(VALUES) | st.lists(st.sampled_from(VALUES), max_size=3))
    when = When(draw(st.sampled_from((0, 0, 1_000, DAY, -1_000))))
    id_ = draw(st.sampled_from(IDS))
    if ids and draw(st.integers(0, 3)) > 0:
        id_ = draw(st.sampled_from(ids))
        when = When(0, of=id_)
    return Happen(id_, draw(st.sampled_from(NAMES[:2] + NAMES)), when, {"x": x})


@st.composite
def twins(draw: Draw) -> History:
    commands: list[Command] = [
        Put(f"s{index}", draw(asked(index))) for index in range(draw(st.integers(1, 4)))
    ]
    more = len(commands)
    ids: list[str] = []
    for _ in range(draw(st.integers(10, 40))):
        match draw(st.integers(0, 15)):
            case 0:
                commands.append(Tick(When(draw(st.sampled_from((1_000, DAY, 7 * DAY))))))
            case 1:
                commands.append(Tick(When(draw(st.sampled_from((-1, 0, 1))), wake=True)))
            case 2:
                commands += [Forget(), Look()]
            case 3:
                commands += [Put(f"s{more}", draw(asked(more))), *([Fill()] if draw(st.booleans()) else [])]
                more += 1
            case 4:
                taken = {"event_id": draw(st.sampled_from(IDS))}
                commands += [Happen("r", "$retract", When(0), taken)] * (draw(st.integers(0, 5)) == 0) + [
                    Recount()
                ]
            case _:
                event = draw(happened(ids))
                commands.append(event)
                ids.append(event.id)
    commands += [Recount(), Fill(), Look()]
    zone, start = draw(st.sampled_from(ZONES)), draw(st.sampled_from(STARTS))
    return History(zone, start, 0, 1_000, commands)
