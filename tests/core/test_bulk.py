"""What is made of a history at once is what the facts make of it event by event."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from livesegments.core import exact
from livesegments.core.backfill import Backfill
from livesegments.core.bulk import Bulk, order
from livesegments.core.definition import Node
from livesegments.core.event import Event
from livesegments.core.exact import in_cents
from livesegments.core.kind import held
from livesegments.core.needed import needed
from livesegments.core.plan import Segment, compile
from livesegments.core.profile import Profile, decode, encode, encoded
from livesegments.core.rows import Rows
from livesegments.core.splice import Splice
from livesegments.core.step import on_event, on_plan
from livesegments.history.chunk_files import fills, put_chunk
from livesegments.history.filled import fill

DAY_MS = 86_400_000
decode_facts = msgspec.msgpack.Decoder(dict[int, list[int]]).decode
NOW_MS = 1_700_000_000_000
WINDOWS: list[dict[str, str] | None] = [
    None, {"last": "30d"}, {"last": "2mo"}, {"last": "20d", "skip": "5d"}, {"from": "2023-10-20"},
]  # fmt: skip
MEASURES: list[dict[str, str] | None] = [
    None, *({"of": of, "property": "x"} for of in ("sum", "avg", "min", "max", "distinct")), {"of": "days"},
]  # fmt: skip


def _leaves(random: Random) -> dict[str, Any]:
    window = random.choice(WINDOWS)
    more: dict[str, Any] = {} if window is None else {"window": window}
    if random.random() < 0.3:
        more["where"] = [{"property": "k", "op": "eq", "value": 1}]
    match random.randrange(4):
        case 0 | 1:
            measure = random.choice(MEASURES)
            named = {} if measure is None else {"measure": measure}
            return {"type": "event", "name": "a", "value": random.choice((1, 3, 40)), **named, **more}
        case 2:
            which = random.choice(("first", "last"))
            return {"type": "occurrence", "name": "b", "which": which, **more}
    steps: list[dict[str, Any]] = [{"name": name} for name in random.sample("abc", random.choice((2, 3)))]
    if random.random() < 0.6:
        steps[-1]["absent"] = True
    more.pop("where", None)
    if random.random() < 0.3:
        more["same"] = random.choice(("k", "x"))
    return {"type": "sequence", "within": random.choice(("1h", "3d", "1mo")), "steps": steps, **more}


def _event(number: int, random: Random) -> Event:
    # few instants, so that some events share one
    at = NOW_MS - random.randrange(80 * 8) * (DAY_MS // 8)
    x: Any = random.choice((1, 2.5, 0.1, -3, "text", [1, 2], None))
    return Event(f"e{number}", "w", "p", random.choice("abc"), at, {"x": x, "k": random.randrange(2)})


@pytest.mark.parametrize("seed", range(60))
def test_made_at_once_is_as_fed_one_by_one(seed: int) -> None:
    random = Random(seed)
    nodes = [msgspec.convert(_leaves(random), Node) for _ in range(4)]
    segments = [Segment(f"s{at}", 1, 5, node) for at, node in enumerate(nodes)]
    plan = compile("w", "Europe/Berlin", [], 6, staged=segments)
    upto = dict.fromkeys(plan.fact_ids, 9)
    events = sorted(
        (_event(number, random) for number in range(60)), key=lambda each: (each.time_ms, each.id)
    )
    past = [(random.randrange(1, 12), event) for event in events]
    one_by_one = Profile(plan=6)
    Backfill(plan, upto).give(one_by_one, past, NOW_MS)
    wanted = order(plan, upto, NOW_MS)
    assert wanted is not None
    filled = fill(
        "p", past, Bulk(msgspec.msgpack.decode(msgspec.msgpack.encode(wanted), type=type(wanted))), False
    )
    assert filled.facts is not None
    spliced = Splice(plan, dict.fromkeys(upto, 6), -1).put(
        encode(Profile(plan=3)), filled.facts, filled.dues, NOW_MS
    )
    assert spliced is not None
    at_once = decode(spliced.state)
    assert at_once.plan == 6
    served = compile("w", "Europe/Berlin", segments, 6).at(7, {each.id: 7 for each in segments}, [])
    judged = on_plan(served, "p", one_by_one, NOW_MS, dict.fromkeys(upto, 6))
    assert at_once.dues == one_by_one.dues  # as the segments that wait will ask for them
    assert spliced.wake_ms == one_by_one.wake_at
    foreseen = needed(plan, upto, NOW_MS)
    entered = {each.segment for each in judged.transitions} & foreseen.keys()
    assert filled.holds == bool(entered)
    fed = decode(encode(one_by_one))
    assert at_once.facts.keys() == fed.facts.keys()
    for fact, track in plan.tracks.items():
        if fact in fed.facts:
            pair = [track.kind.decode(each.facts[fact]) for each in (at_once, fed)]
            for later in (0, 5 * DAY_MS, 40 * DAY_MS):
                values = [track.kind.value(state, NOW_MS + later) for state in pair]
                assert values[0] == values[1], (fact, track.fact)


@pytest.mark.parametrize("seed", range(40))
def test_a_sequence_of_which_a_part_came_live_is_whole(seed: int) -> None:
    random = Random(seed)
    steps: list[dict[str, Any]] = [{"name": "a"}, {"name": "b", "absent": random.random() < 0.5}]
    node = msgspec.convert({"type": "sequence", "within": "3d", "steps": steps}, Node)
    plan = compile("w", "UTC", [], 6, staged=[Segment("s", 1, 5, node)])
    upto = dict.fromkeys(plan.fact_ids, 9)
    events = sorted((_event(at, random) for at in range(3)), key=lambda each: (each.time_ms, each.id))
    past = [(random.choice((3, 12)), event) for event in events]
    live = Profile(plan=6)
    for commit, event in past:
        if commit > 9:
            live = on_event(plan, live, event, NOW_MS).profile
    wanted = order(plan, upto, NOW_MS)
    assert wanted is not None
    filled = fill("p", past, Bulk(wanted), False)
    assert filled.facts is not None
    spliced = Splice(plan, dict.fromkeys(upto, 6), -1).put(encode(live), filled.facts, filled.dues, NOW_MS)
    if spliced is None:
        return  # it is decoded, and given its history event by event
    at_once, one_by_one = decode(spliced.state), decode(encode(live))
    Backfill(plan, upto).give(one_by_one, past, NOW_MS)
    for fact, track in plan.tracks.items():
        values = [
            track.kind.value(held(each.facts, fact, track.kind), NOW_MS) for each in (at_once, one_by_one)
        ]
        assert values[0] == values[1], (fact, track.fact)


def test_a_chunk_is_read_back(tmp_path: Path) -> None:
    node = msgspec.convert({"type": "event", "name": "a", "window": {"last": "30d"}}, Node)
    plan = compile("w", "UTC", [], 6, staged=[Segment("s", 1, 5, node)])
    wanted = order(plan, dict.fromkeys(plan.fact_ids, 9), NOW_MS)
    assert wanted is not None
    past = [(1, Event("e", "w", "p", "a", NOW_MS, {"x": 1}))]
    with (tmp_path / "chunks").open("wb") as file:
        put_chunk(file, 1.0, [fill("p", past, Bulk(wanted), False), fill("q", past, None, False)])
    ((share, (made, not_made)),) = fills(tmp_path / "chunks")
    assert share == 1.0
    assert made.facts is not None
    assert decode_facts(made.facts) == {fact: [NOW_MS + 30 * DAY_MS] for fact in plan.fact_ids}
    assert not_made.facts is None
    assert made.events("w") == past
    assert [(1, replace(event, profile="q")) for _, event in past] == not_made.events("w")


def test_a_profile_that_has_more_to_do_is_decoded() -> None:
    node = msgspec.convert({"type": "event", "name": "a", "window": {"last": "30d"}}, Node)
    plan = compile("w", "UTC", [], 6, staged=[Segment("s", 1, 5, node)])
    (fact,) = plan.fact_ids
    splice, nothing = Splice(plan, {fact: 6}, -1), msgspec.Raw(msgspec.msgpack.encode({fact: [NOW_MS + 1]}))
    due = {fact: NOW_MS + 1}
    fresh = Profile(plan=3)
    assert splice.put(encode(fresh), nothing, due, NOW_MS) is not None
    assert splice.put(encode(fresh), nothing, due, NOW_MS + 1) is None
    touched = Profile(plan=6, facts={fact: [NOW_MS + 5]})
    assert splice.put(encode(touched), nothing, due, NOW_MS) is None
    stale = Profile(plan=3, facts={77: [NOW_MS + 5]})
    assert splice.put(encode(stale), nothing, due, NOW_MS) is None


def _rows(bulk: Bulk, fact: int, pasts: list[list[tuple[int, Event]]]) -> Rows:
    """What feeds a fact, of the profiles that have anything of it."""
    found = [
        (owner, mine)
        for owner, past in enumerate(pasts)
        if (mine := bulk.fed([event for commit, event in past if commit <= bulk.upto]).get(fact))
    ]
    events = [event for _, mine in found for event in mine]
    return Rows(
        "w",
        [owner for owner, _ in found],
        [0, *accumulate(len(mine) for _, mine in found)],
        [each.time_ms for each in events],
        [each.id for each in events],
        [each.name for each in events],
        [each.properties for each in events],
    )


@pytest.mark.parametrize("seed", range(30))
def test_made_of_many_profiles_in_columns_is_as_made_of_one(seed: int) -> None:
    random = Random(seed)
    nodes = [msgspec.convert(_leaves(random), Node) for _ in range(4)]
    plan = compile(
        "w", "Europe/Berlin", [], 6, staged=[Segment(f"s{at}", 1, 5, node) for at, node in enumerate(nodes)]
    )
    wanted = order(plan, dict.fromkeys(plan.fact_ids, 9), NOW_MS)
    assert wanted is not None
    bulk, pasts = Bulk(wanted), []
    for size in (40, 0, 3, 1, 12):
        events = sorted((_event(at, random) for at in range(size)), key=lambda each: (each.time_ms, each.id))
        pasts.append([(random.randrange(1, 12), event) for event in events])
    found = list(bulk.make_all({fact: _rows(bulk, fact, pasts) for fact in bulk.feeds}, len(pasts)))
    for past, made in zip(pasts, found, strict=True):
        one = bulk.make(bulk.fed([event for commit, event in past if commit <= 9]))
        assert (made.dues, made.holds, made.facts.keys()) == (one.dues, one.holds, one.facts.keys())
        for fact, state in made.facts.items():
            kind = plan.tracks[fact].kind
            pair = [kind.decode(encoded({0: each})[2:]) for each in (state, one.facts[fact])]
            for later in (0, 5 * DAY_MS, 40 * DAY_MS):
                values = [kind.value(each, NOW_MS + later) for each in pair]
                assert values[0] == values[1], (fact, plan.tracks[fact].fact)


@pytest.mark.parametrize(
    "numbers",
    [
        [1, 2],
        [0.1, 0.2],
        [12.5, -12.5],
        [0.005, 1.0],
        [1e300, 1],
        [10**15, 0.01],
        [2**60, 2**60],
        [],
        [9e12, 0.07],
    ],
)
def test_a_sum_in_hundredths_is_the_exact_one(numbers: list[int | float]) -> None:
    total = in_cents(numbers)
    one_by_one: exact.Exact = 0
    for number in numbers:
        one_by_one = exact.add(one_by_one, exact.exact(number))
    assert total is None or exact.exact(total) == one_by_one
    assert (total is None) == any(number in numbers for number in (0.005, 1e300, 10**15, 2**60))


ONCE = {"type": "event", "name": "a", "window": {"last": "30d"}}
NEVER = {"type": "event", "name": "b", "op": "eq", "value": 0}
PRO = {"type": "attribute", "name": "plan", "op": "eq", "value": "pro"}


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        (ONCE, ONCE),
        ({"type": "all", "of": [PRO, ONCE]}, {"type": "all", "of": [ONCE]}),
        ({"type": "any", "of": [PRO, ONCE]}, None),
        ({"type": "any", "of": [ONCE, {**ONCE, "value": 3}]}, {"type": "any", "of": [ONCE, {**ONCE, "value": 3}]}),
        ({"type": "not", "of": ONCE}, None),  # holds for whoever never did it
        ({"type": "all", "of": [ONCE, NEVER]}, {"type": "all", "of": [ONCE, NEVER]}),
        (PRO, None),
    ],
)  # fmt: skip
def test_what_the_facts_alone_say_of_a_segment(definition: Any, said: Any) -> None:
    plan = compile("w", "UTC", [], 6, staged=[Segment("s", 1, 5, msgspec.convert(definition, Node))])
    found = needed(plan, plan.fact_ids, NOW_MS)
    assert {id_: each.node for id_, each in found.items()} == (
        {} if said is None else {"s": msgspec.convert(said, Node)}
    )
