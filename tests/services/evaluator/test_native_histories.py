"""A partition that gives histories natively comes to the same as one that interprets them."""

from __future__ import annotations

from random import Random
from typing import Any, TypeAlias

import msgspec
import pytest

from livesegments.core.backfill import Backfill, Past
from livesegments.core.bulk import Bulk, order
from livesegments.core.definition import Node
from livesegments.core.event import RETRACT, Event
from livesegments.core.kind import held
from livesegments.core.needed import all_edges, needed
from livesegments.core.plan import Plan, Segment, compile
from livesegments.core.profile import Profile, Register, decode, encode
from livesegments.core.wanted import wanted
from livesegments.evaluator.commits.making import Making
from livesegments.evaluator.commits.outcome import Outcome
from livesegments.evaluator.commits.partition import Partition
from livesegments.evaluator.history.candidates import Candidates
from livesegments.evaluator.history.images import Images
from livesegments.evaluator.kernel import native
from livesegments.history.columns import Columns, written
from livesegments.history.filled import fill
from livesegments.runtime import metrics
from livesegments.store import keys
from livesegments.store.shard import Head
from livesegments.wire.profilekey import profile_key
from tests.core.test_bulk import DAY_MS, NOW_MS, _event, _leaves
from tests.properties.kernel_race import plain

pytestmark = pytest.mark.skipif(
    not native.BUILT, reason="no kernel: make setup builds it where cargo is on PATH"
)
PROFILES, UPTO, ERASED = 30, 9, "p07"
PARIS = {"type": "attribute", "name": "city", "op": "eq", "value": "Paris"}

Pasts: TypeAlias = list[tuple[str, list[Past]]]


@pytest.mark.parametrize("seed", range(12))
def test_the_same_states_candidates_and_members(seed: int) -> None:
    """Some profiles are at an older plan, and flip by what was served since; some took something back; of one
    there are events, but no state."""
    random = Random(seed)
    nodes = [msgspec.convert(_leaves(random), Node) for _ in range(3)]
    staged = [Segment(f"s{at}", 1, 6, node) for at, node in enumerate(nodes)]
    first = Segment("paris", 1, 5, msgspec.convert(PARIS, Node))
    plan = compile("w", "Europe/Berlin", [first], 6, staged=staged).at(6, {"paris": 5}, [])
    after = compile("w", "Europe/Berlin", [first, *staged], 7, previous=plan)
    after = after.at(7, {"paris": 5, **{each.id: 7 for each in staged}}, [each.id for each in staged])
    states = {f"p{number:02}": stored(random, plan, number + 1) for number in range(PROFILES) if number != 7}
    pasts = [(id_, past) for id_ in sorted([*states, ERASED]) if (past := past_of(random, id_))]
    cached = random.sample(sorted(states), 10)
    one, other = (lived(each, plan, after, states, pasts, cached) for each in (False, True))
    for interpreted, natively in zip(one, other, strict=True):
        assert interpreted == natively


