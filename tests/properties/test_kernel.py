"""The native kernel agrees with the interpreted core, and bytes that somebody else made do it no harm."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any

import msgspec
import pytest

from bench import workload
from bench.core import plan_of
from livesegments.core import definition
from livesegments.core.backfill import Backfill
from livesegments.core.event import Event
from livesegments.core.plan import Limits, Plan, Segment, compile
from livesegments.core.profile import Profile, encode
from livesegments.core.step import on_event
from livesegments.core.wanted import wanted
from livesegments.evaluator.commits.outcome import Tally
from livesegments.evaluator.commits.sets import Sets
from livesegments.evaluator.kernel import native
from livesegments.evaluator.kernel.description import Lacks, describe
from livesegments.evaluator.kernel.native import Kernels
from livesegments.evaluator.kernel.pieces import Pieces
from livesegments.evaluator.kernel.share import Share
from livesegments.history.columns import written
from livesegments.store.commit import Commit
from livesegments.wire import pack
from livesegments.wire.profilekey import ProfileKey, profile_key
from tests.properties.fuzz import run, run_mutants
from tests.properties.kernel_race import Count, KernelRace, plain
from tests.properties.mutants import NOWS, Mutants, answers, mutated

pytestmark = pytest.mark.skipif(
    not native.BUILT, reason="no kernel: make setup builds it where cargo is on PATH"
)
SEEDS = 18
COMPARED = 20_000
"""So often, at least, an answer of the kernel's is that of the interpreted core."""
HISTORY = "the history of a profile that took something back, or was merged"
"""The interpreted core's, and the race has many of these."""
MUTANT_SEEDS = 2


def test_kernel_and_interpreted_core_agree() -> None:
    count = Count()
    for number in range(SEEDS):
        print(f"make fuzz SEED={number}")
        run(number, lambda history: KernelRace(history, count))
    print(count)
    assert not count.lacking, count
    assert 50 * (count.given_back.total() - count.given_back[HISTORY]) < count.steps, count
    assert count.comparisons >= COMPARED, count
    assert count.transitions > 100


def test_a_bound_with_more_digits_than_the_kernel_holds_leaves_the_plan_to_the_interpreted_core() -> None:
    spent = definition.Measure("sum", "total")
    small = definition.Event(name="order", measure=spent, op="gt", value=1e-30)
    plan = compile("w", "UTC", [Segment("small", 1, 1, small)], 1)
    with pytest.raises(Lacks, match="digits"):
        native.Kernels().of(plan)


def test_a_bound_of_ids_that_no_memory_holds_is_none() -> None:
    """14 bytes for each of them would be 12 bytes more than 64 bits count."""
    plan = compile("w", "UTC", [], 1, Limits(dedup_max_ids=2**64 // 14 + 1))
    kernel, profile = Kernels().of(plan), Profile(plan=1)
    for event in (Event(f"e{n}", "w", "p", "order", 1_000 + n, {}) for n in range(3)):
        made = kernel.event(encode(profile), event, event.time_ms)
        profile = on_event(plan, profile, event, event.time_ms).profile
        assert not isinstance(made, str) and made.state is not None, made
        assert plain(made.state) == plain(encode(profile))


def test_a_plan_is_described_from_the_pieces_of_the_one_before() -> None:
    def bought(what: str) -> definition.Event:
        return definition.Event(name=what, window=definition.Window(last="1mo"), op="gte", value=2)

    segments, pieces = [Segment(f"s{n}", 1, 1, bought(f"buy {n}")) for n in range(20)], Pieces()
    plan = compile("w", "UTC", [*segments, Segment("all", 1, 1, definition.SegmentRef("s3"))], 1)
    describe(plan, pieces)
    before = pieces.segments
    edited = [*segments[:-1], Segment("s19", 2, 2, bought("sell")), *map(plan.segments.get, ["all"])]
    after = compile("w", "UTC", filter(None, edited), 2, previous=plan)
    assert describe(after, pieces).data == describe(after).data
    assert [id_ for id_, piece in pieces.segments.items() if before[id_] is not piece] == ["s19"]


def test_mutated_bytes_are_read_or_refused() -> None:
    """States, events and descriptions: an answer or one of two errors, and nothing else comes out of the kernel."""
    random, plan, read, kernels = Random(7), plan_of(40), 0, native.Kernels()
    kernel, profiles, description = kernels.of(plan), dict[str, Profile](), describe(plan)
    function = pytest.importorskip("livesegments.evaluator.kernel._native").Function
    backfill = Backfill(plan, dict.fromkeys(plan.fact_ids, 2))
    wish = native.wish(backfill, wanted(plan, backfill.upto, 0), None, kernels)
    revision, functions = kernel.revision, [*map(function, description.asked.values())]
    for event in workload.events(200):
        name = f"profile-{random.randrange(4)}"
        own = msgspec.structs.replace(event, profile=name)
        step = on_event(plan, profiles.get(name), own, own.time_ms)
        profiles[name] = step.profile
        state, record = encode(step.profile), msgspec.msgpack.encode(own)
        for _ in range(20):
            now_ms = random.choice((own.time_ms, *NOWS))
            read += answers(partial(kernel.plan.event, revision, mutated(state, random), record, now_ms))
            read += answers(partial(kernel.plan.event, revision, state, mutated(record, random), now_ms))
            read += answers(partial(kernel.plan.clock, revision, name, mutated(state, random), now_ms))
            packed = mutated(pack.encode(pack.Packed([own, event])), random)
            read += answers(
                partial(
                    stepped,
                    kernels,
                    plan,
                    packed,
                    profile_key(workload.WORKSPACE, name),
                    mutated(state, random),
                    now_ms,
                )
            )
            past = native.past(written(1.0, [(name, [(1, own), (2, event)])]))
            given = mutated(written(1.0, [(name, [(1, own), (2, event)])]), random)
            read += answers(partial(given_to, kernel, state, given, wish, now_ms))
            read += answers(partial(kernel.give, mutated(state, random), past, 0, wish, now_ms))
    for _ in range(2_000):
        read += answers(partial(type(kernel.plan), mutated(description.data, random), functions))
    assert read > 1_000, "hardly any mutant was read"


def test_mutated_bytes_of_the_whole_language_are_read_or_refused() -> None:
    for number in range(MUTANT_SEEDS):
        print(f"make fuzz SEED={number}")
        run_mutants(number)
    assert Mutants.read > 500 and Mutants.refused > 500


def given_to(kernel: native.Kernel, state: bytes, chunk: bytes, wish: Any, now_ms: int) -> None:
    kernel.give(state, native.past(chunk), 0, wish, now_ms)


def stepped(
    kernels: native.Kernels,
    plan: Plan,
    packed: bytes,
    key: ProfileKey,
    state: bytes,
    now_ms: int,
) -> None:
    """A record, and what is due then, by a partition's share of the kernel. The decoder takes in what it does."""
    share = Share(0, kernels, {plan.workspace: plan}, {}, {}, 1_000_000, 1_000)
    share.cache.put(key, state)
    share.dues.load([(now_ms, key)], complete=True)
    share.fire(now_ms, 1)
    events = share.read(packed)
    if events is None:
        raise ValueError
    assert isinstance(pack.decode(packed), pack.Packed)
    for each in share.cache.missing(profile_key(event.workspace, event.profile) for event in events):
        share.cache.put(each, b"")
    share.apply(events, now_ms, None, Tally(now_ms), 1)
    share.write(Commit(0, 1, 1, None, 0), Sets(0, share), [], now_ms)
