"""A fault of ours, planted in a fact: the event that meets it is set aside, all else goes on, whatever
dies."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from livesegments.core import plan
from livesegments.core.count import CountSliding
from livesegments.core.event import Event
from livesegments.core.plan import Limits, Plan
from livesegments.core.staging import Staging
from livesegments.evaluator.plans.definitions import Definitions
from livesegments.store import degraded, keys
from livesegments.wire import catalog, pack
from livesegments.wire.rejected import INTERNAL_FAULT
from tests.delivery import check_delivery
from tests.simulation.faults import FAULTS, Cluster, stored_members
from tests.simulation.loop import run
from tests.simulation.reference import Reference
from tests.simulation.story import MINUTE, node, plan_of
from tests.simulation.world import START_MS, World

HOUR = 60 * MINUTE
DEFINITIONS = {"active": '{"type":"event","name":"a","window":{"last":"1h"},"value":2}'}


def history(bombs: bool) -> list[pack.Record]:
    """Records of five events. Where there are bombs, p3 has one in every record, before an event of p4."""
    found: list[pack.Record] = []
    for number in range(10):
        at = START_MS + number * 10 * MINUTE
        events = [Event(f"{p}.{number}", "w", p, "a", at, {}) for p in ("p1", "p2", "p3")]
        if bombs:
            events.append(Event(f"bomb.{number}", "w", "p3", "a", at, {"bomb": True}))
        events.append(Event(f"p4.{number}", "w", "p4", "a", at, {}))
        found.append(pack.Packed(tuple(events)))
    return [*found, pack.Clock(START_MS + 10 * HOUR)]


def expected(records: Sequence[pack.Record]) -> Reference:
    reference = Reference({"w": plan_of(DEFINITIONS)})
    for record in records:
        match record:
            case pack.Packed(events):
                reference.apply(events)
            case pack.Clock(to_ms):
                reference.move(to_ms)
    return reference


def stored(world: World) -> degraded.Degraded:
    return degraded.decode(world.store.hashes[keys.degraded(0)]["w"])


@pytest.mark.parametrize("seed", range(6))
def test_an_event_that_the_core_raises_on_is_set_aside_alone(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = CountSliding.added

    def planted(self: Any, state: Any, event: Event, *rest: Any) -> Any:
        found = added(self, state, event, *rest)  # the state is changed in place before it raises
        if event.properties.get("bomb"):
            raise OverflowError("planted")
        return found

    async def main() -> None:
        world = World(seed, 1)
        world.native = False  # faults are forced in the interpreted core
        world.publish_plans({"w": plan_of(DEFINITIONS)}, 1)
        for record in history(bombs=True):
            world.append(0, pack.encode(record))
        cluster = Cluster(world)
        for _ in range(4):
            await cluster.strike(FAULTS)
        await cluster.settle()
        await cluster.stop()
        reference = expected(history(bombs=False))
        check_delivery(world.announced[0])
        assert {each.id for each in world.announced[0]} == {each.id for each in reference.transitions}
        assert stored_members(world, 0) == reference.members()
        aside = {(each.source, each.index): each for each in world.rejected}
        assert sorted(aside) == [(f"events/0/{number}", 3) for number in range(10)]
        for number in range(10):
            rejected = aside[f"events/0/{number}", 3]
            assert [fault.code for fault in rejected.faults] == [INTERNAL_FAULT]
            content = pack.decode(rejected.raw)
            assert isinstance(content, pack.Packed)
            assert [event.id for event in content.events] == [f"bomb.{number}"]
        assert (stored(world).events, stored(world).dues) == (10, 0)

    monkeypatch.setattr(CountSliding, "added", planted)
    run(main())


@pytest.mark.parametrize("seed", range(6))
def test_a_due_time_that_the_core_raises_on_is_set_aside_alone(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every second profile's window can't close: it is tried once more, then no more."""
    broken = "b"
    both = plan_of(DEFINITIONS | {"broken": DEFINITIONS["active"].replace('"a"', f'"{broken}"')})
    value, tries = CountSliding.value, 0
    faulty = {id(track.kind) for track in both.tracks.values() if track.id in both.facts_of("broken")}

    def planted(self: Any, state: Any, now_ms: int) -> int:
        nonlocal tries
        if id(self) in faulty and now_ms >= START_MS + HOUR:
            tries += 1
            raise OverflowError("planted")
        return value(self, state, now_ms)

    async def main() -> None:
        world = World(seed, 1)
        world.native = False  # faults are forced in the interpreted core
        world.publish_plans({"w": both}, 1)
        names = {"p1": "a", "p2": broken, "p3": "a", "p4": broken}
        for number in range(2):
            events = [Event(f"{p}.{number}", "w", p, name, START_MS, {}) for p, name in names.items()]
            world.append(0, pack.encode(pack.Packed(events)))
        world.append(0, pack.encode(pack.Clock(START_MS + 10 * HOUR)))
        cluster = Cluster(world)
        await cluster.settle()
        await cluster.stop()
        assert stored_members(world, 0) == {("w", "broken"): {"p2", "p4"}}
        assert [fault.code for each in world.rejected for fault in each.faults] == [INTERNAL_FAULT] * 2
        assert (stored(world).events, stored(world).dues) == (0, 2)
        assert tries <= 12, "it is not tried for ever"

    monkeypatch.setattr(CountSliding, "value", planted)
    run(main())