def test_profiles_without_numbers_get_their_histories_natively(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a checkpoint has them that was made of files. Each gets a number of its own when it is stored."""
    made, backfill, given = _partition_to_fill()
    order_ = Event("e", "w", "p", "order_placed", NOW_MS - 5, {})
    ids = [f"p{number}" for number in range(5)]
    chunk = Columns(written(1.0, [(id_, [(1, msgspec.structs.replace(order_, id=id_))]) for id_ in ids]))
    touched = list[str]()
    monkeypatch.setattr(Making, "touch", lambda _self, key, _stored=None: touched.append(key))
    states = {profile_key("w", id_): encode(Profile(plan=6)) for id_ in ids}
    assert made.fill("w", backfill, chunk, states, (), given) == len(ids)
    outcome, now = made.seal(), dict[str, bytes]()
    told(outcome, now)
    assert not touched
    assert sorted(decode(state).number for state in now.values()) == [1, 2, 3, 4, 5]
    named = [each for each in outcome.commit.writes if each.key == keys.ids(0, "w")]
    assert len(named) == 1


def test_what_the_kernel_leaves_is_counted_by_the_reason() -> None:
    """Of three profiles one took an event back, and one was erased."""
    made, backfill, given = _partition_to_fill()
    made.erased[profile_key("w", "p2")] = 15
    order_ = Event("e", "w", "p", "order_placed", NOW_MS - 5, {})
    pasts = [(f"p{number}", [(1, msgspec.structs.replace(order_, id=str(number)))]) for number in range(3)]
    pasts[1][1].append((2, Event("r", "w", "p", RETRACT, NOW_MS - 1, {"event_id": "1"})))
    states = {profile_key("w", id_): encode(Profile(plan=6)) for id_, _ in pasts}
    before = _counted()
    made.fill("w", backfill, Columns(written(1.0, pasts)), states, (), given)
    natively, left = _counted()
    assert natively - before[0] == 1
    reasons = {why: count - before[1].get(why, 0) for why, count in left.items()}
    assert {why: count for why, count in reasons.items() if count} == {
        "the history of a profile that took something back, or was merged": 1,
        "what was erased": 1,
    }


def _partition_to_fill() -> tuple[Partition, Backfill, Any]:
    """A partition whose one segment waits for its history, and what the kernel is to give."""
    node = msgspec.convert({"type": "event", "name": "order_placed", "value": 1}, Node)
    plan = compile("w", "Europe/Berlin", [], 6, staged=[Segment("s", 1, 6, node)]).at(6, {}, [])
    upto, kernels = dict.fromkeys(plan.fact_ids, UPTO), native.Kernels()
    made = Partition(0, Head(20, 0, NOW_MS, 0), 1_000_000, 20_000, kernels)
    made.dues.load([], complete=True)
    made.plans["w"], made.since["w"], made.walked["w"] = plan, dict.fromkeys(upto, 6), 4
    backfill = Backfill(plan, upto)
    return made, backfill, native.wish(backfill, wanted(plan, upto, NOW_MS), None, kernels)


def _counted() -> tuple[float, dict[str, float]]:
    """Profiles whose history was given natively, and those that were left, by the reason."""
    (left,) = metrics.FILLED_LEFT.collect()
    samples = [each for each in left.samples if each.name.endswith("_total")]
    return metrics.FILLED._value.get(), {each.labels["lacks"]: each.value for each in samples}


def stored(random: Random, plan: Plan, number: int) -> bytes:
    profile = Profile(plan=random.choice((3, plan.revision)), number=number)
    if random.random() < 0.3:
        profile.attributes["city"] = Register(random.choice(("Paris", "Rome")), NOW_MS - 5, "e")
    return encode(profile)


def past_of(random: Random, profile: str) -> list[Past]:
    events = [_event(number, random) for number in range(random.randrange(25))]
    if random.random() < 0.1:
        events.append(Event("r", "w", "p", RETRACT, NOW_MS - 1, {"event_id": f"{profile}-e3"}))
    named = [msgspec.structs.replace(each, id=f"{profile}-{each.id}", profile=profile) for each in events]
    named.sort(key=lambda each: (each.time_ms, each.id))
    return [(random.randrange(1, 12), event) for event in named]


def lived(
    natively: bool, plan: Plan, after: Plan, states: dict[str, bytes], pasts: Pasts, cached: list[str]
) -> list[Any]:
    """What there is once all are at the plan that serves the new segments. A checkpoint under way knows what
    everybody was before, and whoever is in one of them was noted."""
    kernels = native.Kernels() if natively else None
    made = Partition(0, Head(20, 0, NOW_MS, 0), 1_000_000, 20_000, kernels)
    made.dues.load([], complete=True)
    made.images = Images(1_000)
    upto = dict.fromkeys(plan.fact_ids, UPTO)
    made.plans["w"], made.since["w"], made.walked["w"] = plan, dict.fromkeys(upto, 6), 4
    wish, backfill = order(plan, upto, NOW_MS), Backfill(plan, upto)
    assert wish is not None
    noted = made.noted["w"] = Candidates()
    noted.filling(needed(plan, upto, NOW_MS), {fact: all_edges(plan, fact) for fact in upto})
    for id_ in cached:
        made.give(profile_key("w", id_), states[id_])
    now, given = dict(states), None
    chunk: Any = [
        fill(id_, past, Bulk(wish), any(event.name == RETRACT for _, event in past)) for id_, past in pasts
    ]
    if kernels is not None:
        chunk = Columns(written(1.0, pasts))
        given = native.wish(backfill, wanted(plan, upto, NOW_MS), wish, kernels)
    before = list[Any]()
    for part in (chunk[:11], chunk[11:]):
        missing = made.cache.missing(profile_key("w", each.profile) for each in part)
        made.fill("w", backfill, part, {key: states.get(key[2:]) for key in missing}, before, given)
        before.append(part)
    filled = made.seal()
    told(filled, now)
    kept = {id_: data for _, id_, data in made.images.rows()}
    assert kept.keys() >= {id_ for id_ in states if now[id_] != states[id_]}
    assert all(kept[id_] in (states.get(id_), None) for id_ in kept)
    made.plans["w"] = after
    made.walk("w", {id_: state for id_, state in now.items() if id_ != ERASED})
    outcome = made.seal()
    entered = {each.profile for each in outcome.transitions if each.segment != "paris"}
    assert entered <= noted.ids.keys()
    told(outcome, now)
    both = [*filled.transitions, *outcome.transitions]
    transitions = sorted((each.profile, each.segment, each.kind, each.cause) for each in both)
    dues = {**made.dues.current, **made.dues.later}
    return [{id_: seen(after, state) for id_, state in now.items()}, transitions, dues]


def told(outcome: Outcome, now: dict[str, bytes]) -> None:
    for write in outcome.commit.writes:
        if write.key == keys.profiles(0, "w"):
            flat: list[Any] = [*write.arguments]
            now |= dict(zip(map(text, flat[::2]), flat[1::2], strict=True))


def seen(plan: Plan, state: bytes) -> dict[str, Any]:
    """Of facts the values: states that are made at once may be put another way."""
    profile, found = decode(state), dict[int, list[Any]]()
    for fact in profile.facts:
        kind = plan.tracks[fact].kind
        ahead = [NOW_MS + days * DAY_MS for days in (0, 5, 40)]
        found[fact] = [kind.value(held(profile.facts, fact, kind), at_ms) for at_ms in ahead]
    found_dues = sorted(profile.dues.items())
    return plain(state) | {"facts": found, "dues": found_dues, "plan": 0, "increments": []}


def text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
