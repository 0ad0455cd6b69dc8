"""Events are taken back while owners die, files are merged and the store is lost: members are as if they never were."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from livesegments.core import recount
from livesegments.core.backfill import Past
from livesegments.core.event import PROFILE, RETRACT, Event, derived_from
from livesegments.core.recount import Recounts
from livesegments.evaluator.history import recounting
from livesegments.wire import pack
from tests.delivery import check_delivery
from tests.effort import effort
from tests.simulation.faults import FAULTS, FORGETTING, LOSSES, Cluster, stored_members
from tests.simulation.loop import run
from tests.simulation.reference import Reference
from tests.simulation.story import DEFINITIONS, PARTITIONS, history, plan_of, records
from tests.simulation.world import START_MS, World

PLAN = plan_of(
    DEFINITIONS
    | {
        "loyal": '{"type":"event","name":"a","value":5}',
        "chain": '{"type":"sequence","steps":[{"name":"a"},{"name":"b"},{"name":"a"}],"within":"2h"}',
        "recent": '{"type":"occurrence","which":"last","name":"b","window":{"last":"1h"}}',
        "back": '{"type":"event","name":"$segment_exited","where":[{"property":"segment","op":"eq","value":"loyal"}]}',
    }
)


def retracted(seed: int, events: Iterable[Event]) -> list[Event]:
    """Some events are taken back: before they come, at once, or long after; some twice, some by somebody else."""
    rng = random.Random(seed)
    found = list(events)
    for number, event in enumerate(list(found)):
        if event.name != PROFILE and rng.random() < 0.15:
            profile = event.profile if rng.random() < 0.9 else "p1"
            for copy in range(rng.choice((1, 1, 1, 2))):
                at = rng.randrange(len(found))
                time_ms = found[at].time_ms
                found.insert(
                    at, Event(f"r{number}.{copy}", "w", profile, RETRACT, time_ms, {"event_id": event.id})
                )
    return found


def members(log: Iterable[pack.Record]) -> dict[tuple[str, str], set[str]]:
    """Those of a partition where every retraction is carried out as it comes."""
    reference = Reference({"w": PLAN})
    recounts = Recounts(PLAN)
    pasts: dict[str, list[Past]] = {}
    told = 0
    for record in log:
        if isinstance(record, pack.Clock):
            reference.move(record.to_ms)
            continue
        assert isinstance(record, pack.Packed)
        for event in record.events:
            profile = reference.profiles.get(("w", event.profile))
            seen = None if profile is None else profile.seen
            reference.apply([event])
            profile = reference.profiles["w", event.profile]
            past = pasts.setdefault(event.profile, [])
            if profile.seen != seen:
                past.append((1, event))
            if profile.taken is not None and profile.taken.waiting:
                for each in reference.transitions[told:]:
                    pasts[each.profile].append((1, derived_from(each)))
                told = len(reference.transitions)
                step = recounts.take_back(event.profile, profile, past, {}, reference.clock_ms)
                reference.transitions += step.transitions
    return reference.members()


def without_exits(found: dict[tuple[str, str], set[str]]) -> dict[tuple[str, str], set[str]]:
    """An exit is one that was announced: when a retraction is carried out decides whether there was any."""
    return {key: who for key, who in found.items() if key[1] != "back"}


@pytest.mark.parametrize("faults", [FAULTS, FAULTS + LOSSES, FAULTS + LOSSES + 4 * FORGETTING])
@pytest.mark.parametrize("seed", range(effort(4, 12)))
def test_whatever_dies_what_was_taken_back_counts_no_more(
    seed: int, faults: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every other seed nearly all histories are long, so they are counted beforehand, in slices."""
    if seed % 2:
        monkeypatch.setattr(recounting, "EVENTS_AT_ONCE", 3)
        monkeypatch.setattr(recount, "AT_ONCE", 2)

    async def main() -> None:
        world = World(seed, PARTITIONS)
        world.checkpoint_every_s = 0.3
        world.publish_plans({"w": PLAN}, 1)
        logs = records(seed, retracted(seed, history(seed, 150)), START_MS + 10**9)
        for partition, log in enumerate(logs):
            for record in log:
                world.append(partition, pack.encode(record))
        cluster = Cluster(world)
        for _ in range(20):
            await cluster.strike(faults)
        await cluster.settle()
        await cluster.stop()
        for partition, log in enumerate(logs):
            assert without_exits(stored_members(world, partition)) == without_exits(members(log))
            if faults is FAULTS:
                check_delivery(world.announced[partition])
        told = [each for announced in world.announced for each in announced]
        assert seed or any(each.cause == "retraction" for each in told)

    run(main())
