"""A partition whose records go to the native kernel makes the same commits as one that interprets them."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bench import workload
from bench.core import plan_of
from livesegments.core.definition import Event as Event_
from livesegments.core.definition import Measure
from livesegments.core.event import MERGE, PROFILE, RETRACT, Event
from livesegments.core.plan import Plan, Segment, compile
from livesegments.core.profile import Profile
from livesegments.core.step import Step, on_event
from livesegments.evaluator.commits import making, records
from livesegments.evaluator.commits.outcome import Outcome
from livesegments.evaluator.commits.partition import Partition
from livesegments.evaluator.history import retracting
from livesegments.evaluator.kernel import native
from livesegments.evaluator.kernel.native import Kernels
from livesegments.runtime import metrics
from livesegments.store import handing, keys
from livesegments.store.shard import Head
from livesegments.store.tail import Applied, Entry, applied
from livesegments.wire import pack
from livesegments.wire.profilekey import profile_key
from tests.properties.kernel_race import plain

pytestmark = pytest.mark.skipif(
    not native.BUILT, reason="no kernel: make setup builds it where cargo is on PATH"
)
RECORDS, EVENTS, PROFILES = 40, 25, 12
CHANGES: tuple[dict[str, Any], ...] = (
    {"tags_add": ["t"]},
    {"tags_remove": ["t", "u"], "consent": [{"channel": "email", "state": "opted_in"}]},
    {"attributes": {"city": None}, "groups": ["g", "h"]},
    {"score": {"increment": 0.1, "reason": "a visit"}, "lists_add": ["vip"]},
)
SMALL = Measure("sum", "total")
TWO = Event_("order_placed", op="gte", value=2)


def partition(natively: bool) -> Partition:
    made = Partition(0, Head(0, 0, None, 0), 1_000_000, 20_000, Kernels() if natively else None)
    made.dues.load([], complete=True)
    made.plans[workload.WORKSPACE] = plan_of(40)
    for number in range(PROFILES):
        made.give(profile_key(workload.WORKSPACE, f"p{number}"), None)
    return made


def events() -> list[Event]:
    """With repeats, late events, retractions, and changes of all kinds."""
    random, found = Random(3), list[Event]()
    for number, event in enumerate(workload.events(RECORDS * EVENTS)):
        chance, name, properties = random.random(), event.name, event.properties
        if chance < 0.01:
            name, properties = RETRACT, {"event_id": f"event-{random.randrange(number + 1)}"}
        elif chance < 0.03:
            name, properties = PROFILE, random.choice(CHANGES)
        id_ = f"event-{random.randrange(number + 1)}" if chance > 0.97 else event.id
        time_ms = event.time_ms - (random.randrange(3 * 86_400_000) if chance > 0.9 else 0)
        profile = f"p{random.randrange(PROFILES)}"
        found.append(Event(id_, event.workspace, profile, name, time_ms, properties))
    return found


def written(made: Partition, outcome: Outcome) -> dict[str, Any]:
    """What a commit has, with what has no order in an order. Who comes first has the lower number, and that is
    another one where the kernel leaves profiles to the interpreted core."""
    states = {
        (write.key, profile.decode() if isinstance(profile, bytes) else profile): plain(state) | {"number": 0}
        for write in outcome.commit.writes
        if write.key.startswith(keys.profiles(0, ""))
        for profile, state in zip(write.arguments[::2], write.arguments[1::2], strict=True)
        if isinstance(state, bytes)
    }
    tail = next(
        (dict(_pairs(write.arguments[1:])) for write in outcome.commit.writes if write.key == keys.tail(0)),
        {},
    )
    handed = [item for write in written_to(outcome, keys.handing(0)) for item in handing.decode(write[-1])]
    decoded = {name: msgspec.msgpack.decode(tail.get(name, b"\x90")) for name in "xd"}
    return {
        "states": states,
        "transitions": sorted(msgspec.json.encode(each) for each in outcome.transitions),
        "tail": (tail.get("r"), tail.get("c"), sorted(decoded["x"]), sorted(decoded["d"], key=str)),
        "aside": [(each.what, each.workspace, each.profile, each.at_ms) for each in outcome.aside],
        "counts": (outcome.events, outcome.duplicates, len(outcome.refused), outcome.suppressed),
        "unknown": outcome.unknown_workspace,
        "refused": sorted((event.id, event.profile, refusal) for _, event, refusal in outcome.refused),
        "waiting": (sorted(made.retracting.waiting), sorted(written_to(outcome, keys.recounts(0)))),
        "handed": sorted(map(repr, handed)),
        "followed": {key: past for key, past in made.retracting._followed.items() if past},
        "members": written_members(outcome),
        "dues": {**made.dues.current, **made.dues.later},
        "clock": made.clock_ms,
    }


def store_dues(stored: dict[str, int], outcome: Outcome) -> None:
    for write in outcome.commit.writes:
        if write.key == keys.due(0) and write.command == "ZADD":
            stored |= {_text(key): int(due) for due, key in _pairs([*write.arguments])}
        elif write.key == keys.due(0):
            for key in map(_text, write.arguments):
                stored.pop(key, None)


def written_members(outcome: Outcome) -> dict[tuple[str, str], bool]:
    """(key, profile) → whether it is a member then."""
    found = dict[tuple[str, str], bool]()
    for write in outcome.commit.writes:
        if write.key.startswith("{0}:members:"):
            added = write.command == "ZADD"
            ids = [*write.arguments][1::2] if added else write.arguments
            found |= {(write.key, _text(each)): added for each in ids}
    return found


def written_to(outcome: Outcome, key: str) -> list[Any]:
    """The arguments of the commands on a key."""
    return [[*write.arguments] for write in outcome.commit.writes if write.key == key]


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _pairs(flat: Any) -> Any:
    return zip(flat[::2], flat[1::2], strict=True)


def test_the_same_commits() -> None:
    assert race(partition(False), partition(True), events()) == RECORDS * EVENTS


def test_the_same_commits_of_several_workspaces_where_somebody_is_kept_out() -> None:
    """One workspace has a plan that the kernel lacks something of, one is not known, and p3 and p4 were erased."""
    one, other = several(False), several(True)
    assert race(one, other, among_several(Random(9))) > RECORDS * EVENTS / 5


def test_the_same_commits_where_a_fault_of_ours_undoes_what_the_kernel_did(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The interpreted core, which serves one workspace in both partitions, raises at some events."""

    def step(plan: Plan, profile: Profile | None, event: Event, now_ms: int) -> Step:
        if "bomb" in event.properties:
            raise RuntimeError("a bomb")
        return on_event(plan, profile, event, now_ms)

    for module in (making, records):
        monkeypatch.setattr(module, "on_event", step)
    all_, random = among_several(Random(11)), Random(12)
    for place, event in enumerate(all_):
        if event.workspace == "lacks" and random.random() < 0.1:
            all_[place] = replace(event, name="order_placed", properties={"bomb": 1})
    race(several(False), several(True), all_)