def test_of_definitions_that_cannot_be_compiled_the_last_good_ones_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compile_ = plan.compile

    def planted(workspace: str, timezone: str, segments: Any, *rest: Any, **by_name: Any) -> Any:
        segments = list(segments)
        if any(segment.id == "bomb" for segment in segments):
            raise OverflowError("planted")
        return compile_(workspace, timezone, segments, *rest, **by_name)

    monkeypatch.setattr(plan, "compile", planted)
    known = Definitions(Limits())
    take(known, 0, catalog.Workspace("w", "w", "UTC", 0))
    take(known, 1, segment("good"))
    known.compile()
    good = known.plans["w"]
    take(known, 2, segment("bomb"))
    take(known, 3, catalog.Workspace("other", "other", "UTC", 0))
    known.compile()
    assert known.plans["w"] is good and "planted" in known.faults["w"]
    assert known.plans["other"].revision == 3 and "other" not in known.faults
    known.take(b"segment/w/bomb", None, 4)
    known.compile()
    assert known.plans["w"].revision == 4 and known.faults == {}


def test_a_workspace_whose_plan_fails_is_degraded_until_it_compiles() -> None:
    async def main() -> None:
        world = World(0, 1)
        world.native = False  # faults are forced in the interpreted core
        plans = {"w": plan_of(DEFINITIONS)}
        world.publish_plans(plans, 1)
        cluster = Cluster(world)
        await cluster.settle()
        world.faults = {"w": "OverflowError('planted')"}
        world.publish_plans(plans, 2)
        await cluster.settle()
        assert stored(world).plan == "OverflowError('planted')"
        world.faults = {}
        world.publish_plans(plans, 3)
        await cluster.settle()
        assert stored(world) == degraded.Degraded()
        await cluster.stop()

    run(main())


def test_definitions_that_failed_are_compiled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(*_: Any, **__: Any) -> Any:
        raise OverflowError("planted")

    known = Definitions(Limits())
    take(known, 0, catalog.Workspace("w", "w", "UTC", 0))
    take(known, 1, segment("good"))
    with monkeypatch.context() as broken:
        broken.setattr(plan, "compile", planted)
        known.compile()
    assert "w" in known.faults
    known.compile()
    assert "w" in known.faults, "nothing has changed"
    known.again()
    known.compile()
    assert known.faults == {} and known.plans["w"].segments.keys() == {"good"}


def test_what_was_served_is_served_after_a_restart_while_the_newest_cannot_be_compiled() -> None:
    async def main() -> None:
        world = World(0, 1)
        world.native = False  # faults are forced in the interpreted core
        world.publish_plans({"w": plan_of(DEFINITIONS)}, 1)
        cluster = Cluster(world)
        events = [Event(f"{p}.{number}", "w", p, "a", START_MS, {}) for p in ("p1", "p2") for number in "12"]
        world.append(0, pack.encode(pack.Packed(events[:2])))
        await cluster.settle()
        await cluster.stop()
        world.faults = {"w": "OverflowError('planted')"}
        world.publish_plans({"w": plan_of({})}, 2)  # all that a new process could compile
        cluster = Cluster(world)
        world.append(0, pack.encode(pack.Packed(events[2:])))
        await cluster.settle()
        assert stored_members(world, 0) == {("w", "active"): {"p1", "p2"}}
        assert stored(world).plan == "OverflowError('planted')"
        world.faults = {}
        world.publish_plans({"w": plan_of(DEFINITIONS | {"also": DEFINITIONS["active"]})}, 2)
        async with asyncio.timeout(60):
            while stored(world) != degraded.Degraded():  # noqa: ASYNC110
                await asyncio.sleep(0.1)  # of the simulation's time
        await cluster.settle()
        assert stored_members(world, 0).keys() == {("w", "active"), ("w", "also")}
        assert {each.kind for each in world.announced[0]} == {"entered"}
        await cluster.stop()

    run(main())


def test_where_only_the_staged_form_cannot_be_compiled_what_was_served_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = DEFINITIONS["active"].replace('"a"', '"b"')
    staged = World.staged

    async def planted(self: World, latest: Plan, staging: Staging, timezone: str) -> Plan:
        if staging.staged:
            raise OverflowError("planted")
        return await staged(self, latest, staging, timezone)

    async def main() -> None:
        world = World(0, 1)
        world.native = False  # faults are forced in the interpreted core
        plans = {"w": plan_of(DEFINITIONS)}
        world.publish_plans(plans, 1)
        cluster = Cluster(world)
        names = {"p1": "a", "p2": "b"}
        records = [
            pack.Packed([Event(f"{p}.{number}", "w", p, name, START_MS, {}) for p, name in names.items()])
            for number in "12"
        ]
        world.append(0, pack.encode(records[0]))
        await cluster.settle()
        with monkeypatch.context() as broken:
            broken.setattr(World, "staged", planted)
            world.publish_plans({"w": plan_of(DEFINITIONS | {"also": other})}, 2)
            world.append(0, pack.encode(records[1]))
            async with asyncio.timeout(60):
                while int(world.store.hashes[keys.head(0)]["offset"]) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)  # of the simulation's time
        assert stored_members(world, 0) == {("w", "active"): {"p1"}}
        assert stored(world).plan == "OverflowError('planted')"
        await cluster.stop()
        cluster = Cluster(world)
        await cluster.settle()
        assert stored_members(world, 0) == {("w", "active"): {"p1"}, ("w", "also"): {"p2"}}
        assert stored(world) == degraded.Degraded()
        await cluster.stop()

    run(main())


def test_an_event_that_is_applied_after_all_counts_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    added, mended = CountSliding.added, False

    def planted(self: Any, state: Any, event: Event, *rest: Any) -> Any:
        if event.properties.get("bomb") and not mended:
            raise OverflowError("planted")
        return added(self, state, event, *rest)

    async def main() -> None:
        nonlocal mended
        world = World(0, 1)
        world.native = False  # faults are forced in the interpreted core
        world.publish_plans({"w": plan_of(DEFINITIONS)}, 1)
        bombs = [Event(f"bomb.{number}", "w", "p", "a", START_MS, {"bomb": True}) for number in range(3)]
        world.append(0, pack.encode(pack.Packed(bombs)))
        cluster = Cluster(world)
        await cluster.settle()
        assert stored(world).events == 3
        world.append(0, pack.encode(pack.Packed(bombs[:1])))
        await cluster.settle()
        assert stored(world).events == 3, "replayed before it was mended, it counts once"
        mended = True
        for index, bomb in enumerate(bombs):
            world.append(0, pack.encode(pack.Packed([bomb])))
            await cluster.settle()
            assert stored(world).events == 2 - index
        assert stored(world) == degraded.Degraded()
        await cluster.stop()

    monkeypatch.setattr(CountSliding, "added", planted)
    run(main())


def test_a_new_name_or_quota_of_a_workspace_compiles_nothing() -> None:
    known = Definitions(Limits())
    take(known, 0, catalog.Workspace("w", "w", "UTC", 0))
    take(known, 1, segment("good"))
    known.compile()
    plan_, workspace = (
        known.plans["w"],
        catalog.Workspace("w", "new", "UTC", 0, 2, catalog.Quotas(5, names=7)),
    )
    take(known, 2, workspace)
    known.compile()
    assert known.plans["w"] is plan_ and known.revision == 2
    take(known, 3, catalog.Workspace("w", "new", "Europe/Berlin", 0, 3))
    known.compile()
    assert known.plans["w"].revision == 3


def segment(id_: str) -> catalog.Segment:
    return catalog.Segment("w", id_, id_, 1, 1, 0, 0, node(DEFINITIONS["active"]))


def take(known: Definitions, offset: int, entry: catalog.Entry) -> None:
    known.take(catalog.key_of(entry).encode(), catalog.encode(entry), offset)