@pytest.mark.parametrize("natively", [False, True])
def test_what_happens_to_one_that_is_followed_is_kept_and_no_other_record_is_decoded(
    natively: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An audit follows a profile while its history is read."""
    decoded = list[int]()

    def noted(number: int, entry: Entry) -> Iterator[Applied]:
        decoded.append(number)
        return applied(number, entry)

    monkeypatch.setattr(retracting, "applied", noted)
    made, key, of_it = partition(natively), profile_key(workload.WORKSPACE, "p1"), list[tuple[int, str]]()
    made.retracting.follow([key])
    wanted = list[int]()
    random, all_ = Random(7), list(workload.events(200))
    all_ = [replace(event, profile=f"p{random.randrange(PROFILES)}") for event in all_]
    for number, start in enumerate(range(0, 200, 5), 1):
        part = all_[start : start + 5]
        made.apply(part, None, number, pack.encode(pack.Packed(part)), along=False)
        mine = [event.id for event in part if event.profile == "p1"]
        of_it += [(number, id_) for id_ in mine]
        wanted += [number] if mine else []
    assert decoded == wanted and 0 < len(wanted) < 40
    happened = [(commit, event.id) for commit, event in made.retracting._followed[key]]
    assert [each for each in happened if "~" not in each[1]] == of_it


def several(natively: bool) -> Partition:
    made, gone = partition(natively), {profile_key(workload.WORKSPACE, "p3"), profile_key("other", "p4")}
    small = Segment("s", 1, 1, Event_("order_placed", measure=SMALL, op="gt", value=1e-30))
    made.plans["lacks"] = compile("lacks", "UTC", [small], 1)
    made.plans["other"] = compile("other", "UTC", [Segment("s", 1, 1, TWO)], 1)
    made.suppressed = gone.__contains__
    for number in range(PROFILES):
        for workspace in ("lacks", "other", "unknown"):
            made.give(profile_key(workspace, f"p{number}"), None)
    return made


def among_several(random: Random) -> list[Event]:
    """With merges of a few profiles."""
    found = list[Event]()
    for event in events():
        workspace = random.choice((event.workspace, event.workspace, "other", "lacks", "unknown"))
        moved = replace(event, workspace=workspace)
        if random.random() < 0.01:
            moved = replace(moved, name=MERGE, properties={"into": f"p{random.randrange(PROFILES)}"})
        found.append(moved)
    return found


def race(interpreted: Partition, natively: Partition, all_: list[Event]) -> Any:
    """Both are given the same records, and must make the same commits. How many events the kernel did."""
    before, seen = metrics.NATIVE._value.get(), 0
    random, stored = Random(5), (dict[str, int](), dict[str, int]())
    for each in (interpreted, natively):
        workspaces = {event.workspace for event in all_}
        each.retracting.follow(profile_key(w, f"p{n}") for w in workspaces for n in range(PROFILES))
    for number in range(RECORDS):
        part = all_[number * EVENTS : (number + 1) * EVENTS]
        record, along = pack.encode(pack.Packed(part)), random.random() < 0.7
        outcomes = [each.apply(part, None, number + 1, record, along) for each in (interpreted, natively)]
        for dues, outcome in zip(stored, outcomes, strict=True):
            store_dues(dues, outcome)
        one, other = written(interpreted, outcomes[0]), written(natively, outcomes[1])
        assert one == other
        for dues in stored:
            assert dues.keys() == one["dues"].keys()
            assert all(due <= one["dues"][key] for key, due in dues.items()), "never later"
        seen += len(one["transitions"])
    assert seen > 100
    return metrics.NATIVE._value.get() - before
